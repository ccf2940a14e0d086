"""The same pages over a real instance and a real SSH server."""

from __future__ import annotations

import re

import pytest

from quarterdeck.kernel.vault import Secret
from real.sshd import new_key, sshd
from support.deck import running, signed_in

pytestmark = pytest.mark.sshd


@pytest.fixture
async def deck(tmp_path, database_address):
    async with running(tmp_path, database_address) as made:
        await signed_in(made)
        made.client.cookies.set("qd_session", made.instance.signer.sign(Secret(made.token)))
        made.client.headers["origin"] = "http://localhost"
        yield made


async def page(deck, path, **data):
    """A page, or where a form leads to and that page."""
    method = "POST" if data else "GET"
    answer = await deck.client.request(method, f"/console{path}", data=data or None, follow_redirects=True)
    return answer.status_code, answer.text


async def test_a_server_is_added_tested_and_forgotten_in_the_console(deck, tmp_path):
    public = new_key(tmp_path / "key")
    key = (tmp_path / "key").read_text()
    with sshd(authorized=[public]) as there:
        status, text = await page(deck, "/fleet/keys", name="deploy", username=there.username, content=key)
        assert status == 200, text
        (credential,) = set(re.findall(r"sshcred_[0-9a-z]{12}", text))
        typed = {"name": "There", "host": "127.0.0.1", "port": str(there.port), "credential": credential}
        status, text = await page(deck, "/fleet/new/test", **typed, edge="caddy")
        assert (status, f"The host key is {there.fingerprint}" in text) == (200, True)
        assert await deck.do("servers.count") == {"count": 0}
        status, text = await page(deck, "/fleet/new", **typed, edge="caddy")
        assert status == 200
        server = re.findall(r"srv_[0-9a-z]{12}", text)[0]
        assert "Pinned at the first contact" in text
        _, text = await page(deck, f"/fleet/servers/{server}/test", go="1")
        assert f"{there.username} is let in." in text
        assert there.fingerprint in text
        _, text = await page(deck, f"/fleet/servers/{server}/capacity")
        assert "Disk /" in text
        assert "Processors" in text
        assert "<dt>Runs</dt>" in text  # the edge was looked at, whichever there is for this account
        there.renew_host_key()
        _, text = await page(deck, f"/fleet/servers/{server}/test", go="1")
        assert "I have compared" in text
        _, text = await page(deck, f"/fleet/servers/{server}/host-key", fingerprint=there.fingerprint)
        assert there.fingerprint in text
    blocked = await page(deck, f"/fleet/servers/{server}/delete", confirmation="There")
    assert (blocked[0], "it is still active" in blocked[1]) == (409, True)
    status, text = await page(deck, f"/fleet/servers/{server}/name", name="Elsewhere")
    assert (status, "Elsewhere" in text) == (200, True)
    in_use = await page(deck, f"/fleet/keys/{credential}/delete", go="1")
    assert (in_use[0], "still used by Elsewhere" in in_use[1]) == (409, True)
    await page(deck, f"/fleet/servers/{server}/deactivate", go="1")
    wrong = await page(deck, f"/fleet/servers/{server}/delete", confirmation="There")
    assert wrong[0] == 400
    assert (await page(deck, f"/fleet/servers/{server}/delete", confirmation="Elsewhere"))[0] == 200
    assert await deck.do("servers.count") == {"count": 0}
    assert (await page(deck, f"/fleet/keys/{credential}/delete", go="1"))[0] == 200
    assert (await deck.do("credentials.list-ssh"))["items"] == []
    assert not any(key.splitlines()[1] in text for text in deck.heard)


