"""What the caller may do, and what is recorded of usage, overlays and route surfaces."""

from __future__ import annotations

import pytest

from support.deck import HOME
from support.people import joins, noted, person, personal_token

USAGE = {"idempotencyKey": "one", "capabilityKey": "builds", "source": "meter"}
OVERLAY = {"operationKey": "deployments.create", "source": "policy"}
SURFACE = {**OVERLAY, "surfaceKind": "public"}
RECORDS = [("deployment-overlays", OVERLAY), ("route-surfaces", SURFACE), ("usage-intents", USAGE)]


async def asked(deck, *queries, **rest):
    return (await deck.do("capabilities.query", {"queries": list(queries)}, **rest))["capabilities"]


async def test_a_capability_is_answered_as_the_route_would_decide(deck):
    bob = await person(deck, "viewer")
    keys = ["projects.list", "projects.create", "organizations.delete", "auth.bootstrap-status", "nothing.at-all"]
    mine = await asked(deck, *({"operationKey": key} for key in keys))
    assert [one["allowed"] for one in mine] == [True, True, True, True, False]
    assert mine[0] == {
        "operationKey": "projects.list", "allowed": True, "mode": "unrestricted", "hint": "enabled",
        "reason": "operation-capability-allowed",
    }  # fmt: skip
    assert mine[4] == {
        "operationKey": "nothing.at-all", "allowed": False, "mode": "denied", "hint": "hidden",
        "reason": "operation-unknown",
    }  # fmt: skip
    theirs = await asked(deck, *({"operationKey": key} for key in keys), token=bob.token)
    assert [one["allowed"] for one in theirs] == [True, False, False, True, False]
    said = theirs[1]["details"]
    assert (said["permission"], said["organizationId"]) == ("deploy:projects.create", HOME)
    assert "admin" in said["explanation"]
    assert "owner" in said["remedy"]


async def test_a_capability_is_asked_of_an_organization_and_of_things(deck):
    acme = (await deck.send("POST", "/api/organizations", {"name": "Acme"})).json()["organizationId"]
    bob = await person(deck, "viewer")
    await joins(deck, bob, "admin", acme)
    project, environment = await deck.place()
    resource = await deck.resource((project, environment))
    stranger = await deck.member("owner", "org_elsewhere")
    theirs = await deck.project("Theirs", token=stranger)
    query = {"operationKey": "projects.archive"}

    async def answers(*queries, **rest):
        return [(one["allowed"], one["reason"]) for one in await asked(deck, *queries, **rest)]

    assert await answers(query, {**query, "organizationId": acme}, {**query, "organizationId": "org_elsewhere"},
                         token=bob.token) == [
        (False, "operation-capability-denied"), (True, "operation-capability-allowed"),
        (False, "organization-not-visible"),
    ]  # fmt: skip
    refs = [{"projectId": project}, {"resourceId": resource, "environmentId": environment}, {"projectId": theirs},
            {"projectId": project, "serverId": "srv_x"}, {"somethingElse": "x"}]  # fmt: skip
    found = await answers(*({**query, "resourceRefs": one} for one in refs))
    assert [one[0] for one in found] == [True, True, False, False, True]
    assert found[2] == (False, "resource-not-visible")
    # Things of one organization are not there in another.
    (one,) = await answers({**query, "organizationId": acme, "resourceRefs": {"projectId": project}})
    assert one == (False, "resource-not-visible")


async def test_a_token_answers_within_what_it_may(deck):
    laptop = await personal_token(deck, await person(deck, "admin"))
    (one,) = await asked(deck, {"operationKey": "projects.list"}, token=laptop)
    assert (one["allowed"], one["mode"]) == (True, "unrestricted")


async def test_entitlements_are_allowed_by_default(deck):
    queries = [{"capabilityKey": "builds", "organizationId": HOME}, {"capabilityKey": "seats", "tenantId": "t"}]
    found = (await deck.do("entitlements.query", {"queries": queries}))["entitlements"]
    assert found[0] == {
        "capabilityKey": "builds", "entitled": True, "status": "entitled", "mode": "unrestricted", "hint": "enabled",
        "reason": "entitlement-default-allow", "source": "default",
        "details": {"capabilityKey": "builds", "tenantId": "tenant_instance"},
    }  # fmt: skip
    assert found[1]["details"]["tenantId"] == "t"


@pytest.mark.parametrize("key", ["capabilities.query", "entitlements.query"])
async def test_malformed_questions_are_refused(deck, key):
    word = "operationKey" if key.startswith("cap") else "capabilityKey"
    for queries in ([], [{}], [{word: ""}], [{word: "x"}] * 101, "x", [{word: "x", "resourceRefs": {"a": 1}}]):
        await deck.malformed(key, {"queries": queries})
    await deck.malformed(key, {})


