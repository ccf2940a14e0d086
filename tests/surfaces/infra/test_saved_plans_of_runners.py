"""Saved plans go from the runner that made them to the one that applies them, byte for byte."""

from __future__ import annotations

from surfaces.infra.foreign_runner import PLAN_BYTES
from surfaces.infra.runner_yard import asked, configured, job, runner


async def test_a_saved_plan_is_applied_by_another_runner_byte_for_byte(crew):
    first, second, third = [await runner(crew, f"rack-{number}") for number in range(3)]
    spec = await configured(crew)
    planned = await asked(crew, "PLAN", spec)
    await first.plan(await first.claim())
    applied = await asked(crew, "DEPLOY", spec, plan_job_id=planned["id"])
    claimed = await second.claim()
    assert claimed["id"] == applied["id"]
    assert (await third.send("GET", f"/api/jobs/{planned['id']}")).status_code == 404
    assert (await third.send("GET", f"/api/jobs/{planned['id']}/plan-artifact")).status_code == 404
    assert await second.deploy(claimed, {"endpoint": "https://x"}) == PLAN_BYTES
    found = await job(crew, applied["id"])
    assert (found["status"], found["execution_metadata"]["outputs"]) == ("SUCCESS", {"endpoint": "https://x"})
    assert (await second.send("GET", f"/api/jobs/{planned['id']}/plan-artifact")).status_code == 404


async def test_a_saved_plan_comes_as_an_attachment_of_its_size(crew):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    path = f"/api/jobs/{queued['id']}/plan-artifact"
    answer = await made.send("GET", path)
    assert (answer.status_code, answer.json()["error"]) == (404, "Plan artifact not found")
    assert await made.upload(queued["id"], b"first") == f"{queued['id']}/terraform.plan.out"
    answer = await made.send("PUT", path, content=b"second", headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == 201
    answer = await made.send("GET", path)
    assert (answer.content, answer.headers["content-length"]) == (b"second", "6")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_only_the_attempt_that_holds_the_plan_job_hands_a_plan_in(crew):
    made, other = await runner(crew), await runner(crew, "rack-8")
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    path, headers = f"/api/jobs/{queued['id']}/plan-artifact", {"Content-Type": "application/octet-stream"}
    await made.upload(queued["id"], b"mine")
    answer = await other.send("POST", path, content=b"forged", headers=headers)
    assert answer.status_code == 409
    answer = await made.send("POST", path, content=b"", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "Empty body")
    answer = await made.send("POST", path, content=b"x" * ((50 << 20) + 1), headers=headers)
    assert answer.status_code == 413
    assert answer.json().keys() - {"hint"} == {"code", "error"}
    assert await made.download(queued["id"]) == b"mine"
    await made.status(queued["id"], "SUCCESS")
    answer = await made.send("POST", path, content=b"later", headers=headers)
    assert answer.status_code == 409
    assert await made.download(queued["id"]) == b"mine"


async def test_a_deploy_job_hands_no_plan_in(crew):
    made = await runner(crew)
    queued = await asked(crew, "DEPLOY", await configured(crew))
    await made.claim()
    answer = await made.send(
        "POST", f"/api/jobs/{queued['id']}/plan-artifact", content=b"x",
        headers={"Content-Type": "application/octet-stream"},
    )  # fmt: skip
    assert answer.status_code == 403
