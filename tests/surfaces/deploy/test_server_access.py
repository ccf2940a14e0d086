"""Signing in to servers over the API, against a real SSH server."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.credentials.model import ServerCredential
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel.errors import Forbidden
from support.notes import notes

pytestmark = pytest.mark.sshd
ELSEWHERE = {"name": "Elsewhere", "host": "192.0.2.1", "providerKey": "generic-ssh"}


def checks(found):
    return {check["name"]: check["status"] for check in found["checks"]}


def check(found, name):
    return next(one for one in found["checks"] if one["name"] == name)


async def register(deck, there, **given):
    body = {"name": "There", "host": "127.0.0.1", "port": there.port, "providerKey": "generic-ssh", **given}
    return (await deck.do("servers.register", body))["id"]


async def stored(deck, keys, there):
    body = {"name": "Deploy", "kind": "ssh-private-key", "privateKey": keys[0], "username": there.username}
    return (await deck.do("credentials.create-ssh", body))["id"]


async def test_a_server_is_reached_with_a_stored_credential_and_its_host_key_pinned(deck, keys, there):
    server, credential = await register(deck, there), await stored(deck, keys, there)
    unsaid = await deck.do("servers.test-connectivity", serverId=server)
    assert (unsaid["status"], check(unsaid, "authentication")["metadata"]["code"]) == (
        "unreachable",
        "ssh_credential_missing",
    )
    way = {"kind": "stored-ssh-private-key", "credentialId": credential}
    assert await deck.do("servers.configure-credential", {"credential": way}, serverId=server) is None
    shown = (await deck.do("servers.show", serverId=server))["server"]["credential"]
    assert shown == {
        "kind": "ssh-private-key", "credentialId": credential, "credentialName": "Deploy", "username": there.username,
        "publicKeyConfigured": True, "privateKeyConfigured": True,
    }  # fmt: skip
    found = await deck.do("servers.test-connectivity", serverId=server)
    reached = {name: checks(found)[name] for name in ("tcp", "ssh-handshake", "host-key", "authentication")}
    assert set(reached.values()) == {"passed"}
    assert check(found, "host-key")["metadata"]["fingerprint"] == there.fingerprint
    assert checks(found)["clock"] == "passed"
    assert found["status"] in {"healthy", "degraded"}
    await deck.do("servers.test-connectivity", serverId=server)
    audited, told = await notes(deck, f"server:{server}")
    assert audited == ["server.registered", "server.credential-configured", "server.host-key-pinned"]
    assert told == ["deployment_target.registered", "server-credential-configured", "server-host-key-pinned"]

    # The machine is set up anew: refused until somebody has compared.
    there.renew_host_key()
    changed = await deck.do("servers.test-connectivity", serverId=server)
    failed = check(changed, "host-key")
    assert (changed["status"], failed["status"]) == ("unreachable", "failed")
    assert failed["metadata"]["code"] == "ssh_host_key_changed"
    assert failed["metadata"]["shownFingerprint"] == there.fingerprint
    assert checks(changed)["authentication"] == "skipped"
    path = f"/api/servers/{server}/host-key"
    wrong = await deck.send("POST", path, {"fingerprint": "SHA256:short"})
    assert (wrong.status_code, wrong.json()["data"]["domainCode"]) == (400, "validation_error")
    trusted = await deck.send("POST", path, {"fingerprint": there.fingerprint})
    assert (trusted.status_code, trusted.json()["fingerprint"]) == (200, there.fingerprint)
    again = await deck.do("servers.test-connectivity", serverId=server)
    assert checks(again)["authentication"] == "passed"
    audited, told = await notes(deck, f"server:{server}")
    assert (audited[-1], told[-1]) == ("server.host-key-accepted", "server-host-key-accepted")


async def test_who_may_not_configure_may_not_trust_either(deck, there):
    server = await register(deck, there)
    viewer = await deck.member("viewer")
    path = f"/api/servers/{server}/host-key"
    answer = await deck.send("POST", path, {"fingerprint": there.fingerprint}, token=viewer)
    assert answer.status_code == 403
    stranger = await deck.member("owner", "org_elsewhere")
    answer = await deck.send("POST", path, {"fingerprint": there.fingerprint}, token=stranger)
    assert answer.status_code == 404


async def test_another_key_signs_in_as_whoever_it_was_unless_it_names_somebody(deck, keys, there):
    server = await register(deck, there)

    async def account(**way):
        await deck.do("servers.configure-credential", {"credential": way}, serverId=server)
        return (await deck.do("servers.show", serverId=server))["server"]["credential"].get("username")

    async def key(name, **more):
        body = {"name": name, "kind": "ssh-private-key", "privateKey": keys[0], **more}
        return {"kind": "stored-ssh-private-key", "credentialId": (await deck.do("credentials.create-ssh", body))["id"]}

    nobodys, adas = await key("Nobody's"), await key("Ada's", username="ada")
    assert await account(**nobodys) is None
    assert await account(**nobodys, username="grace") == "grace"
    assert await account(**await key("Another")) == "grace"
    assert await account(kind="local-ssh-agent") == "grace"
    assert await account(**adas) == "ada"
    assert await account(**nobodys) == "ada"


async def test_an_inline_key_belongs_to_its_server_alone(deck, keys, there):
    server = await register(deck, there)
    way = {"kind": "ssh-private-key", "username": there.username, "privateKey": keys[0], "publicKey": keys[1]}
    await deck.do("servers.configure-credential", {"credential": way}, serverId=server)
    found = await deck.do("servers.test-connectivity", serverId=server)
    assert checks(found)["authentication"] == "passed"
    assert (await deck.do("credentials.list-ssh"))["items"] == []
    shown = (await deck.do("servers.list"))["items"][0]["credential"]
    assert (shown["kind"], "credentialId" in shown, shown["privateKeyConfigured"]) == ("ssh-private-key", False, True)
    secret = keys[0].splitlines()[1]
    assert not any(secret in text for text in deck.heard)
    broken = {"credential": {**way, "privateKey": "nonsense"}}
    await deck.refused(400, "validation_error", "servers.configure-credential", broken, serverId=server)
    agent = {"credential": {"kind": "local-ssh-agent", "username": "ada"}}
    await deck.do("servers.configure-credential", agent, serverId=server)
    shown = (await deck.do("servers.show", serverId=server))["server"]["credential"]
    assert shown == {
        "kind": "local-ssh-agent",
        "username": "ada",
        "publicKeyConfigured": False,
        "privateKeyConfigured": False,
    }


async def test_a_draft_is_tried_and_nothing_is_kept(deck, keys, there):
    draft = {
        "host": "127.0.0.1", "port": there.port, "providerKey": "generic-ssh",
        "credential": {"kind": "ssh-private-key", "username": there.username, "privateKey": keys[0]},
    }  # fmt: skip
    found = await deck.do("servers.test-draft-connectivity", {"server": draft})
    assert checks(found)["authentication"] == "passed"
    assert (found["serverId"], found["name"]) == ("draft", "127.0.0.1")
    assert await deck.do("servers.count") == {"count": 0}
    there.stop()
    silent = await deck.do("servers.test-draft-connectivity", {"server": {**draft, "name": "New"}})
    assert (silent["status"], check(silent, "tcp")["metadata"]["code"], silent["name"]) == (
        "unreachable",
        "ssh_unreachable",
        "New",
    )
    for wrong in ({"host": "a b"}, {"port": 70_000}, {"providerKey": "cloud"}):
        await deck.refused(400, "validation_error", "servers.test-draft-connectivity", {"server": {**draft, **wrong}})
    missing = {**draft, "credential": {"kind": "stored-ssh-private-key", "credentialId": "sshcred_000000000000"}}
    await deck.refused(404, "not_found", "servers.test-draft-connectivity", {"server": missing})
    without = {key: value for key, value in draft.items() if key != "credential"}
    unsaid = await deck.do("servers.test-draft-connectivity", {"server": without})
    assert check(unsaid, "authentication")["metadata"]["code"] == "ssh_credential_missing"


async def test_the_ports_of_an_edge_of_ours_are_free_for_it_under_another_name_of_its_machine(deck, keys, there):
    server = await register(deck, there)

    def edge(tx):
        found = tx.first(select(Server).where(Server.ref == server))
        found.edge_http_port, found.edge_https_port = 80, 443

    await deck.instance.db.write(edge)
    way = {"kind": "ssh-private-key", "username": there.username, "privateKey": keys[0]}
    draft = {"host": "127.0.0.1", "port": there.port, "providerKey": "generic-ssh", "credential": way}
    found = await deck.do("servers.test-draft-connectivity", {"server": draft})
    assert check(found, "edge-ports")["metadata"] == {"ports": "80,443"}


async def test_this_machine_needs_no_connection(deck):
    server = await deck.server()
    found = await deck.do("servers.test-connectivity", serverId=server)
    assert checks(found)["tcp"] == checks(found)["authentication"] == "skipped"
    assert checks(found)["architecture"] == checks(found)["clock"] == "passed"


async def test_an_inactive_server_takes_no_credential(deck, there):
    server = await register(deck, there)
    await deck.do("servers.deactivate", {}, serverId=server)
    agent = {"credential": {"kind": "local-ssh-agent"}}
    await deck.refused(409, "server_inactive", "servers.configure-credential", agent, serverId=server)


async def test_the_agent_is_for_administrators_of_the_first_organization(deck):
    agent = {"credential": {"kind": "local-ssh-agent", "username": "root"}}
    stranger = await deck.member("owner", "org_elsewhere")
    server = (await deck.do("servers.register", ELSEWHERE, token=stranger))["id"]
    await deck.refused(403, "ssh_agent_refused", "servers.configure-credential", agent, serverId=server, token=stranger)
    draft = {"server": {**ELSEWHERE, **agent}}
    await deck.refused(403, "ssh_agent_refused", "servers.test-draft-connectivity", draft, token=stranger)
    assert "credential" not in (await deck.do("servers.show", serverId=server, token=stranger))["server"]

    own = (await deck.do("servers.register", ELSEWHERE))["id"]
    await deck.do("servers.configure-credential", agent, token=await deck.member("admin"), serverId=own)


async def test_an_agent_that_another_organization_was_given_before_is_no_longer_used(deck):
    stranger = await deck.member("owner", "org_elsewhere")
    server = (await deck.do("servers.register", ELSEWHERE, token=stranger))["id"]

    def as_before(tx):
        row = tx.first(select(Server).where(Server.ref == server))
        tx.add(ServerCredential(uid=tx.ids.uid(), server_id=row.id, kind=access.AGENT, configured_at=tx.now))
        tx.flush()
        with pytest.raises(Forbidden, match="SSH agent"):
            access.login(tx, row)

    await deck.instance.db.write(as_before)
