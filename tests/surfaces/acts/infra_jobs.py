"""Infrastructure jobs."""

from __future__ import annotations

from support.acts import Act, Stage, act
from surfaces.acts.infrastructure import spec

JOBS = "/api/cli/jobs/{id}"


async def job(stage: Stage) -> str:
    body = {"job_type": "PLAN", "configuration_id": await spec(stage)}
    made: str = (await stage.ok("POST", "/api/jobs", body))["job"]["id"]
    return made


@act("POST /api/jobs")
async def create(stage: Stage) -> Act:
    return Act(body={"job_type": "PLAN", "configuration_id": await spec(stage)})


@act(f"POST {JOBS}/cancel")
async def cancel(stage: Stage) -> Act:
    return Act({"id": await job(stage)}, {"reason": "not now"})


@act(f"POST {JOBS}/rerun")
async def rerun(stage: Stage) -> Act:
    uid = await job(stage)
    await stage.ok("POST", f"/api/cli/jobs/{uid}/cancel", {})
    return Act({"id": uid}, {})


@act(f"POST {JOBS}/pin")
async def pin(stage: Stage) -> Act:
    made = await stage.ok("POST", "/api/cli/workers", {"name": stage.name("rack"), "mode": "self-hosted"})
    return Act({"id": await job(stage)}, {"assigned_worker_id": made["worker_id"]})
