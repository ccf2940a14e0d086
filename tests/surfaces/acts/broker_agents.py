"""Agents of the broker, and the jobs that administrators ask for."""

from __future__ import annotations

from support.acts import Act, Stage, act


async def agent(stage: Stage) -> str:
    made: str = (await stage.ok("POST", "/api/v1/agents", {"name": stage.name("agent")}))["id"]
    return made


@act("POST /api/v1/agents")
async def mint(stage: Stage) -> Act:
    return Act(body={"name": stage.name("agent"), "scope": {"cluster": "eu"}})


@act("POST /api/v1/agents/{id}/rotate")
async def rotate(stage: Stage) -> Act:
    return Act({"id": await agent(stage)}, {"grace_seconds": 60})


@act("POST /api/v1/agents/{id}/revoke")
async def revoke(stage: Stage) -> Act:
    return Act({"id": await agent(stage)}, {"reason": "its machine is gone"})


@act("POST /api/v1/jobs")
async def ask(stage: Stage) -> Act:
    return Act(body={"job_type": "verify", "payload": {"target_secret_ref": stage.name("app")}})
