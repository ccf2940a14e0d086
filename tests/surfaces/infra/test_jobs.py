"""Infrastructure jobs as the clients of the contract ask for them (contract: infra §1.3)."""

from __future__ import annotations

import uuid

import httpx
import pytest

from quarterdeck.infra.work import lines, reading
from quarterdeck.kernel.http.seats import Seats
from quarterdeck.surfaces.infra import job_logs

DOCUMENT = {
    "project_name": "ledger", "environment_stage": "staging", "region": "here", "provider": "local",
    "terraform_version": "1.11.4",
}  # fmt: skip
NOBODY = "00000000-0000-4000-8000-000000000000"
BOTH = {
    "zone_id": "vineyard_id", "spec_id": "configuration_id", "worker_id": "runner_id", "worker_name": "runner_name",
    "assigned_worker_id": "assigned_runner_id", "spec_name": "vine_name",
}  # fmt: skip


async def spec(crew, name="ledger", **more):
    made = await crew.ok("POST", "/api/cli/configurations", {**DOCUMENT, "project_name": name, **more}, status=201)
    return made["configuration"]["id"]


async def asked(crew, job_type="PLAN", about=None, **more):
    body = {"job_type": job_type, "configuration_id": about or await spec(crew), "zone_id": "", **more}
    return (await crew.ok("POST", "/api/jobs", body, status=201))["job"]


async def program(crew):
    """A token as the documented program has it."""
    made = {"device_code": str(uuid.uuid4())}
    await crew.ok("POST", "/api/auth/cli/generate", made)
    return (await crew.ok("POST", "/api/auth/cli/exchange", made, token=None))["access_token"]


async def runner(crew, name="rack-7"):
    made = await crew.ok("POST", "/api/cli/workers", {"name": name, "mode": "self-hosted"}, status=201)
    return {"x-worker-id": made["worker_id"], "x-worker-token": made["worker_token"]}


async def call(crew, headers, method, path, body=None, status=200):
    return await crew.ok(method, path, body, status=status, token=None, headers=headers)


async def refused(crew, status, method, path, body=None, **options):
    """In the envelope of the surface, and nothing has happened."""
    before = await crew.told()
    answer = await crew.send(method, path, body, **options)
    assert answer.status_code == status, answer.text
    assert [one for one in (await crew.told())[len(before) :] if one["outcome"] == "success"] == []
    return answer.json()["error"]


async def test_a_job_goes_from_the_cli_to_a_runner_and_back(crew):
    token, rack = await program(crew), await runner(crew)
    about = await spec(crew)
    body = {"job_type": "PLAN", "configuration_id": about, "zone_id": "", "assigned_worker_id": rack["x-worker-id"]}
    before = len(await crew.told())
    made = (await crew.ok("POST", "/api/jobs", body, status=201, token=token))["job"]
    assert [one["action"] for one in (await crew.told())[before:]] == ["infra-job.created"]
    uid = made["id"]
    assert (made["status"], made["waits_for"], made["attempts"]) == ("QUEUED", "runner", 0)
    assert len(made["configuration_hash"]) == 64
    assert {"id", "vineyard_id", "zone_id", "network", "cluster", "provider"} <= made["config_snapshot"].keys()
    claimed = await call(crew, rack, "POST", "/api/jobs/claim")
    assert (claimed["job"]["id"], claimed["job"]["status"], claimed["cloud_identity"]) == (uid, "CLAIMED", None)
    assert (await call(crew, rack, "POST", "/api/jobs/claim"))["job"] is None
    put = f"/api/jobs/{uid}/status"
    assert await call(crew, rack, "PUT", put, {"status": "PROCESSING", "execution_metadata": {"phase": "p"}}) == {
        "success": True, "applied": True,
    }  # fmt: skip
    await call(crew, rack, "POST", f"/api/jobs/{uid}/logs", {"log_chunk": "Planning…\nDone\n"}, status=201)
    shown = await crew.ok("GET", f"/api/cli/jobs/{uid}", token=token)
    assert (shown["status"], shown["worker_name"], shown["execution_metadata"]) == (
        "PROCESSING",
        "rack-7",
        {"phase": "p"},
    )
    assert all(shown[one] == shown[other] for one, other in BOTH.items())
    assert shown["started_at"].endswith("Z")
    assert "T" in shown["started_at"]
    await call(crew, rack, "PUT", put, {"status": "SUCCESS"})
    await call(crew, rack, "POST", f"/api/jobs/{uid}/logs", {"log_chunk": "bye\n", "stream_type": "SYSTEM"}, status=201)
    logs = (await crew.ok("GET", f"/api/cli/jobs/{uid}/logs", token=token))["logs"]
    assert [(one["id"], one["log_chunk"], one["stream_type"], one["job_id"]) for one in logs] == [
        (2, "Planning…\nDone\n", "STDOUT", uid), (3, "bye\n", "SYSTEM", uid),
    ]  # fmt: skip
    assert (await crew.ok("GET", f"/api/cli/jobs/{uid}/logs?after=2", token=token))["logs"] == logs[1:]
    assert await call(crew, rack, "GET", f"/api/jobs/{uid}/logs?after=2") == {"logs": logs[1:], "more": False}
    assert (await crew.ok("GET", f"/api/cli/jobs/{uid}"))["status"] == "SUCCESS"
    listed = await call(crew, rack, "GET", "/api/jobs")
    assert [one["id"] for one in listed["jobs"]] == [uid]


