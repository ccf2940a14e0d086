"""A server gets another address, against real SSH servers."""

from __future__ import annotations

import pytest

from real.sshd import sshd
from support.notes import notes

pytestmark = pytest.mark.sshd


async def registered(deck, keys, there):
    body = {"name": "old home", "host": "127.0.0.1", "port": there.port, "providerKey": "generic-ssh"}
    server = (await deck.do("servers.register", body))["id"]
    way = {"kind": "ssh-private-key", "username": there.username, "privateKey": keys[0]}
    await deck.do("servers.configure-credential", {"credential": way}, serverId=server)
    found = await deck.do("servers.test-connectivity", serverId=server)
    assert found["status"] != "unreachable"
    return server


async def moved(deck, server, status=200, **body):
    answer = await deck.send("POST", f"/api/servers/{server}/address", body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def address(deck, server):
    row = (await deck.do("servers.show", serverId=server))["server"]
    return row["host"], int(row["port"])


async def test_the_same_machine_is_reached_at_another_address_and_no_other_is(deck, keys, there):
    server = await registered(deck, keys, there)
    before = await address(deck, server)
    # The same machine by another name of this one.
    answer = await moved(deck, server, host="localhost", port=there.port)
    assert answer == {"serverId": server, "host": "localhost", "port": there.port, "fingerprint": there.fingerprint}
    assert await address(deck, server) == ("localhost", there.port)
    assert (await deck.do("servers.test-connectivity", serverId=server))["status"] != "unreachable"
    audited, told = await notes(deck, f"server:{server}")
    assert (audited[-1], told[-1]) == ("server.moved", "server-moved")
    await moved(deck, server, host="localhost", port=there.port)
    assert await notes(deck, f"server:{server}") == (audited, told)  # the same one changes nothing

    with sshd(authorized=[keys[1]]) as other:
        refused = await moved(deck, server, 409, host="127.0.0.1", port=other.port)
        assert refused["data"]["domainCode"] == "ssh_host_key_changed"
        hint = refused["error"]["details"]["hint"]
        assert f"qd server address 'old home' 127.0.0.1 --port {other.port} --trust {other.fingerprint}" in hint
        assert await address(deck, server) == ("localhost", there.port)
        wrong = await moved(deck, server, 409, host="127.0.0.1", port=other.port, fingerprint=there.fingerprint)
        assert wrong["data"]["domainCode"] == "ssh_host_key_changed"
        # With consent to its key another machine takes its place, and nothing is known of that one.
        await moved(deck, server, host="127.0.0.1", port=other.port, fingerprint=other.fingerprint)
        assert (await deck.do("servers.test-connectivity", serverId=server))["status"] != "unreachable"
    audited, _ = await notes(deck, f"server:{server}")
    assert [one for one in audited if one in {"server.moved", "server.host-key-accepted"}] == [
        "server.moved", "server.moved", "server.host-key-accepted"
    ]  # fmt: skip
    assert before != await address(deck, server)


async def test_where_nobody_lets_us_in_nothing_changes_unless_nobody_is_to_look(deck, keys, there):
    server = await registered(deck, keys, there)
    there.stop()
    refused = await moved(deck, server, 503, host="127.0.0.1", port=9)
    assert refused["data"]["domainCode"] == "ssh_unreachable"
    assert await address(deck, server) == ("127.0.0.1", there.port)
    answer = await moved(deck, server, host="127.0.0.1", port=9, unseen=True)
    assert answer["fingerprint"] == there.fingerprint  # the pinned key is expected there all the same
    assert await address(deck, server) == ("127.0.0.1", 9)
    for wrong in ({"host": "a b"}, {"port": 70_000}, {"fingerprint": "SHA256:short"}):
        refused = await moved(deck, server, 400, **{"host": "127.0.0.1", "unseen": True, **wrong})
        assert refused["data"]["domainCode"] == "validation_error"


async def test_this_machine_and_a_deactivated_one_stay_where_they_are(deck, keys, there):
    refused = await moved(deck, await deck.server(), 400, host="192.0.2.1")
    assert refused["data"]["domainCode"] == "validation_error"
    server = await registered(deck, keys, there)
    await deck.do("servers.deactivate", {}, serverId=server)
    refused = await moved(deck, server, 409, host="192.0.2.1", unseen=True)
    assert refused["data"]["domainCode"] == "server_inactive"


async def test_the_list_says_how_each_server_was(deck, keys, there):
    here = await deck.server()
    server = await registered(deck, keys, there)
    unsaid = await deck.server(name="Bare", providerKey="generic-ssh", host="192.0.2.1")

    async def health():
        answer = await deck.send("GET", "/api/servers/health")
        assert answer.status_code == 200, answer.text
        assert answer.json()["mostWatched"] == 500
        return {one["serverId"]: one for one in answer.json()["items"]}

    found = await health()
    assert (found[here]["status"], found[here]["disk"]["available"] > 0) == ("healthy", True)
    assert (found[unsaid]["status"], "qd server credential Bare" in found[unsaid]["message"]) == ("unknown", True)
    assert found[server]["status"] in {"healthy", "degraded"}
    assert found[server]["disk"]["size"] > found[server]["disk"]["available"]
    assert "unreachableSince" not in found[server]
    there.stop()
    await deck.do("servers.test-connectivity", serverId=server)
    away = (await health())[server]
    assert (away["status"], away["disk"]) == ("unreachable", found[server]["disk"])
    assert away["message"].startswith("Out of reach since ")
    await deck.do("servers.test-connectivity", serverId=server)
    assert (await health())[server]["unreachableSince"] == away["unreachableSince"]
