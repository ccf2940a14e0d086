"""Who was given what may hold secrets, and how each attempt ended, stands in the audit trail."""

from __future__ import annotations

from quarterdeck.kernel import audit
from support import infra_rows as rows
from support.infra_yard import again, attempted
from surfaces.infra.runner_yard import asked, configured, runner


async def trail(crew, action):
    """What stands in the audit trail of an action, oldest first."""
    found = await crew.db.read(audit.page, organization_id=1, limit=200)
    return [(one.resource_id, one.detail) for one in reversed(found.events) if one.action == action]


async def test_that_a_state_was_read_is_told_once_for_each_attempt(crew):
    one = await attempted(crew)
    assert (await one.send("GET")).status_code == 404
    assert await trail(crew, "infra-job.state-read") == [], "nothing was given"
    await one.lock()
    assert (await one.write(rows.state(1))).status_code == 200
    for _ in range(3):
        assert (await one.send("GET")).status_code == 200
    assert [uid for uid, _ in await trail(crew, "infra-job.state-read")] == [one.uid]
    next_one = await again(crew, one)
    for _ in range(2):
        assert (await next_one.send("GET")).status_code == 200
    assert [uid for uid, _ in await trail(crew, "infra-job.state-read")] == [one.uid, one.uid]


async def test_that_a_saved_plan_was_fetched_is_told_once_of_the_apply_that_it_was_for(crew):
    first, second = await runner(crew), await runner(crew, "rack-8")
    spec = await configured(crew)
    planned = await asked(crew, "PLAN", spec)
    await first.plan(await first.claim())
    assert await trail(crew, "infra-job.saved-plan-read") == []
    applied = await asked(crew, "DEPLOY", spec, plan_job_id=planned["id"])
    await second.claim()
    await second.download(planned["id"])
    await second.download(planned["id"])
    told = await trail(crew, "infra-job.saved-plan-read")
    assert [(uid, detail["worker"], detail["attempt"]) for uid, detail in told] == [(applied["id"], "rack-8", 1)]


async def test_an_apply_that_its_runner_reports_as_cancelled_has_an_end_in_the_audit_trail(crew):
    made = await runner(crew)
    queued = await asked(crew, "DEPLOY", await configured(crew))
    await made.claim()
    await made.status(queued["id"], "PROCESSING")
    await made.status(queued["id"], "CANCELLED", "stopped by hand")
    ((uid, detail),) = await trail(crew, "infra-job.ended")
    assert (uid, detail["status"], detail["orphanRisk"]) == (queued["id"], "CANCELLED", True)


async def test_what_becomes_of_a_specification_is_in_the_audit_trail(crew):
    made, spec = await runner(crew), await configured(crew)
    for job_type, status in (("PLAN", "SUCCESS"), ("DEPLOY", "SUCCESS"), ("DEPLOY", "FAILED"), ("DESTROY", "SUCCESS")):
        queued = await asked(crew, job_type, spec)
        await made.claim()
        await made.status(queued["id"], "PROCESSING")
        await made.status(queued["id"], status)

    async def changes(word):
        return [
            (detail["changes"]["status"]["from"], detail["changes"]["status"]["to"])
            for _, detail in await trail(crew, f"infra-spec.{word}")
        ]

    assert await changes("provisioned") == [("PROVISIONING", "ACTIVE")]
    assert await changes("destroyed") == [("DESTROYING", "DESTROYED")]
    assert await changes("status-changed") == [  # what people asked for is told by that
        ("QUEUED", "PROVISIONING"), ("QUEUED", "PROVISIONING"), ("PROVISIONING", "FAILED"),
    ]  # fmt: skip
