"""A foreign agent, written from the documented protocol alone, against the whole server."""

from __future__ import annotations

import asyncio
import re

import pytest

from fakes.secrets_agent import ClaimLost, SecretsAgent, b64
from quarterdeck.kernel import jobs
from surfaces.broker.agent_yard import NOBODY, approved, booted, minted, stands, wraps

NINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")


async def test_a_patch_goes_from_the_request_to_the_provider(crew):
    agent = await booted(crew)
    agent.backend["apps/shop"] = '{"KEPT": "1", "DB_PASSWORD": "old"}'
    request = await approved(crew, values={"DB_PASSWORD": "n\u00e9w", "API": "k"})
    assert await agent.tick() is not None
    assert agent.backend["apps/shop"] == '{"KEPT": "1", "DB_PASSWORD": "n\\u00e9w", "API": "k"}'
    assert await agent.tick() is None
    assert [one.sealed for one in await wraps(crew, request)] == [None, None]
    found = await crew.ok("GET", f"/api/v1/audit-events?correlation_id={request}")
    assert [one["action"] for one in reversed(found)] == [
        "wrap.create", "wrap.create", "job.enqueue", "job.claim", "wrap.retrieve", "wrap.retrieve", "job.complete",
        "request.transition",
    ]  # fmt: skip
    assert {one["actor"] for one in found[:5]} == {f"agent:{agent.id}"}


async def test_a_read_comes_back_in_envelopes(crew):
    agent = await booted(crew)
    agent.backend["apps/shop"] = '{"DB_PASSWORD": "found", "PORT": 5432, "OTHER": "x"}'
    request = await approved(crew, "read", keys=["DB_PASSWORD", "PORT", "MISSING"])
    await agent.tick()
    kept = await wraps(crew, request)
    assert [(one.direction, one.key_name, one.byte_length) for one in kept] == [
        ("out", "DB_PASSWORD", 5), ("out", "PORT", 4),
    ]  # fmt: skip
    assert "found" not in "".join(crew.deck.heard)


async def test_a_claim_says_what_and_until_when(crew):
    agent, request = await booted(crew), await approved(crew)
    job = await agent.claim()
    assert job.keys() == {"id", "job_type", "payload", "correlation_id", "claim_expires_at"}
    assert (job["job_type"], job["correlation_id"]) == ("patch", request)
    assert NINE.fullmatch(job["claim_expires_at"])
    assert await agent.claim() is None


async def test_heartbeats_of_both_generations_are_answered(crew):
    agent = await booted(crew)
    said = await agent.heartbeat({"status": "ok", "agent_version": "2.0", "cluster_name": "eu", "capabilities": []})
    assert (said["status"], said["next_heartbeat_seconds"]) == ("ok", 30)
    assert said["server_time"].endswith("Z")
    assert (await agent.heartbeat({}))["status"] == "ok"
    assert (await agent.call("POST", "/heartbeat", {"capabilities": "all"})).status_code == 400


async def test_who_beats_too_often_is_told_to_wait_and_others_are_not(crew):
    agent, other = await minted(crew), await minted(crew, "vault-us")
    codes = [(await agent.call("POST", "/heartbeat")).status_code for _ in range(7)]
    assert codes == [204] * 6 + [429]
    assert (await other.call("POST", "/heartbeat")).status_code == 204
    assert (await agent.call("POST", "/jobs/claim")).status_code == 204


@pytest.mark.parametrize("secret", [None, "", "wrong", "SECRETx"])
async def test_an_agent_without_its_secret_is_nobody(crew, secret):
    agent = await minted(crew)
    shown = None if secret is None else secret.replace("SECRET", agent.secret)
    headers = {} if shown is None else {"x-agent-secret": shown}
    told = "agent auth rejected" if shown else "X-Agent-Secret header required"
    for method, path in (
        ("PUT", "/public-key"), ("POST", "/heartbeat"), ("POST", "/jobs/claim"), ("POST", f"/jobs/{NOBODY}/complete"),
        ("POST", "/dek"), ("POST", "/wraps"), ("GET", f"/wraps/{NOBODY}"),
    ):  # fmt: skip
        for token in (None, ""):  # an administrator is no agent
            address = f"/api/v1/agents/{agent.id}{path}"
            answer = await crew.send(method, address, None, token=token, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, told), (method, path)


async def test_an_unknown_agent_and_a_wrong_secret_are_answered_alike(crew):
    agent = await minted(crew)
    unknown = SecretsAgent(crew.deck.client, NOBODY, agent.secret)
    wrong = SecretsAgent(crew.deck.client, agent.id, "x" * 43)
    one, other = await unknown.call("POST", "/heartbeat"), await wrong.call("POST", "/heartbeat")
    assert (one.status_code, one.json()) == (other.status_code, other.json())
    answer = await SecretsAgent(crew.deck.client, "not-an-id", agent.secret).call("POST", "/heartbeat")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("invalid agent id")


