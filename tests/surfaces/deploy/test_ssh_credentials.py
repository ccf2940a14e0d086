"""SSH credentials over the API: what goes in, what never comes out, and what in-use means."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from quarterdeck.fleet.credentials.model import SshCredential
from real.sshd import new_key
from support.notes import notes

pytestmark = pytest.mark.sshd


@pytest.fixture
def key(tmp_path):
    new_key(tmp_path / "key")
    return (tmp_path / "key").read_text()


async def create(deck, key, **given):
    body = {"name": "Deploy", "kind": "ssh-private-key", "privateKey": key, **given}
    return (await deck.do("credentials.create-ssh", body))["id"]


async def bind(deck, server, credential, **given):
    way = {"kind": "stored-ssh-private-key", "credentialId": credential, **given}
    return await deck.do("servers.configure-credential", {"credential": way}, serverId=server)


async def test_a_credential_is_stored_sealed_and_never_shown(deck, key, tmp_path):
    made = await create(deck, key, username="ada")
    shown = await deck.do("credentials.show", credentialId=made)
    assert made.startswith("sshcred_")
    assert shown["credential"] | {"createdAt": ""} == {
        "id": made, "name": "Deploy", "kind": "ssh-private-key", "username": "ada", "publicKeyConfigured": True,
        "privateKeyConfigured": True, "createdAt": "",
    }  # fmt: skip
    assert shown["usage"] == {"totalServers": 0, "activeServers": 0, "inactiveServers": 0, "servers": []}
    assert "usage" not in await deck.do("credentials.show", credentialId=made, query={"includeUsage": "false"})
    assert [row["id"] for row in (await deck.do("credentials.list-ssh"))["items"]] == [made]
    row = await deck.instance.db.read(lambda tx: tx.first(select(SshCredential)))
    marks = [line for line in key.splitlines() if line and "-----" not in line]
    assert row.private_key.startswith("v1.")
    everything = "\n".join(deck.heard) + row.private_key + row.public_key
    assert not [mark for mark in marks if mark in everything]
    assert await notes(deck, f"ssh-credential:{made}") == (["ssh-credential.created"], ["ssh-credential-created"])
    await deck.refused(404, "not_found", "credentials.show", credentialId="sshcred_000000000000")


async def test_a_key_that_cannot_be_used_is_refused_and_not_repeated(deck, key):
    for wrong in ("nonsense", key[:120], f"ssh-ed25519 {key[40:80]}"):
        body = {"name": "Deploy", "kind": "ssh-private-key", "privateKey": wrong}
        found = await deck.refused(400, "validation_error", "credentials.create-ssh", body)
        assert found["error"]["details"]["field"] == "privateKey"
        assert len(wrong) < 20 or wrong not in deck.heard[-1]
    body = {"name": "Deploy", "kind": "ssh-private-key", "privateKey": key, "username": "-oProxyCommand=x"}
    await deck.refused(400, "validation_error", "credentials.create-ssh", body)
    await deck.malformed("credentials.create-ssh", {**body, "kind": "password"})
    assert (await deck.do("credentials.list-ssh"))["items"] == []


async def test_a_credential_in_use_is_neither_deleted_nor_rotated_unawares(deck, key, tmp_path):
    made = await create(deck, key, username="ada")
    first, second = await deck.server(name="One"), await deck.server(name="Two")
    await bind(deck, first, made)
    await bind(deck, second, made, username="eve")
    await deck.do("servers.deactivate", {}, serverId=second)
    shown = await deck.do("credentials.show", credentialId=made)
    usage = shown["usage"]
    assert (usage["totalServers"], usage["activeServers"], usage["inactiveServers"]) == (2, 1, 1)
    assert [(one["serverName"], one["username"]) for one in usage["servers"]] == [("One", "ada"), ("Two", "eve")]
    confirmed = {"confirmation": {"credentialId": made}}
    refused = await deck.refused(409, "credential_in_use", "credentials.delete-ssh", confirmed, credentialId=made)
    assert "One" in refused["message"]

    new_key(tmp_path / "next")
    body = {**confirmed, "privateKey": (tmp_path / "next").read_text()}
    code = "credential_rotation_requires_usage_acknowledgement"
    await deck.refused(409, code, "credentials.rotate-ssh", body, credentialId=made)
    wrong = {**body, "confirmation": {"credentialId": "sshcred_000000000000", "acknowledgeServerUsage": True}}
    await deck.refused(400, "validation_error", "credentials.rotate-ssh", wrong, credentialId=made)
    before = await deck.instance.db.read(lambda tx: tx.first(select(SshCredential)).public_key)
    body["confirmation"] = {"credentialId": made, "acknowledgeServerUsage": True}
    turned = await deck.do("credentials.rotate-ssh", body, credentialId=made)
    assert turned["affectedUsage"] == usage
    assert turned["credential"]["usernameConfigured"]
    after = await deck.instance.db.read(lambda tx: tx.first(select(SshCredential)).public_key)
    assert before != after
    assert (await deck.do("credentials.show", credentialId=made))["credential"]["rotatedAt"]
    cleared = await deck.do("credentials.rotate-ssh", {**body, "username": None}, credentialId=made)
    assert not cleared["credential"]["usernameConfigured"]


async def test_an_unused_credential_goes_when_it_is_named(deck, key):
    made = await create(deck, key)
    server = await deck.server()
    await bind(deck, server, made)
    await deck.do("servers.configure-credential", {"credential": {"kind": "local-ssh-agent"}}, serverId=server)
    wrong = {"confirmation": {"credentialId": "sshcred_000000000000"}}
    await deck.refused(400, "validation_error", "credentials.delete-ssh", wrong, credentialId=made)
    body = {"confirmation": {"credentialId": made}, "idempotencyKey": "once"}
    assert await deck.do("credentials.delete-ssh", body, credentialId=made) == {"id": made}
    assert await deck.do("credentials.delete-ssh", body, credentialId=made) == {"id": made}
    await deck.refused(404, "not_found", "credentials.show", credentialId=made)
    audited, told = await notes(deck, f"ssh-credential:{made}")
    assert (audited[-1], told[-1]) == ("ssh-credential.deleted", "ssh-credential-deleted")


async def test_credentials_of_another_organization_do_not_exist(deck, key):
    made = await create(deck, key)
    token = await deck.member("owner", "org_elsewhere")
    await deck.refused(404, "not_found", "credentials.show", credentialId=made, token=token)
    assert (await deck.do("credentials.list-ssh", token=token))["items"] == []
    server = await deck.do("servers.register", {"name": "X", "host": "x", "providerKey": "generic-ssh"}, token=token)
    way = {"credential": {"kind": "stored-ssh-private-key", "credentialId": made}}
    await deck.refused(404, "not_found", "servers.configure-credential", way, serverId=server["id"], token=token)
