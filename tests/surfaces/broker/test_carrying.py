"""Requests that the server's own worker carries out, from the asking to the one reading of what was read."""

from __future__ import annotations

import asyncio
import base64
import logging
from contextlib import contextmanager

import msgspec
import pytest

from fakes.kubernetes_api import KubernetesApi
from fakes.loopback import serving
from fakes.vault_server import TOKEN, VaultServer
from quarterdeck.broker.execution.providers import file
from quarterdeck.broker.execution.providers.file import FileProvider
from quarterdeck.broker.sealing import agreement
from quarterdeck.broker.sealing.agreement import Sealed
from quarterdeck.kernel.vault import Secret
from support.canaries import leaks
from support.deck import running
from support.lodge import Lodge
from support.mailbox import mailbox

PASSPHRASE = "a passphrase of the file, kept apart"
CANARIES = ("canary-Alpha-83f1", "canary-Beta-19c7", "canary-Gamma-5e02")
A, B, C = CANARIES


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch):
    """None of these tests is about how long a key takes."""
    monkeypatch.setattr(file, "MEMORY_KIB", 64)
    monkeypatch.setattr(file, "ROUNDS", 1)


@pytest.fixture
async def lodge(tmp_path, database_address):
    """An instance that does its work itself."""
    with mailbox() as box:
        async with running(tmp_path, database_address, no_worker=False, **box.settings) as deck:
            yield await Lodge(deck, box).move_in()


@pytest.fixture
def vault():
    with serving(VaultServer()) as found:
        yield found
    assert found.refused == []


@pytest.fixture
async def dora(lodge):
    return await lodge.person("dora", "organization:developer", "broker:developer")


@pytest.fixture
async def paul(lodge):
    return await lodge.person("paul", "organization:viewer", "broker:approver")


class Place:
    """A connection, and what requests say to reach it. `values` is what is kept there, as its owner sees it."""

    def __init__(self, lodge, provider_type, ref, values, **about) -> None:
        self.lodge, self.values = lodge, values
        self.about = {"target_provider_type": provider_type, "target_secret_ref": ref, **about}

    async def ask(self, by, paul, path, **more):
        """A request that is agreed to and has ended."""
        body = {**self.about, "justification": "the shop is down", "requester_id": by.uid, **more}
        made = await self.lodge.send("POST", f"/api/v1/requests{path}", body, by=by)
        assert made.status_code == 201, made.text
        at = f"/api/v1/requests/{made.json()['id']}"
        agreed = await self.lodge.send("POST", f"{at}/approve", {"approver_id": paul.uid}, by=paul)
        assert agreed.status_code == 200, agreed.text
        return await ended(self.lodge, at, by)

    async def read(self, by, paul, **more):
        """What a request that reads gives: each value once."""
        request = await self.ask(by, paul, "/read", **more)
        assert request["status"] == "executed", request
        at = f"/api/v1/requests/{request['id']}/wraps"
        found = {}
        for one in (await self.lodge.send("GET", at, by=by)).json():
            given = await self.lodge.send("GET", f"{at}/{one['id']}", by=by)
            assert given.status_code == 200, given.text
            found[one["key_name"]] = base64.b64decode(given.json()["value"]).decode()
            self.lodge.deck.heard.pop()
            gone = await self.lodge.send("GET", f"{at}/{one['id']}", by=by)
            assert (gone.status_code, gone.json()["error"]) == (410, "wrap already consumed")
        return found


async def ended(lodge, at, by):
    async with asyncio.timeout(10):
        while True:
            found = (await lodge.send("GET", at, by=by)).json()
            if found["status"] not in {"approved", "pending"}:
                return found
            await asyncio.sleep(0.02)


async def connection(lodge, provider_type, config, credential=None, **more):
    body = {"name": f"our {provider_type}", "provider_type": provider_type, "config": config, **more}
    made = await lodge.send("POST", "/api/v1/provider-connections", {**body, "credential": credential})
    assert made.status_code == 201, made.text
    return made.json()


async def in_file(lodge, vault):
    await connection(lodge, "file", {"name": "shop"}, PASSPHRASE)
    place = lodge.deck.instance.data.path / "secrets"

    async def values():
        found = await FileProvider(place, "shop", Secret(PASSPHRASE)).read("apps/db")
        return dict(found.values)

    return Place(lodge, "file", "apps/db", values)


async def in_vault(lodge, vault):
    await connection(lodge, "vault", {"address": vault.url, "allow_server": True}, TOKEN)

    async def values():
        return vault.values("apps/db")

    return Place(lodge, "vault", "apps/db", values)


