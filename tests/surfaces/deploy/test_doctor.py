"""What the doctor knows of servers behind SSH and of the certificate authority, and what it says is to be done."""

from __future__ import annotations

import pytest

from real.sshd import new_key, sshd

pytestmark = pytest.mark.sshd


async def provider(deck, key, token=None):
    given = {} if token is None else {"token": token}
    items = (await deck.do("system.providers.list", **given))["items"]
    configuration = next(one for one in items if one["key"] == key)["configuration"]
    return configuration["status"], {one["code"]: one for one in configuration["diagnostics"]}


async def test_a_server_behind_ssh_is_told_of_as_it_was_last_seen(deck, tmp_path):
    public = new_key(tmp_path / "key")
    assert await provider(deck, "generic-ssh") == ("not-configured", {})
    with sshd(authorized=[public]) as there:
        body = {"name": "Far away", "host": "127.0.0.1", "port": there.port, "providerKey": "generic-ssh"}
        server = (await deck.do("servers.register", body))["id"]
        status, said = await provider(deck, "generic-ssh")
        assert (status, list(said)) == ("partial", ["ssh_credential_missing"])
        assert said["ssh_credential_missing"]["message"].endswith("qd server credential 'Far away'")

        key = (tmp_path / "key").read_text()
        way = {"kind": "ssh-private-key", "username": there.username, "privateKey": key}
        await deck.do("servers.configure-credential", {"credential": way}, serverId=server)
        _, said = await provider(deck, "generic-ssh")
        assert said["server_never_seen"]["message"].endswith("Look at it: qd server test 'Far away'")

        await deck.do("servers.test-connectivity", serverId=server)
        _, said = await provider(deck, "generic-ssh")
        seen = said["server_seen"]
        assert seen["severity"] == "info"
        assert "last reached at 20" in seen["message"]
        assert f"host key {there.fingerprint}" in seen["message"]
        assert "edge traefik pending" in seen["message"]
        assert "GiB free on /" in seen["message"]

        there.renew_host_key()
        await deck.do("servers.test-connectivity", serverId=server)
        status, said = await provider(deck, "generic-ssh")
        changed = said["ssh_host_key_changed"]
        assert (status, changed["severity"], "server_seen" in said) == ("partial", "error", False)
        assert "qd server trust" in changed["message"]
        doctor = await deck.do("system.doctor")
        assert doctor["readiness"]["status"] == "degraded"
        assert changed in doctor["providers"][1]["configuration"]["diagnostics"]

        await deck.send("POST", f"/api/servers/{server}/host-key", {"fingerprint": there.fingerprint})
        await deck.do("servers.capacity.inspect", serverId=server)
        _, said = await provider(deck, "generic-ssh")
        assert "ssh_host_key_changed" not in said
    await deck.do("servers.test-connectivity", serverId=server)
    _, said = await provider(deck, "generic-ssh")
    (gone,) = said.values()
    assert gone["severity"] == "error"
    assert "(last reached at 20" in gone["message"]

    stranger = await deck.member("owner", "org_elsewhere")
    assert await provider(deck, "generic-ssh", stranger) == ("not-configured", {})
    await deck.do("servers.deactivate", {}, serverId=server)
    assert await provider(deck, "generic-ssh") == ("not-configured", {})
    await deck.do("servers.delete", {"confirmation": {"serverId": server}}, serverId=server)


async def test_without_an_edge_nobody_asks_for_certificates_and_that_is_said(deck):
    status, said = await provider(deck, "acme")
    assert status == "not-configured"
    assert "without an edge (--no-edge)" in said["edge_off"]["message"]