async def test_the_secret_of_an_agent_opens_no_other_route(crew):
    agent = await minted(crew)
    for method, path in (
        ("GET", "/api/v1/agents"), ("POST", f"/api/v1/agents/{agent.id}/rotate"), ("GET", "/api/v1/audit-events"),
        ("POST", f"/api/v1/agents/{agent.id}/revoke"), ("POST", "/api/v1/jobs"), ("GET", "/api/web/machines"),
    ):  # fmt: skip
        headers = {"x-agent-secret": agent.secret}
        answer = await crew.send(method, path, None, token=None, headers=headers)
        assert answer.status_code == 401, (method, path)
        answer = await crew.send(method, path, None, token=agent.secret)
        assert answer.status_code == 401, (method, path)


async def test_the_same_value_again_is_gone(crew):
    agent, request = await booted(crew), await approved(crew)
    await agent.claim()
    (wrap,) = await wraps(crew, request)
    answer = await agent.call("GET", f"/wraps/{wrap.uid}")
    assert answer.status_code == 200
    told = answer.json()
    assert told.keys() == {
        "wrap_id", "request_id", "key_name", "byte_length", "content_hash", "algorithm", "sealed",
    }  # fmt: skip
    assert (told["algorithm"], agent.opened(told)) == ("AES-256-GCM", b"s3cr3t-DB-pass!")
    again = await agent.call("GET", f"/wraps/{wrap.uid}")
    assert (again.status_code, again.json()["error"]) == (410, "wrap already consumed")
    (denied,) = await crew.ok("GET", f"/api/v1/audit-events?correlation_id={request}&action=wrap.retrieve&limit=1")
    assert (denied["status"], denied["metadata"]["error_kind"]) == ("denied", "already_consumed")


async def test_six_who_fetch_one_value_at_once_are_answered_once(crew):
    agent, request = await booted(crew), await approved(crew)
    await agent.claim()
    (wrap,) = await wraps(crew, request)
    answers = await asyncio.gather(*(agent.call("GET", f"/wraps/{wrap.uid}") for _ in range(6)))
    assert sorted(one.status_code for one in answers) == [200, 410, 410, 410, 410, 410]


async def test_without_a_key_on_file_a_value_is_not_shown_in_the_clear(crew):
    agent, request = await minted(crew), await approved(crew)
    await agent.claim()
    (wrap,) = await wraps(crew, request)
    answer = await agent.call("GET", f"/wraps/{wrap.uid}")
    assert answer.status_code == 412
    assert "value" not in answer.json()
    await agent.register()
    assert await agent.fetch(wrap.uid) == b"s3cr3t-DB-pass!"


async def test_a_value_of_another_agents_job_is_404_and_stays(crew):
    agent, other, request = await booted(crew), await booted(crew, "vault-us"), await approved(crew)
    await agent.claim()
    (wrap,) = await wraps(crew, request)
    answer = await other.call("GET", f"/wraps/{wrap.uid}")
    assert (answer.status_code, answer.json()["error"]) == (404, "wrap not found")
    await stands(crew, request, status="cancelled")
    answer = await agent.call("GET", f"/wraps/{wrap.uid}")
    assert (answer.status_code, answer.json()["error"]) == (409, "owning request is not approved")
    await stands(crew, request, status="approved")
    assert await agent.fetch(wrap.uid) == b"s3cr3t-DB-pass!"


async def test_whoever_lost_its_claim_is_told_so(crew):
    agent, other, request = await booted(crew), await booted(crew, "vault-us"), await approved(crew)
    job = await agent.claim()
    held = await crew.db.read(lambda tx: jobs.find(tx, subject=f"broker-job:{job['id']}"))
    await crew.db.write(lambda tx: jobs.take_back(tx, held.id))
    again = await other.claim()
    assert again["id"] == job["id"]
    with pytest.raises(ClaimLost) as lost:
        await agent.complete(job["id"], "succeeded")
    assert "job not owned by this agent" in str(lost.value)
    await other.complete(job["id"], "succeeded")
    await other.complete(job["id"], "succeeded")
    found = await crew.ok("GET", f"/api/v1/audit-events?correlation_id={request}&resource=job:{job['id']}")
    assert [(one["action"], one["status"]) for one in reversed(found)][-3:] == [
        ("job.complete", "denied"), ("job.complete", "success"), ("job.complete.idempotent", "success"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"status": ""}, 400),
        ({"status": "done"}, 400),
        ({"status": 7}, 400),
        ({"status": "failed", "error": 7}, 400),
        ({"status": "failed", "error": "x" * 20_000}, 400),
    ],
)
async def test_a_wrong_outcome_is_refused(crew, body, status):
    agent = await booted(crew)
    await approved(crew)
    job = await agent.claim()
    answer = await agent.call("POST", f"/jobs/{job['id']}/complete", body)
    assert answer.status_code == status, answer.text
    assert (await agent.call("POST", "/jobs/x/complete", {"status": "failed"})).status_code == 400
    answer = await agent.call("POST", f"/jobs/{NOBODY}/complete", {"status": "failed"})
    assert (answer.status_code, answer.json()["error"]) == (404, "job not found")
    await agent.complete(job["id"], "succeeded")