async def in_quarterdeck(lodge, vault):
    await connection(lodge, "quarterdeck", {})
    project = (await lodge.send("POST", "/api/v1/projects", {"name": "Shop"})).json()
    body = {"project_id": project["id"], "name": "staging", "type": "staging"}
    made = await lodge.send("POST", "/api/v1/environments", body)
    assert made.status_code == 201, made.text
    place = Place(lodge, "quarterdeck", "shop/staging", None, project_id=project["id"], environment="staging")

    async def values():
        return await place.read(*place.people)

    place.values = values
    return place


PLACES = {"file": in_file, "vault": in_vault, "quarterdeck": in_quarterdeck}


@contextmanager
def everything_logged(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.WARNING, logger=name)
    said = []
    yield said
    out, err = capfd.readouterr()
    said.append(caplog.text + out + err)


@pytest.mark.parametrize("kind", PLACES)
async def test_secrets_are_changed_made_anew_found_and_read_once_and_stand_nowhere(
    kind, lodge, dora, paul, vault, caplog, capfd
):
    place = await PLACES[kind](lodge, vault)
    place.people = (dora, paul)
    with everything_logged(caplog, capfd) as logged:
        for values in ({"A": A, "B": "canary-gone-0000"}, {"B": B}):
            changed = await place.ask(dora, paul, "", key_values=values)
            assert changed["status"] == "executed", changed
        assert await place.values() == {"A": A, "B": B}
        assert await place.read(dora, paul, target_keys=["A", "none"]) == {"A": A}
        assert await place.read(dora, paul) == {"A": A, "B": B}

        replaced = await place.ask(dora, paul, "/update", key_values={"B": C, "KEY": "canary-key-77aa"})
        assert replaced["status"] == "executed", replaced
        assert await place.values() == {"B": C, "KEY": "canary-key-77aa"}

        made = await place.ask(dora, paul, "/rotate", target_keys=["KEY"], length=40, alphabet="hex")
        assert made["status"] == "executed", made
        assert (await lodge.send("GET", f"/api/v1/requests/{made['id']}/wraps", by=dora)).json() == []
        after = await place.values()
        assert after["B"] == C
        assert len(after["KEY"]) == 40
        assert {*after["KEY"]} <= {*"0123456789abcdef"}

        missing = await place.ask(dora, paul, "/read", target_keys=["none"])
        assert missing["status"] == "failed"
    heard = "".join(lodge.deck.heard)
    values = (*CANARIES, "canary-gone-0000", "canary-key-77aa", after["KEY"], PASSPHRASE, TOKEN)
    assert await leaks(lodge.deck, values, heard + logged[0]) == []
    assert await leaks(lodge.deck, ("the shop is down",), ""), "what is kept is not found either"
    trail = await lodge.told()
    assert {"request.submit", "request.approve", "job.claim", "wrap.retrieve", "job.complete"} <= {
        one["action"] for one in trail
    }


async def test_a_namespace_of_kubernetes_is_a_place_as_any_other(lodge, dora, paul):
    with serving(KubernetesApi()) as api:
        api.put("db", {"A": A}, team="shop")
        config = {"address": api.url, "namespace": "shop", "allow_server": True}
        await connection(lodge, "kubernetes", config, "of-the-account")
        place = Place(lodge, "kubernetes", "db", None)
        assert (await place.ask(dora, paul, "", key_values={"B": B}))["status"] == "executed"
        assert api.values("db") == {"A": A.encode(), "B": B.encode()}
        assert await place.read(dora, paul) == {"A": A, "B": B}
        assert api.refused == []


async def test_a_value_that_is_sealed_to_its_reader_is_nothing_that_the_server_could_read(lodge, dora, paul, vault):
    place = await in_vault(lodge, vault)
    vault.put("apps/db", {"A": A})
    private = bytes(range(32))
    key = base64.b64encode(agreement.public_of(private)).decode()
    found = await place.read(dora, paul, recipient_key=key)
    assert agreement.open_sealed(private, msgspec.json.decode(found["A"], type=Sealed)) == A.encode()


@pytest.mark.parametrize("kind", PLACES)
async def test_what_is_there_is_found_and_no_value_told(kind, lodge, dora, paul, vault):
    place = await PLACES[kind](lodge, vault)
    await place.ask(dora, paul, "", key_values={"A": A})
    asked = {"target_provider_config": {"connection": f"our {kind}"}, "cluster_name": "own"}
    made = await lodge.send("POST", "/api/v1/jobs", {"job_type": "discover", "payload": asked})
    assert made.status_code == 201, made.text
    async with asyncio.timeout(10):
        while not (listed := (await lodge.send("GET", "/api/v1/secrets")).json())["items"]:
            await asyncio.sleep(0.02)
    assert [(one["provider_type"], one["secret_ref"]) for one in listed["items"]] == [
        (kind, place.about["target_secret_ref"])
    ]
    assert A not in str(listed)