async def test_who_asks_decides_whose_jobs_are_listed(crew):
    first, second = await asked(crew), await asked(crew, about=await spec(crew, "other"))
    token = await program(crew)
    page = await crew.ok("GET", "/api/jobs", token=token)
    assert ([one["id"] for one in page["jobs"]], page["total"]) == ([second["id"], first["id"]], 2)
    assert (page["limit"], page["offset"]) == (20, 0)
    assert (await crew.ok("GET", "/api/jobs?surface=infra"))["total"] == 2
    assert await crew.ok("GET", "/api/jobs") == {"jobs": [], "total": 0, "limit": 20, "offset": 0}
    assert (await crew.ok("GET", "/api/jobs?surface=runbooks", token=token))["total"] == 0
    rest = await crew.ok("GET", "/api/jobs?limit=1&offset=1", token=token)
    assert ([one["id"] for one in rest["jobs"]], rest["total"], rest["limit"]) == ([first["id"]], 2, 1)
    assert (await crew.ok("GET", "/api/jobs?limit=5000", token=token))["limit"] == 100


async def test_a_list_is_narrowed(crew):
    zone = (await crew.ok("POST", "/api/cli/zones", {"name": "payments"}))["zone"]["id"]
    mine = await asked(crew, about=await spec(crew, "inside", zone_id=zone))
    other = await asked(crew, about=await spec(crew, "outside"))
    await crew.ok("POST", f"/api/cli/jobs/{other['id']}/cancel", None)
    for query, found in (
        (f"zone_id={zone}", [mine]), (f"vineyard_id={zone}", [mine]), ("status=QUEUED", [mine]),
        ("status=cancelled", [other]), ("status=nonsense", []), ("job_type=PLAN", [other, mine]), ("q=outs", [other]),
        (f"spec_id={mine['spec_id']}", [mine]), ("mine=true", [other, mine]), (f"zone_id={NOBODY}", []),
        ("zone_id=&status=", [other, mine]),
    ):  # fmt: skip
        page = await crew.ok("GET", f"/api/jobs?surface=infra&{query}")
        assert [one["id"] for one in page["jobs"]] == [one["id"] for one in found], query
        assert page["total"] == len(found)


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({}, 400, "job_type is required"),
        ({"job_type": ""}, 400, "job_type is required"),
        ({"job_type": "SCAN"}, 400, "job_type must be one of: DEPLOY, DESTROY, PLAN, DESTROY_WORKER"),
        ({"job_type": "CONNECTION_TEST"}, 400, "job_type must be one of: DEPLOY, DESTROY, PLAN, DESTROY_WORKER"),
        ({"job_type": "DEPLOY"}, 400, "configuration_id is required for DEPLOY and PLAN jobs"),
        ({"job_type": "PLAN", "configuration_id": ""}, 400, "configuration_id is required for DEPLOY and PLAN jobs"),
        ({"job_type": "PLAN", "configuration_id": NOBODY}, 404, "Configuration not found"),
        ({"job_type": "DESTROY_WORKER", "config_snapshot": {}}, 400, "worker_id is required"),
        ({"job_type": "DESTROY_RUNNER", "config_snapshot": {"runner_id": NOBODY}}, 404, "Worker not found"),
        ({"job_type": 5}, 400, ""),
        ({"job_type": "PLAN", "config_snapshot": []}, 400, ""),
    ],
)
async def test_wrong_input_is_told_and_changes_nothing(crew, body, status, text):
    assert text in await refused(crew, status, "POST", "/api/jobs", body)
    assert (await crew.ok("GET", "/api/jobs?surface=infra"))["total"] == 0