async def test_usage_is_recorded_once_for_each_key(deck):
    body = {
        **USAGE, "quantity": {"value": 2.5, "unit": "minutes"}, "accountId": "acc", "tenantId": "t",
        "occurredAt": "2026-05-31T12:00:00+02:00", "attributes": {"a": [1, None]}, "resourceRefs": {"projectId": "p"},
    }  # fmt: skip
    answer, events = await noted(deck, "usage-intents.record", body)
    assert answer.status_code == 202, answer.text
    first = answer.json()["result"]
    assert (first["accepted"], first["duplicate"], first["status"]) == (True, False, "accepted")
    record = first["record"]
    assert record["occurredAt"] == "2026-05-31T10:00:00.000Z"
    assert (record["attributes"], record["quantity"]) == ({"a": [1, None]}, {"value": 2.5, "unit": "minutes"})
    assert (record["organizationId"], record["tenantId"]) == (HOME, "t")
    assert [(one["action"], one["resource_id"]) for one in events] == [("usage-intent.recorded", record["id"])]
    again, events = await noted(deck, "usage-intents.record", body)
    told = again.json()["result"]
    assert (told["duplicate"], told["status"], told["record"], events) == (True, "duplicate", record, [])
    other = {**body, "quantity": {"value": 3, "unit": "minutes"}}
    await deck.refused(409, "conflict", "usage-intents.record", other)
    # Without a time of its own a repetition is one still.
    plain = {**USAGE, "idempotencyKey": "two"}
    await deck.do("usage-intents.record", plain)
    assert (await deck.do("usage-intents.record", plain))["result"]["duplicate"] is True
    assert len((await deck.do("usage-intents.list"))["records"]) == 2


@pytest.mark.parametrize(("room", "body"), RECORDS[:2])
async def test_a_decision_is_recorded_and_stops_nobody(deck, room, body):
    answer, events = await noted(deck, f"{room}.record", {**body, "capabilityKey": "c"})
    result = answer.json()["result"]
    assert (answer.status_code, result["decision"], result["allowed"]) == (202, "skipped", True)
    assert [(one["action"], one["resource_id"]) for one in events] == [
        (f"{room.removesuffix('s')}.recorded", result["record"]["id"])
    ]
    assert (await deck.do(f"{room}.list"))["records"] == [result["record"]]


@pytest.mark.parametrize(("room", "body"), RECORDS)
async def test_records_are_narrowed_and_are_one_organizations_own(deck, room, body):
    acme = (await deck.send("POST", "/api/organizations", {"name": "Acme"})).json()["organizationId"]
    await deck.do(f"{room}.record", {**body, "accountId": "a"})
    await deck.do(f"{room}.record", {**body, "accountId": "b", "source": "other", "idempotencyKey": "two"})
    await deck.do(f"{room}.record", {**body, "organizationId": acme})

    async def accounts(**query):
        found = (await deck.do(f"{room}.list", query=query))["records"]
        return [one.get("accountId") for one in found]

    assert await accounts() == ["b", "a"]
    assert await accounts(limit=1) == ["b"]
    assert await accounts(accountId="a") == ["a"]
    assert await accounts(source="other") == ["b"]
    assert await accounts(tenantId="tenant_instance") == ["b", "a"]
    assert await accounts(tenantId="elsewhere") == []
    assert await accounts(organizationId=acme) == [None]
    stranger = await deck.member("owner", "org_elsewhere")
    assert (await deck.do(f"{room}.list", token=stranger))["records"] == []
    await deck.malformed(f"{room}.list", query={"limit": 501})


@pytest.mark.parametrize(("room", "body"), RECORDS)
async def test_records_that_cannot_be_are_refused(deck, room, body):
    key = f"{room}.record"
    bob = await person(deck, "admin")
    for actor in ({"userId": bob.id}, {"email": bob.email}, {"userId": "x"}):
        await deck.refused(403, "operation_authorization_denied", key, {**body, "actor": actor})
    for wrong in ({"source": "x" * 201}, {"accountId": "x" * 201}, {"attributes": {"a": "x" * 20_000}}):
        await deck.refused(400, "validation_error", key, {**body, **wrong})
    for wrong in ({"source": ""}, {"actor": 1}, {"resourceRefs": {"projectId": 1}}, {"attributes": []}):
        await deck.malformed(key, {**body, **wrong})
    if room == "usage-intents":
        for wrong in ({"occurredAt": "then"}, {"quantity": {"value": 0, "unit": "x"}}, {"idempotencyKey": None}):
            await deck.malformed(key, {**body, **wrong})
    assert (await deck.do(f"{room}.list"))["records"] == []
    own = {"kind": "user", "userId": bob.id, "email": bob.email}
    made = await deck.do(key, {**body, "actor": own}, token=bob.token)
    assert made["result"]["record"]["actor"] == own
