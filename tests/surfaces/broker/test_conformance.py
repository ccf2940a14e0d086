"""The documented conformance run (contract: broker §14), with an agent made from the protocol alone."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter

import pytest

from surfaces.broker.wire_agent import WireAgent

ASKED = {"target_provider_type": "vault", "target_secret_ref": "apps/shop/db", "justification": "the shop is down"}


@pytest.fixture
async def dora(lodge):
    return await lodge.person("dora", "organization:developer", "broker:developer")


@pytest.fixture
async def paul(lodge):
    return await lodge.person("paul", "organization:viewer", "broker:approver")


@pytest.fixture
async def agent(lodge):
    made = await lodge.send("POST", "/api/v1/agents", {"name": "eu"})
    assert made.status_code == 201, made.text
    found = WireAgent(lodge, made.json()["id"], made.json()["agent_secret"])
    assert len(found.secret) == 43
    listed = await lodge.send("GET", "/api/v1/agents")
    assert found.secret not in listed.text
    await found.begin()
    return found


async def ask(lodge, who, path="", **more):
    answer = await lodge.send("POST", f"/api/v1/requests{path}", {**ASKED, **more, "requester_id": who.uid}, by=who)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_change_is_asked_for_agreed_to_and_carried_out_once(lodge, dora, paul, agent):
    values = {"PASSWORD": "canary-one", "USER": "canary-two"}
    made = await ask(lodge, dora, key_values=values)
    assert (made["type"], made["status"], made["target_keys"]) == ("patch", "pending", ["PASSWORD", "USER"])
    assert "canary" not in str(made)
    assert await agent.claim() is None
    request = f"/api/v1/requests/{made['id']}"
    own = await lodge.refused(403, "POST", f"{request}/approve", {"approver_id": dora.uid}, by=dora)
    assert own.json()["error"] == "requester cannot approve own request"
    await lodge.refused(
        403, "POST", f"{request}/approve", {"approver_id": lodge.ada.uid}, by=paul, says="somebody else"
    )
    agreed = await lodge.send("POST", f"{request}/approve", {"approver_id": paul.uid}, by=paul)
    assert (agreed.status_code, agreed.json()["status"]) == (200, "approved"), agreed.text
    assert agreed.json()["job_id"]
    again = await lodge.refused(409, "POST", f"{request}/approve", {"approver_id": paul.uid}, by=paul)
    assert again.json()["error"] in {"approver has already voted on this request", "request is not pending"}
    job = await agent.claim()
    assert job is not None
    assert (job["job_type"], job["correlation_id"]) == ("patch", made["id"])
    wraps = {one["key_name"]: one["wrap_id"] for one in job["payload"]["wraps"]}
    assert wraps.keys() == values.keys()
    for key, value in values.items():
        given = await agent.call("GET", f"/wraps/{wraps[key]}")
        assert given.status_code == 200, given.text
        assert agent.opened(given.json()) == value.encode()
        gone = await agent.call("GET", f"/wraps/{wraps[key]}")
        assert (gone.status_code, gone.json()["error"]) == (410, "wrap already consumed")
    assert await agent.complete(job["id"]) == 204
    assert await agent.complete(job["id"]) == 204
    ended = (await lodge.send("GET", request, by=dora)).json()
    assert ended["status"] == "executed"
    assert [one["decision"] for one in ended["approvals"]] == ["approve"]
    trail = await lodge.send("GET", f"/api/v1/audit-events?correlation_id={made['id']}")
    told = [one["action"] for one in trail.json()]
    assert {"request.submit", "request.approve", "request.transition", "job.claim", "wrap.retrieve"} <= {*told}
    assert "canary" not in trail.text


async def test_a_value_is_read_by_whoever_asked_once(lodge, dora, paul, agent):
    made = await ask(lodge, dora, "/read", target_keys=["PASSWORD"])
    request = f"/api/v1/requests/{made['id']}"
    await lodge.send("POST", f"{request}/approve", {"approver_id": paul.uid}, by=paul)
    job = await agent.claim()
    assert job is not None
    assert job["job_type"] == "read"
    delivered = await agent.deliver(made["id"], "PASSWORD", b"canary-read")
    assert delivered.status_code == 201, delivered.text
    assert await agent.complete(job["id"]) == 204
    summaries = (await lodge.send("GET", f"{request}/wraps?user_id={dora.uid}", by=dora)).json()
    assert [(one["key_name"], one["consumed"]) for one in summaries] == [("PASSWORD", False)]
    value = f"{request}/wraps/{summaries[0]['id']}"
    await lodge.refused(403, "GET", f"{value}?user_id={paul.uid}", by=paul)
    await lodge.refused(403, "GET", f"{value}?user_id={dora.uid}", by=paul)
    answers = await asyncio.gather(*(lodge.send("GET", value, by=dora) for _ in range(6)))
    assert Counter(one.status_code for one in answers) == {200: 1, 410: 5}
    given = next(one for one in answers if one.status_code == 200)
    assert base64.b64decode(given.json()["value"]) == b"canary-read"
    assert given.headers["cache-control"] == "no-store"
    summaries = (await lodge.send("GET", f"{request}/wraps", by=dora)).json()
    assert summaries[0]["consumed"] is True


async def test_what_is_refused_or_taken_back_stays_so(lodge, dora, paul, agent):
    refused = await ask(lodge, dora, key_values={"A": "x"})
    request = f"/api/v1/requests/{refused['id']}"
    await lodge.refused(400, "POST", f"{request}/reject", {"approver_id": paul.uid, "reason": " "}, by=paul)
    said = await lodge.send("POST", f"{request}/reject", {"approver_id": paul.uid, "reason": "not now"}, by=paul)
    assert (said.json()["status"], said.json()["reject_reason"]) == ("rejected", "not now")
    await lodge.refused(409, "POST", f"{request}/cancel", {"actor_id": dora.uid}, by=dora)
    taken = await ask(lodge, dora, key_values={"A": "x"})
    request = f"/api/v1/requests/{taken['id']}"
    other = await lodge.refused(403, "POST", f"{request}/cancel", {"actor_id": paul.uid}, by=paul)
    assert other.json()["error"] == "only the original requester can cancel"
    assert (await lodge.send("POST", f"{request}/cancel", {"actor_id": dora.uid}, by=dora)).json()[
        "status"
    ] == "cancelled"
    late = await lodge.refused(409, "POST", f"{request}/approve", {"approver_id": paul.uid}, by=paul)
    assert late.json()["error"] == "request is not pending"
    assert await agent.claim() is None


async def test_a_revoked_agent_is_nobody(lodge, agent):
    await lodge.do("POST", f"/api/v1/agents/{agent.id}/revoke", status=204, tells=("agent.revoke",))
    for method, path in (("POST", "/heartbeat"), ("POST", "/jobs/claim")):
        answer = await agent.call(method, path)
        assert (answer.status_code, answer.json()["error"]) == (401, "agent auth rejected")


async def test_found_secrets_are_kept_once_and_found_by_their_labels(lodge, agent):
    items = [
        {"secret_ref": "apps/a", "labels": {"team": "shop", "tier": "1"}},
        {"secret_ref": "apps/b_c", "labels": {"team": "shop"}},
    ]
    body = {"cluster_name": "eu", "provider_type": "vault", "items": items}
    first, second = [await agent.call("POST", "/secrets/bulk", body) for _ in range(2)]
    assert first.status_code == 200, first.text
    assert first.json() == second.json()
    assert first.json()["count"] == 2
    listed = (await lodge.send("GET", "/api/v1/secrets?label=team:shop&label=tier:1")).json()
    assert ([one["secret_ref"] for one in listed["items"]], listed["total"]) == (["apps/a"], 1)
    assert (await lodge.send("GET", "/api/v1/secrets?ref_prefix=apps/b%25")).json()["total"] == 0
    bad = {**body, "items": [*items, {"secret_ref": "apps/c", "value": "canary"}]}
    refused = await agent.call("POST", "/secrets/bulk", bad)
    assert refused.status_code == 400
    assert (await lodge.send("GET", "/api/v1/secrets")).json()["total"] == 2
    empty = await agent.call("POST", "/secrets/bulk", {**body, "items": []})
    assert empty.json() == {"upserted_ids": [], "count": 0}