async def broken(lodge, dora, paul, place, path="", **more):
    request = await place.ask(dora, paul, path, **more)
    assert request["status"] == "failed", request
    wraps = (await lodge.send("GET", f"/api/v1/requests/{request['id']}/wraps", by=dora)).json()
    assert wraps == []
    trail = (await lodge.send("GET", f"/api/v1/audit-events?correlation_id={request['id']}")).json()
    return next(one["metadata"]["code"] for one in trail if one["action"] == "request.transition")


async def health(lodge):
    (one,) = (await lodge.send("GET", "/api/v1/provider-connections")).json()
    assert one["checked_at"]
    return one.get("health_error")


async def test_a_provider_that_refuses_or_is_gone_fails_the_request_and_says_why(lodge, dora, paul, vault):
    place = await in_vault(lodge, vault)
    vault.put("apps/db", {"A": A})
    vault.sealed = True
    assert await broken(lodge, dora, paul, place, "/read") == "secret_provider_refused"
    assert await broken(lodge, dora, paul, place, key_values={"A": "new"}) == "secret_provider_refused"
    assert (await health(lodge)).startswith("Vault answered HTTP 503.")
    vault.sealed = False
    assert await place.read(dora, paul) == {"A": A}
    assert await health(lodge) is None
    assert (await place.ask(dora, paul, "/read", target_keys=["none"]))["status"] == "failed"
    assert await health(lodge) is None
    assert vault.values("apps/db") == {"A": A}
    vault.denied.add("apps/db")
    assert await broken(lodge, dora, paul, place, "/read") == "secret_provider_refused"
    listed = (await lodge.send("GET", "/api/v1/provider-connections")).json()
    at = f"/api/v1/provider-connections/{listed[0]['id']}"
    gone = {"address": "http://127.0.0.1:9", "allow_server": True}
    assert (await lodge.send("PUT", at, {"config": gone, "credential": TOKEN})).status_code == 200
    assert await broken(lodge, dora, paul, place, "/read") == "secret_provider_unreachable"
    own = {"address": vault.url, "allow_server": True}
    assert (await lodge.send("PUT", at, {"config": own, "credential": ""})).status_code == 200
    assert await broken(lodge, dora, paul, place, "/read") == "provider_credential_missing"


async def test_another_writer_is_not_overwritten_and_the_change_is_made_after_theirs(lodge, dora, paul, vault):
    place = await in_vault(lodge, vault)
    vault.put("apps/db", {"A": "1", "B": "1"})
    once = []

    def between(asked):
        if asked.method == "POST" and not once:
            once.append(vault.put("apps/db", {"A": "1", "B": "theirs"}))

    vault.before = between
    changed = await place.ask(dora, paul, "", key_values={"A": "ours"})
    assert changed["status"] == "executed"
    assert vault.values("apps/db") == {"A": "ours", "B": "theirs"}
    vault.before = lambda asked: asked.method == "POST" and vault.put("apps/db", {"A": "theirs"})
    assert await broken(lodge, dora, paul, place, key_values={"A": "again"}) == "secret_changed_meanwhile"
    assert vault.values("apps/db") == {"A": "theirs"}


async def test_the_servers_own_worker_takes_only_what_a_connection_allows_it(lodge, dora, paul, vault):
    await connection(lodge, "vault", {"address": vault.url}, TOKEN)
    body = {"target_provider_type": "vault", "target_secret_ref": "apps/db", "justification": "x"}
    made = await lodge.send("POST", "/api/v1/requests/read", {**body, "requester_id": dora.uid}, by=dora)
    at = f"/api/v1/requests/{made.json()['id']}"
    await lodge.send("POST", f"{at}/approve", {"approver_id": paul.uid}, by=paul)
    await connection(lodge, "file", {"name": "shop"}, PASSPHRASE)
    place = Place(lodge, "file", "apps/db", None)
    assert (await place.ask(dora, paul, "", key_values={"A": "1"}))["status"] == "executed"
    assert (await lodge.send("GET", at, by=dora)).json()["status"] == "approved"
    assert vault.asked == []


async def test_only_the_organization_that_runs_the_server_may_send_it_to_addresses(lodge, vault):
    eve = await lodge.person("eve", "broker:admin", organization="org_other")
    body = {"name": "v", "provider_type": "vault", "config": {"address": vault.url, "allow_server": True}}
    refused = await lodge.refused(403, "POST", "/api/v1/provider-connections", body, by=eve)
    assert "own worker" in refused.text
    body["config"].pop("allow_server")
    made = await lodge.send("POST", "/api/v1/provider-connections", body, by=eve)
    assert made.status_code == 201, made.text
    at = f"/api/v1/provider-connections/{made.json()['id']}"
    changed = {"config": {"address": vault.url, "allow_server": True}}
    await lodge.refused(403, "PUT", at, changed, by=eve)
