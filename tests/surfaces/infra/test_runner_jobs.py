"""Foreign runners of both generations work on jobs by the documented calls."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import select

from quarterdeck.infra.work.model import InfraJob
from surfaces.infra.runner_yard import (
    DOCUMENT,
    GENERATIONS,
    NOBODY,
    SECRET,
    asked,
    cloud_runner,
    configured,
    job,
    logs,
    runner,
)


@GENERATIONS
async def test_an_idle_claim_is_answered_200_with_no_job_and_is_a_sign_of_life(crew, generation):
    made = await runner(crew, generation=generation)
    answer = await made.send("POST", "/api/jobs/claim", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (200, {"job": None, "cloud_identity": None})
    found = (await crew.ok("GET", f"/api/cli/workers/{made.id}"))["worker"]
    assert found["status"] == "ONLINE"


@GENERATIONS
async def test_a_plan_is_made_by_the_documented_calls(crew, generation):
    made, spec = await runner(crew, generation=generation), await configured(crew)
    await made.heartbeat()
    queued = await asked(crew, "PLAN", spec)
    claimed = await made.claim()
    assert (claimed["id"], claimed["status"], claimed["worker_id"], claimed["runner_id"]) == (
        queued["id"], "CLAIMED", made.id, made.id
    )  # fmt: skip
    assert claimed["cloud"] is None
    assert {"vineyard_id", "zone_id", "network", "cluster"} <= claimed["config_snapshot"].keys()
    assert (await crew.ok("GET", f"/api/cli/workers/{made.id}"))["worker"]["current_job_id"] == queued["id"]
    change = {"address": "x.y", "type": "x", "name": "y", "change": {"actions": ["create"], "after": {}}}
    await made.plan(claimed, [change])
    found = await job(crew, queued["id"])
    assert found["status"] == "SUCCESS"
    assert found["execution_metadata"]["plan_summary"]["create"] == 1
    assert found["execution_metadata"]["phase"] == "terraform_plan"
    told = await logs(crew, queued["id"])
    assert told[0] == ("STDOUT", "Initializing the backend...\n")
    assert ("STDERR", "a warning\n") in told
    assert told[-1] == ("STDOUT", "the last lines come after the end\n")
    assert not [line for line in made.log if "dropped" in line]
    assert await made.claim() is None


async def test_a_job_is_given_once_to_however_many_ask_at_once(crew):
    several = [await runner(crew, f"rack-{number}") for number in range(6)]
    queued = await asked(crew, "PLAN", await configured(crew))
    claimed = await asyncio.gather(*(one.claim() for one in several))
    assert [one["id"] for one in claimed if one] == [queued["id"]]


async def test_a_draining_runner_gets_nothing_until_it_is_undrained(crew):
    made = await runner(crew)
    await asked(crew, "PLAN", await configured(crew))
    await crew.ok("POST", f"/api/cli/workers/{made.id}/drain", {})
    assert await made.claim() is None
    await crew.ok("POST", f"/api/cli/workers/{made.id}/drain", {"draining": False})
    assert await made.claim() is not None


async def test_jobs_pinned_elsewhere_and_of_another_organization_are_never_given(crew):
    mine, other = await runner(crew), await runner(crew, "rack-8")
    _, eve = await crew.person("eve", "organization:owner", organization="org_elsewhere")
    spec = await configured(crew, token=eve)
    await asked(crew, "PLAN", spec, token=eve)
    pinned = await asked(crew, "PLAN", await configured(crew), assigned_runner_id=other.id)
    assert await mine.claim() is None
    assert (await other.claim())["id"] == pinned["id"]
    assert (await (await cloud_runner(crew)).claim())["user_id"] != pinned["user_id"]


async def test_a_runner_reaches_no_job_but_its_own(crew):
    mine, other = await runner(crew), await runner(crew, "rack-8")
    _, eve = await crew.person("eve", "organization:owner", organization="org_elsewhere")
    stranger = await runner(crew, "rack-9", token=eve)
    queued = await asked(crew, "PLAN", await configured(crew))
    assert await mine.claim() is not None
    before = await job(crew, queued["id"])
    path = f"/api/jobs/{queued['id']}"
    for who, code in ((other, 409), (stranger, 404)):
        for status in ("PROCESSING", "SUCCESS", "FAILED", "CANCELLED"):
            answer = await who.send("PUT", f"{path}/status", json={"status": status})
            assert answer.status_code == code, answer.text
        answer = await who.send("POST", f"{path}/logs", json={"log_chunk": "forged\n"})
        assert answer.status_code == code
        for method, rest in (("GET", ""), ("GET", "/logs")):
            assert (await who.send(method, path + rest)).status_code == 404
        assert (await who.send("POST", f"{path}/git-token")).status_code == (403 if code == 409 else 404)
    assert await job(crew, queued["id"]) == before
    assert await logs(crew, queued["id"]) == []


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({}, 400, "status is required"),
        ({"status": ""}, 400, "status is required"),
        ({"status": None}, 400, "status is required"),
        ({"status": "QUEUED"}, 400, "status must be one of"),
        ({"status": "success"}, 400, "status must be one of"),
        ({"status": 7}, 400, "status"),
        ({"status": "PROCESSING", "execution_metadata": []}, 400, "execution_metadata"),
        ({"status": "PROCESSING", "execution_metadata": {"a": "x" * 300_000}}, 400, "256 KiB"),
    ],
)
async def test_a_wrong_report_is_refused_and_changes_nothing(crew, body, status, told):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    before = await job(crew, queued["id"])
    answer = await made.send("PUT", f"/api/jobs/{queued['id']}/status", json=body)
    assert answer.status_code == status, answer.text
    assert told in answer.json()["error"]
    assert await job(crew, queued["id"]) == before


@pytest.mark.parametrize(
    "body",
    [
        b'{"status": "FAILED", "error_message": "a\\u0000b \\ud800 c"}',
        b'{"status": "FAILED", "error_message": "a\xff b"}',
        b'{"status": "FAILED", "error_message": "' + b"x" * 3_000_000 + b'"}',
        b'{"status": "FAILED", "execution_metadata": {"deep": ' + b"[" * 100 + b"]" * 100 + b"}}",
        b'{"status": "FAILED", "execution_metadata": {"outputs": {"a": "' + b"x" * 300_000 + b'"}}}',
        b'{"status": "FAILED", "execution_metadata": {"plan_result": {"resource_drift":[{"change":{"actions":[7]}}]}}}',
    ],
    ids=["nul", "bytes", "long", "deep", "outputs", "actions"],
)
async def test_an_end_is_heard_whatever_its_texts_are(crew, body):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    path = f"/api/jobs/{queued['id']}/status"
    answer = await made.send("PUT", path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text
    found = await job(crew, queued["id"])
    assert found["status"] == "FAILED"
    assert "\x00" not in json.dumps(found)


async def test_a_plan_with_all_of_terraforms_own_changes_is_taken(crew):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    same = {"tags": {f"t{at}": "v" * 60 for at in range(60)}}
    changes = [
        {"address": f"x.y[{at}]", "type": "x", "change": {"actions": ["no-op"], "before": same, "after": same}}
        for at in range(600)
    ]
    assert len(json.dumps(changes)) > 5_000_000
    metadata = {"plan_result": {"resource_changes": changes}, "cost_breakdown": {"projects": ["x" * 356_000]}}
    await made.status(queued["id"], "PROCESSING", metadata=metadata)
    assert (await job(crew, queued["id"]))["execution_metadata"]["plan_summary"]["no_op"] == 600


async def test_lines_with_what_no_database_takes_are_cleaned(crew):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    body = b'{"log_chunk": "a\\u0000b\\udfff \\ud83d\\ude00 \\\\u0000\\n"}'
    answer = await made.send("POST", f"/api/jobs/{queued['id']}/logs", content=body)
    assert answer.status_code == 201, answer.text
    assert await logs(crew, queued["id"]) == [("STDOUT", "a\ufffdb\ufffd \U0001f600 \\u0000\n")]


async def test_lines_that_find_no_room_are_a_sign_of_life(crew, monkeypatch):
    monkeypatch.setattr("quarterdeck.infra.work.lines.MOST", 100)
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    await made.lines(queued["id"], "x" * 200 + "\n")

    def told(tx):
        return tx.first(select(InfraJob).where(InfraJob.uid == queued["id"])).told_at

    await crew.db.write(lambda tx: tx.execute("UPDATE infra_jobs SET told_at = 1"))
    before = await crew.db.read(told)
    body = {"log_chunk": "y\n", "stream_type": "STDOUT"}
    answer = await made.send("POST", f"/api/jobs/{queued['id']}/logs", json=body)
    assert answer.json() == {"success": True, "applied": False}
    assert await crew.db.read(told) > before


async def test_the_tokens_that_a_runner_was_given_are_in_nothing_that_it_tells(crew):
    made = await runner(crew)
    module = {"kind": "git", "url": "https://git.example.com/acme/infra.git", "commit": "a" * 40}
    body = {**DOCUMENT, "module": module, "module_token": "ghp_0123456789"}
    spec = (await crew.ok("POST", "/api/cli/configurations", body, status=201))["configuration"]["id"]
    queued = await asked(crew, "DEPLOY", spec)
    await made.claim()
    path = f"/api/jobs/{queued['id']}"
    state = (await made.want(200, "POST", f"{path}/state-token"))["token"]
    git = await made.git_token(queued["id"])
    told = f"{git} and {state}"
    await made.status(queued["id"], "PROCESSING", metadata={"note": told})
    await made.lines(queued["id"], f"{told}\n")
    await made.lines(queued["id"], "the end\n")
    await made.status(queued["id"], "FAILED", told)
    found = json.dumps([await job(crew, queued["id"]), await logs(crew, queued["id"])])
    assert "the end" in found
    assert git not in found
    assert state not in found


async def test_jobs_that_are_not_there_are_404_whatever_the_form_of_the_id(crew):
    made = await runner(crew)
    for uid in (NOBODY, "not-an-id", "1", "x" * 300):
        for method, rest, body in (
            ("PUT", "/status", {"status": "SUCCESS"}), ("POST", "/logs", {"log_chunk": "x"}), ("GET", "", None),
            ("GET", "/logs", None), ("POST", "/git-token", None),
        ):  # fmt: skip
            answer = await made.send(method, f"/api/jobs/{uid}{rest}", json=body)
            assert answer.status_code == 404, (method, uid, rest, answer.text)
            assert answer.json().keys() - {"hint"} in ({"code", "error"}, {"detail"})


async def test_metadata_is_merged_shallowly_and_without_credentials(crew):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    await made.status(queued["id"], "PROCESSING", metadata={"a": {"x": 1}, "b": 1})
    await made.status(queued["id"], "PROCESSING", metadata={"a": {"y": 2}, "argocd_admin_password": "hunter2"})
    found = (await job(crew, queued["id"]))["execution_metadata"]
    assert (found["a"], found["b"], found["argocd_admin_password"]) == ({"y": 2}, 1, "****")


@pytest.mark.parametrize("body", [{}, {"log_chunk": ""}, {"log_chunk": None}])
async def test_an_empty_chunk_is_refused(crew, body):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    answer = await made.send("POST", f"/api/jobs/{queued['id']}/logs", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "log_chunk is required")


async def test_a_cancelled_job_is_told_with_the_heartbeat_and_its_late_end_changes_nothing(crew):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    await made.status(queued["id"], "PROCESSING")
    await crew.ok("POST", f"/api/cli/jobs/{queued['id']}/cancel", None)
    assert await made.heartbeat() == [queued["id"]]
    said = await made.status(queued["id"], "SUCCESS")
    assert said == {"success": True, "applied": False}
    found = await job(crew, queued["id"])
    assert (found["status"], found["execution_metadata"]["late_report"]["status"]) == ("CANCELLED", "SUCCESS")
    await made.lines(queued["id"], "stopped\n")
    assert made.log[-1].startswith("claimed")


async def test_the_job_of_a_runner_that_is_removed_waits_for_another_one(crew):
    first, second = await runner(crew), await runner(crew, "rack-8")
    queued = await asked(crew, "PLAN", await configured(crew))
    pinned = await asked(crew, "PLAN", await configured(crew, "other"), assigned_worker_id=first.id)
    assert (await first.claim())["id"] == pinned["id"]
    assert (await first.claim())["id"] == queued["id"]
    await crew.ok("DELETE", f"/api/cli/workers/{first.id}")
    for uid in (queued["id"], pinned["id"]):
        found = await job(crew, uid)
        assert (found["status"], found["worker_id"], found["assigned_worker_id"]) == ("QUEUED", None, None)
    assert {(await second.claim())["id"] for _ in range(2)} == {queued["id"], pinned["id"]}


async def test_a_silent_runner_keeps_its_job_while_it_beats_and_loses_it_afterwards(crew):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    headers = {"authorization": f"Bearer {SECRET}"}

    async def depth():
        return await crew.ok("POST", "/api/platform/queue", None, token=None, headers=headers)

    assert await depth() == {"recovered": 0, "queued": 0}

    def lapse(tx):
        tx.execute("UPDATE jobs SET lease_until = 1 WHERE lease_until IS NOT NULL AND owner LIKE 'runner:%'")

    await crew.db.write(lapse)
    await made.heartbeat()
    assert await depth() == {"recovered": 0, "queued": 0}
    await crew.db.write(lapse)
    found = await depth()
    assert found["queued"] == 1
    assert (await job(crew, queued["id"]))["status"] == "QUEUED"
    answer = await made.send("PUT", f"/api/jobs/{queued['id']}/status", json={"status": "SUCCESS"})
    assert answer.status_code == 409


async def test_a_git_token_is_only_for_who_holds_the_job_and_its_reading_is_told(crew):
    made = await runner(crew)
    module = {
        "kind": "git", "url": "https://git.example.com/acme/infra.git", "commit": "a" * 40, "path": "aws",
    }  # fmt: skip
    body = {**DOCUMENT, "module": module, "module_token": "ghp_secret"}
    answer = await crew.send("POST", "/api/cli/configurations", body)
    assert answer.status_code == 201, answer.text
    spec = answer.json()["configuration"]["id"]
    queued = await asked(crew, "PLAN", spec)
    claimed = await made.claim()
    assert "ghp_secret" not in json.dumps(claimed)
    assert await made.git_token(queued["id"]) == "ghp_secret"
    assert [one["action"] for one in await crew.told()][-1] == "runner.git-token-read"
    await made.status(queued["id"], "SUCCESS")
    answer = await made.send("POST", f"/api/jobs/{queued['id']}/git-token")
    assert answer.status_code == 403
    bundled = await asked(crew, "PLAN", await configured(crew, "other"))
    await made.claim()
    assert await made.git_token(bundled["id"]) is None


async def test_a_person_reads_a_job_at_the_runners_address_too(crew):
    queued = await asked(crew, "PLAN", await configured(crew))
    found = await crew.ok("GET", f"/api/jobs/{queued['id']}")
    assert found == await job(crew, queued["id"])
    assert (await crew.ok("GET", f"/api/jobs/{queued['id']}/logs"))["logs"] == []
    _, bill = await crew.person("bill", "organization:billing")
    assert (await crew.send("GET", f"/api/jobs/{queued['id']}", token=bill)).status_code == 403
    assert (await crew.send("GET", f"/api/jobs/{queued['id']}", token=None)).status_code == 401


async def test_floods_of_one_runner_are_bounded_and_others_go_on(crew):
    made, other = await runner(crew), await runner(crew, "rack-8")
    answers = [await made.send("POST", "/api/workers/heartbeat") for _ in range(70)]
    assert answers[-1].status_code == 429
    assert answers[-1].json().keys() - {"hint"} == {"code", "error"}
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert await other.heartbeat() == []
    assert await made.claim() is None