async def test_references_that_are_nobodys_are_not_found(crew):
    about = await spec(crew)
    for more, text in (
        ({"assigned_worker_id": NOBODY}, "Worker not found"), ({"assigned_runner_id": NOBODY}, "Worker not found"),
        ({"plan_job_id": NOBODY}, "Job not found"), ({"cloud_identity_id": NOBODY}, "Cloud identity not found"),
    ):  # fmt: skip
        body = {"job_type": "DEPLOY", "configuration_id": about, **more}
        assert text in await refused(crew, 404, "POST", "/api/jobs", body)
    for method, path in (
        ("GET", ""), ("GET", "/logs"), ("POST", "/cancel"), ("POST", "/rerun"), ("POST", "/pin"),
    ):  # fmt: skip
        assert "Job not found" in await refused(crew, 404, method, f"/api/cli/jobs/{NOBODY}{path}", None)
    assert "Job not found" in await refused(crew, 404, "GET", f"/api/stream/jobs/{NOBODY}")
    for strange in ("x", "%00", "a" * 300, "..%2f"):
        assert (await crew.send("GET", f"/api/cli/jobs/{strange}")).status_code in {400, 404}


async def test_a_job_is_cancelled_with_the_body_that_the_cli_sends(crew):
    job = await asked(crew)
    answer = await crew.deck.client.post(
        f"/api/cli/jobs/{job['id']}/cancel", content=b"null",
        headers={"authorization": f"Bearer {crew.deck.token}", "content-type": "application/json"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert "CANCELLED" in await refused(crew, 400, "POST", f"/api/cli/jobs/{job['id']}/cancel")
    shown = await crew.ok("GET", f"/api/cli/jobs/{job['id']}")
    assert (shown["status"], shown["error_message"]) == ("CANCELLED", "Cancelled by ada.")
    assert shown["completed_at"]


async def test_a_job_is_rerun_and_pinned(crew):
    rack = await runner(crew)
    job = await asked(crew)
    await refused(crew, 409, "POST", f"/api/cli/jobs/{job['id']}/rerun", {})
    await crew.ok("POST", f"/api/cli/jobs/{job['id']}/cancel", {"reason": "later"})
    fresh = await crew.once("infra-job.created", "POST", f"/api/cli/jobs/{job['id']}/rerun", {}, status=201)
    uid = fresh["job"]["id"]
    assert (fresh["job"]["rerun_of_id"], fresh["job"]["job_type"]) == (job["id"], "PLAN")
    where = {"assigned_runner_id": rack["x-worker-id"]}
    pinned = await crew.once("infra-job.pinned", "POST", f"/api/cli/jobs/{uid}/pin", where)
    assert pinned["job"]["assigned_worker_id"] == rack["x-worker-id"]
    freed = await crew.ok("POST", f"/api/cli/jobs/{uid}/pin", {"assigned_worker_id": None})
    assert freed["job"]["assigned_worker_id"] is None
    await refused(crew, 404, "POST", f"/api/cli/jobs/{uid}/pin", {"assigned_worker_id": NOBODY})


async def test_the_same_key_makes_one_job(crew):
    about, key = await spec(crew), {"Idempotency-Key": "once"}
    body = {"job_type": "PLAN", "configuration_id": about}
    first, second = [await crew.ok("POST", "/api/jobs", body, status=201, headers=key) for _ in range(2)]
    assert first["job"]["id"] == second["job"]["id"]
    await refused(crew, 409, "POST", "/api/jobs", {**body, "job_type": "DESTROY"}, headers=key)


async def test_roles_do_what_they_may(crew):
    about, job = await spec(crew), await asked(crew, about=await spec(crew, "theirs"))
    _, viewer = await crew.person("vic", "organization:viewer")
    _, developer = await crew.person("dan", "organization:developer")
    _, billing = await crew.person("bea", "organization:billing")
    for job_type in ("PLAN", "DEPLOY", "DESTROY"):
        body = {"job_type": job_type, "configuration_id": about}
        await refused(crew, 403, "POST", "/api/jobs", body, token=viewer)
    snapshot = {"worker_id": NOBODY}
    await refused(
        crew, 403, "POST", "/api/jobs", {"job_type": "DESTROY_WORKER", "config_snapshot": snapshot}, token=developer
    )
    await crew.ok("GET", f"/api/cli/jobs/{job['id']}", token=viewer)
    await refused(crew, 403, "GET", f"/api/cli/jobs/{job['id']}", token=billing)
    await refused(crew, 403, "GET", "/api/jobs?surface=infra", token=billing)
    await refused(crew, 403, "POST", f"/api/cli/jobs/{job['id']}/cancel", {}, token=viewer)
    assert "somebody else's" in await refused(
        crew, 403, "POST", f"/api/cli/jobs/{job['id']}/cancel", {}, token=developer
    )
    for path in ("rerun", "pin"):
        await refused(crew, 403, "POST", f"/api/cli/jobs/{job['id']}/{path}", {}, token=viewer)
    await refused(crew, 401, "GET", "/api/jobs", token=None)


async def test_another_organization_sees_and_does_nothing(crew):
    job = await asked(crew)
    _, stranger = await crew.person("sue", "organization:owner", organization="org_elsewhere")
    for method, path in (
        ("GET", ""), ("GET", "/logs"), ("POST", "/cancel"), ("POST", "/rerun"), ("POST", "/pin"),
    ):  # fmt: skip
        await refused(crew, 404, method, f"/api/cli/jobs/{job['id']}{path}", None, token=stranger)
    assert (await crew.ok("GET", "/api/jobs?surface=infra", token=stranger))["total"] == 0
    body = {"job_type": "PLAN", "configuration_id": job["spec_id"]}
    await refused(crew, 404, "POST", "/api/jobs", body, token=stranger)


async def follow(crew, path, **headers):
    """The events of a stream until it ends."""
    sent = {"authorization": f"Bearer {crew.deck.token}", **headers}
    answer = await crew.deck.client.get(path, headers=sent)
    assert answer.status_code == 200, answer.text
    found = []
    for block in answer.text.split("\n\n"):
        told = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if told:
            found.append((told["event"], told.get("id"), httpx.Response(200, content=told["data"]).json()))
    return found


@pytest.fixture
def hasty(monkeypatch):
    """Nobody waits for last lines."""
    monkeypatch.setattr(lines, "LINGER", lines.LINGER * 0)


async def test_a_log_is_followed_and_resumed(crew, hasty):
    job = await asked(crew)
    uid = job["id"]
    logs = crew.deck.instance.logs
    for text in ("one\n", "two\n"):
        await lines.take(logs, uid, text, "STDOUT", crew.db.clock.now())
    await lines.take(logs, uid, "bad\n", "STDERR", crew.db.clock.now())
    await crew.ok("POST", f"/api/cli/jobs/{uid}/cancel", {})
    path = f"/api/stream/jobs/{uid}"
    events = await follow(crew, path)
    assert [(kind, number) for kind, number, _ in events] == [("message", "2"), ("message", "3"), ("done", None)]
    assert events[0][2]["log_chunk"] == "one\ntwo\n"
    assert events[0][2].keys() == {"id", "job_id", "log_chunk", "stream_type", "created_at"}
    assert events[-1][2] == {"status": "CANCELLED"}
    for resumed in (await follow(crew, f"{path}?after=2"), await follow(crew, path, **{"last-event-id": "2"})):
        assert [number for _, number, _ in resumed] == ["3", None]
    assert [number for _, number, _ in await follow(crew, path, **{"last-event-id": "x"})] == ["2", "3", None]


async def test_streams_are_bounded_and_give_their_places_back(crew, monkeypatch, hasty):
    job = await asked(crew)
    await crew.ok("POST", f"/api/cli/jobs/{job['id']}/cancel", {})
    seats = Seats("logs", per_caller=1, total=2)
    monkeypatch.setattr(job_logs, "SEATS", seats)
    path = f"/api/stream/jobs/{job['id']}"
    for _ in range(3):
        assert (await follow(crew, path))[-1][0] == "done"
    others = [seats.take(one) for one in ("somebody", "else")]
    answer = await crew.send("GET", path)
    assert answer.status_code == 429
    assert "error" in answer.json()
    others[0].leave()
    assert (await follow(crew, path))[-1][0] == "done"
    head = await crew.deck.client.head(path, headers={"authorization": f"Bearer {crew.deck.token}"})
    assert head.status_code == 200
    seats.take("somebody")


async def test_a_list_shows_no_long_metadata(crew):
    job = await asked(crew)

    def fill(tx):
        row = reading.anybodys(tx, job["id"])
        row.execution_metadata = {"plan_result": {"x": "y" * 50_000}, "phase": "plan"}

    await crew.db.write(fill)
    (listed,) = (await crew.ok("GET", "/api/jobs?surface=infra"))["jobs"]
    assert listed["execution_metadata"] == {"phase": "plan", "truncated": True}
    assert len((await crew.ok("GET", f"/api/cli/jobs/{job['id']}"))["execution_metadata"]["plan_result"]["x"]) == 50_000
