"""What decides about requests for secrets: projects, environments, workflows and policies of the broker."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quarterdeck.workspace.model import Environment, Project
from support.acts import Act, Stage, act

PROJECTS, ENVIRONMENTS = "/api/v1/projects", "/api/v1/environments"
WORKFLOWS, POLICIES = "/api/v1/workflows", "/api/v1/policies"
TIMES = {
    "wrap_ttl_created_seconds": 60, "wrap_ttl_approved_seconds": 60, "wrap_ttl_claimed_seconds": 60,
    "request_ttl_seconds": 60,
}  # fmt: skip


async def project(stage: Stage) -> str:
    made: str = (await stage.ok("POST", PROJECTS, {"name": stage.name("tenant")}))["id"]
    return made


async def environment(stage: Stage, project_id: str) -> dict[str, Any]:
    body = {"project_id": project_id, "name": stage.name("stage"), "type": "staging"}
    made: dict[str, Any] = await stage.ok("POST", ENVIRONMENTS, body)
    return made


async def ref_of(stage: Stage, model: type[Project | Environment], uid: str) -> dict[str, str]:
    return {"ref": await stage.read(lambda tx: tx.execute(select(model.ref).where(model.uid == uid)).scalar_one())}


async def workflow(stage: Stage) -> str:
    made: str = (await stage.ok("POST", WORKFLOWS, {"name": stage.name("flow"), "enabled": True, **TIMES}))["id"]
    return made


async def rule(stage: Stage, **more: Any) -> dict[str, Any]:
    selector = {"project_id": await project(stage)}
    return {"name": stage.name("rule"), "workflow_id": await workflow(stage), "selector": selector, **more}


async def policy(stage: Stage) -> str:
    made: str = (await stage.ok("POST", POLICIES, await rule(stage)))["id"]
    return made


@act(f"POST {PROJECTS}")
async def create_project(stage: Stage) -> Act:
    return Act(body={"name": stage.name("tenant")})


@act(f"PUT {PROJECTS}/{{project_id}}/status")
async def archive_project(stage: Stage) -> Act:
    uid = await project(stage)
    return Act({"project_id": uid}, {"status": "archived"}, known=await ref_of(stage, Project, uid))


@act(f"POST {ENVIRONMENTS}")
async def create_environment(stage: Stage) -> Act:
    return Act(body={"project_id": await project(stage), "name": stage.name("stage"), "type": "prod"})


@act(f"DELETE {ENVIRONMENTS}/{{environment_id}}")
async def delete_environment(stage: Stage) -> Act:
    uid = (await environment(stage, await project(stage)))["id"]
    return Act({"environment_id": uid}, known=await ref_of(stage, Environment, uid))


@act(f"POST {WORKFLOWS}")
async def create_workflow(stage: Stage) -> Act:
    return Act(body={"name": stage.name("flow"), **TIMES})


@act(f"PUT {WORKFLOWS}/{{workflow_id}}")
async def change_workflow(stage: Stage) -> Act:
    return Act({"workflow_id": await workflow(stage)}, {**TIMES, "min_approvers": 2})


@act(f"DELETE {WORKFLOWS}/{{workflow_id}}")
async def delete_workflow(stage: Stage) -> Act:
    return Act({"workflow_id": await workflow(stage)})


@act(f"POST {POLICIES}")
async def create_policy(stage: Stage) -> Act:
    return Act(body=await rule(stage, project_id=await project(stage), selector={}))


@act(f"PUT {POLICIES}/{{policy_id}}")
async def change_policy(stage: Stage) -> Act:
    return Act({"policy_id": await policy(stage)}, await rule(stage, priority=7))


@act(f"DELETE {POLICIES}/{{policy_id}}")
async def delete_policy(stage: Stage) -> Act:
    return Act({"policy_id": await policy(stage)})


@act(f"POST {POLICIES}/try")
async def try_policies(stage: Stage) -> Act:
    uid = await project(stage)
    named = await environment(stage, uid)
    asked = {"provider_type": "vault", "secret_ref": "db/password", "operation": "read"}
    return Act(body={"project_id": uid, "environment": named["name"], **asked})