async def test_a_new_key_is_made_installed_and_pinned_before_the_server_is_added(deck):
    with sshd(authorized=[]) as there:
        typed = {"name": "There", "host": "127.0.0.1", "port": str(there.port), "username": there.username}
        status, text = await page(deck, "/fleet/new/test", **typed, credential="new", edge="caddy")
        assert status == 200
        assert "Nothing was tested yet." in text
        line = re.findall(r'data-copy="(ssh-ed25519 [A-Za-z0-9+/=]+)"', text)[0]
        (credential,) = re.findall(r'value="(sshcred_[0-9a-z]{12})" selected', text)
        typed["credential"] = credential
        _, text = await page(deck, "/fleet/new/test", **typed, edge="caddy")
        assert "does not let" in text
        assert f"echo &#39;{line}&#39; &gt;&gt; ~/.ssh/authorized_keys" in text
        there.authorize(line)
        _, text = await page(deck, "/fleet/new/test", **typed, edge="caddy")
        assert f"{there.username} is let in." in text
        seen = {name: re.findall(f'name="{name}" value="([^"]*)"', text)[0] for name in ("fingerprint", "tested")}
        assert seen == {"fingerprint": there.fingerprint, "tested": f"127.0.0.1:{there.port}"}
        assert await deck.do("servers.count") == {"count": 0}
        status, text = await page(deck, "/fleet/new", **typed, **seen, edge="caddy")
        assert status == 200
        assert there.fingerprint in text
        assert "Pinned at the first contact" not in text
        server = re.findall(r"srv_[0-9a-z]{12}", text)[0]
        _, text = await page(deck, "/palette?q=127.0.0.1")
        assert f'data-href="/console/fleet/servers/{server}"' in text
        there.renew_host_key()
        _, text = await page(deck, f"/fleet/servers/{server}/test", go="1")
        assert "I have compared" in text
    found = await deck.do("credentials.show", credentialId=credential)
    assert found["credential"]["name"] == "There"
    assert [use["serverId"] for use in found["usage"]["servers"]] == [server]


async def test_a_pasted_key_that_cannot_be_used_is_refused_at_its_field_and_not_kept(deck):
    typed = {"name": "There", "host": "127.0.0.1", "port": "22", "credential": "pasted"}
    status, text = await page(deck, "/fleet/new/test", **typed, content="-----BEGIN PRIVATE KEY-----\npear-tree-4711")
    assert status == 400
    assert "The private key cannot be read" in text
    assert 'value="There"' in text
    assert not any("pear-tree-4711" in text for text in deck.heard)
    assert (await deck.do("credentials.list-ssh"))["items"] == []


async def test_policies_are_kept_and_changed_and_leaving_this_machine_is_refused(deck):
    server = await deck.server()
    typed = {"name": "weekly", "days": "14", "server": server, "category-unused-images": "yes", "enabled": "yes"}
    status, text = await page(deck, "/fleet/policies", **typed)
    assert (status, "weekly" in text) == (200, True)
    status, text = await page(deck, "/fleet/policies", **typed, remove="yes")
    assert (status, "Remove these things by itself?" in text) == (200, True)
    await page(deck, "/fleet/policies", **typed, remove="yes", sure="yes")
    (kept,) = (await deck.do("scheduled-runtime-prune-policies.list"))["items"]
    assert (kept["id"], kept["serverId"], kept["destructive"], kept["retentionDays"]) == ("weekly", server, True, 14)
    assert (await page(deck, "/fleet/policies", **{**typed, "days": "0"}))[0] == 400
    _, text = await page(deck, f"/fleet/servers/{server}")
    assert "Images that nothing uses" in text
    status, text = await page(deck, f"/fleet/servers/{server}/uninstall")
    assert (status, "is the machine of the control plane" in text) == (400, True)


async def test_the_edge_of_this_machine_is_chosen_and_asked_for(deck):
    server = await deck.server()
    _, text = await page(deck, f"/fleet/servers/{server}")
    assert "The machine of the control plane" in text
    _, text = await page(deck, f"/fleet/servers/{server}/edge/bootstrap", go="1")
    assert re.search(r"pxy_[0-9a-z]{12}", text)
    status, _ = await page(deck, f"/fleet/servers/{server}/edge", edge="none")
    assert status == 200
    shown = (await deck.do("servers.show", serverId=server))["server"]["edgeProxy"]
    assert shown == {"kind": "none", "status": "disabled"}
    assert (await page(deck, f"/fleet/servers/{server}/edge", edge="nginx"))[0] == 400
    assert (await page(deck, "/fleet/servers/srv_000000000000"))[0] == 404