async def test_only_an_envelope_is_taken(crew):
    agent, request = await booted(crew), await approved(crew, "read")
    await agent.claim()
    base = {"request_id": request, "key_name": "DB_PASSWORD"}
    good = {"algorithm": "aes-256-gcm", "ciphertext": b64(bytes(20)), "nonce": b64(bytes(12)),
            "dek_ciphertext": b64(bytes(60))}  # fmt: skip
    for body in (
        base,
        {**base, "value": b64(b"clear")},
        {**base, "value": b64(b"clear"), "envelope": good},
        {**base, "envelope": good},
        {**base, "envelope": {**good, "nonce": "?"}},
        {**base, "envelope": {**good, "ciphertext": "A"}},
        {**base, "envelope": {"algorithm": "aes-256-gcm"}},
        {**base, "envelope": "x"},
        {**base, "key_name": "", "envelope": good},
        {**base, "request_id": "x", "envelope": good},
        {"envelope": good},
    ):
        answer = await agent.call("POST", "/wraps", body)
        assert answer.status_code == 400, (body, answer.text)
        assert b64(b"clear") not in answer.text
    assert await wraps(crew, request) == []
    answer = await agent.deliver(NOBODY, "DB_PASSWORD", b"x")
    assert (answer.status_code, answer.json()["error"]) == (404, "request not found")
    answer = await agent.deliver(request, "DB_PASSWORD", b"x")
    assert answer.status_code == 201
    assert answer.json().keys() == {
        "wrap_id", "request_id", "key_name", "byte_length", "content_hash", "expires_at",
    }  # fmt: skip
    answer = await agent.deliver(request, "DB_PASSWORD", b"x")
    assert answer.status_code == 409


async def test_a_body_that_is_too_large_is_not_read(crew):
    agent = await booted(crew)
    answer = await agent.call("POST", "/wraps", {"request_id": NOBODY, "key_name": "x" * 700_000})
    assert answer.status_code == 413
    answer = await agent.call("GET", "/wraps/not-an-id")
    assert answer.status_code == 400


async def test_an_agent_of_another_organization_reaches_nothing_here(crew):
    _, eve = await crew.person("eve", "broker:admin", organization="org_elsewhere")
    made = await crew.ok("POST", "/api/v1/agents", {"name": "vault-eu"}, status=201, token=eve)
    stranger = SecretsAgent(crew.deck.client, made["id"], made["agent_secret"])
    await stranger.boot()
    agent, request = await booted(crew), await approved(crew)
    assert await stranger.claim() is None
    job = await agent.claim()
    (wrap,) = await wraps(crew, request)
    assert (await stranger.call("GET", f"/wraps/{wrap.uid}")).status_code == 404
    assert (await stranger.call("POST", f"/jobs/{job['id']}/complete", {"status": "failed"})).status_code == 404


async def test_jobs_by_hand_reach_agents_and_those_of_requests_are_refused(crew):
    agent = await booted(crew)
    body = {"job_type": "discover", "payload": {"target_provider_type": "vault", "scope": "apps/"}}
    made = await crew.ok("POST", "/api/v1/jobs", body, status=201)
    assert made == {"id": made["id"], "correlation_id": made["correlation_id"], "status": "queued"}
    assert await agent.tick() == made["id"]
    for wrong in (
        {"job_type": ""}, {"job_type": "patch"}, {"job_type": "read"}, {"job_type": "x"}, {},
        {"job_type": "verify", "payload": {"target_provider_config": {"address": "http://10.0.0.1"}}},
        {"job_type": "verify", "correlation_id": "x"}, {"job_type": "verify", "agent_scope": {"cluster": []}},
        {"job_type": "verify", "payload": []},
    ):  # fmt: skip
        answer = await crew.send("POST", "/api/v1/jobs", wrong)
        assert answer.status_code == 400, (wrong, answer.text)
    answer = await crew.send("POST", "/api/v1/jobs", {"job_type": "verify", "request_id": NOBODY})
    assert answer.status_code == 404
    assert await agent.claim() is None
