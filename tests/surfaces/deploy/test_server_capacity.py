"""How full servers are, over the API."""

from __future__ import annotations

import asyncio

from real.sshd import new_key, sshd
from support.served import SOURCE, deployed


async def test_this_machine_is_measured_and_its_workspaces_are_known(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    deployment = await deployed(deck, resource, server)
    runtime = deck.instance.data.runtime
    for name in (deployment, "dep_000000000000"):
        (runtime / "deployments" / name).mkdir(parents=True)
    found = await deck.do("servers.capacity.inspect", serverId=server)
    assert found["server"]["id"] == server
    assert found["disk"][0]["size"] > found["disk"][0]["available"] > 0
    assert found["memory"]["total"] > found["memory"]["used"] > 0
    assert found["cpu"]["loadAverage1m"] is not None
    assert found["appaloftRuntime"]["runtimeRoot"] | {"size": 0} == {
        "path": str(runtime),
        "size": 0,
        "detectable": True,
    }
    marks = {one["deploymentId"]: one["activeMarker"] for one in found["appaloftWorkspaces"]}
    assert marks == {deployment: True, "dep_000000000000": False}
    estimate = found["safeReclaimableEstimate"]
    assert estimate["total"] == sum(value for key, value in estimate.items() if key != "total")
    await deck.refused(404, "not_found", "servers.capacity.inspect", serverId="srv_000000000000")


async def test_a_server_behind_ssh_is_measured_over_one_connection(deck, tmp_path):
    public = new_key(tmp_path / "key")
    with sshd(authorized=[public]) as there:
        body = {"name": "There", "host": "127.0.0.1", "port": there.port, "providerKey": "generic-ssh"}
        server = (await deck.do("servers.register", body))["id"]
        unsaid = await deck.do("servers.capacity.inspect", serverId=server)
        assert (unsaid["partial"], unsaid["disk"]) == (True, [])
        key = (tmp_path / "key").read_text()
        way = {"kind": "ssh-private-key", "username": there.username, "privateKey": key}
        await deck.do("servers.configure-credential", {"credential": way}, serverId=server)
        first = await deck.do("servers.capacity.inspect", serverId=server)
        assert first["disk"]
        assert first["memory"]["total"]
        await deck.do("servers.capacity.inspect", serverId=server)
        await deck.do("servers.capacity.inspect", serverId=server)
        # The first one pinned the host key; from then on one connection does.
        assert (there.directory / "log").read_text().count("Accepted publickey") <= 2
        there.cut()
        while not all(kept.host.closed for kept in deck.instance.looking.connections._kept.values()):
            await asyncio.sleep(0.01)
        there.renew_host_key()
        changed = await deck.do("servers.capacity.inspect", serverId=server)
        assert changed["partial"]
        assert "qd server trust" in changed["warnings"][0]["message"]
