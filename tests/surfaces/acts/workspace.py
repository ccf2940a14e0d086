"""Projects, environments, resources and what is configured of them."""

from __future__ import annotations

from typing import Any

from support.acts import Act, Stage, act
from support.served import SOURCE
from surfaces.acts import making
from surfaces.acts.making import soon


@act("POST /api/projects")
async def create(stage: Stage) -> Act:
    return Act(body={"name": stage.name("project")})


@act("POST /api/projects/{projectId}/rename")
async def rename(stage: Stage) -> Act:
    return Act({"projectId": await making.project(stage)}, {"name": stage.name("project")})


@act("POST /api/projects/{projectId}/description")
async def describe(stage: Stage) -> Act:
    return Act({"projectId": await making.project(stage)}, {"description": stage.name("words")})


@act("POST /api/projects/{projectId}/archive")
async def archive(stage: Stage) -> Act:
    return Act({"projectId": await making.project(stage)}, {})


async def archived_project(stage: Stage) -> str:
    ref = await making.project(stage)
    await stage.ok("POST", f"/api/projects/{ref}/archive", {})
    return ref


@act("POST /api/projects/{projectId}/restore")
async def restore(stage: Stage) -> Act:
    return Act({"projectId": await archived_project(stage)})


@act("DELETE /api/projects/{projectId}")
async def delete(stage: Stage) -> Act:
    ref = await archived_project(stage)
    return Act({"projectId": ref}, {"confirmation": {"projectId": ref}})


# -- environments


@act("POST /api/environments")
async def create_environment(stage: Stage) -> Act:
    return Act(body={"projectId": await making.project(stage), "name": stage.name("place"), "kind": "test"})


async def place(stage: Stage) -> dict[str, str]:
    return {"environmentId": (await making.environment(stage))[1]}


@act("POST /api/environments/{environmentId}/rename")
async def rename_environment(stage: Stage) -> Act:
    return Act(await place(stage), {"name": stage.name("place")})


@act("POST /api/environments/{environmentId}/lock")
async def lock(stage: Stage) -> Act:
    return Act(await place(stage), {"reason": stage.name("reason")})


@act("POST /api/environments/{environmentId}/unlock")
async def unlock(stage: Stage) -> Act:
    where = await place(stage)
    await stage.ok("POST", f"/api/environments/{where['environmentId']}/lock", {})
    return Act(where)


@act("POST /api/environments/{environmentId}/archive")
async def archive_environment(stage: Stage) -> Act:
    return Act(await place(stage), {})


@act("POST /api/environments/{environmentId}/clone")
async def clone(stage: Stage) -> Act:
    return Act(await place(stage), {"targetName": stage.name("place")})


@act("POST /api/environments/{environmentId}/promote")
async def promote(stage: Stage) -> Act:
    return Act(await place(stage), {"targetName": stage.name("place"), "targetKind": "staging"})


ENVIRONMENT_VARIABLE = {"key": "FIG", "value": "one", "kind": "plain-config", "exposure": "runtime"}


@act("POST /api/environments/{environmentId}/variables")
async def set_variable(stage: Stage) -> Act:
    return Act(await place(stage), ENVIRONMENT_VARIABLE)


@act("DELETE /api/environments/{environmentId}/variables/{key}")
async def unset_variable(stage: Stage) -> Act:
    where = await place(stage)
    await stage.ok("POST", f"/api/environments/{where['environmentId']}/variables", ENVIRONMENT_VARIABLE)
    return Act({**where, "key": "FIG"}, {"exposure": "runtime"})


# -- resources


@act("POST /api/resources")
async def create_resource(stage: Stage) -> Act:
    project, environment = await making.environment(stage)
    return Act(body={"projectId": project, "environmentId": environment, "name": stage.name("web"), "source": SOURCE})


@act("POST /api/resources/{resourceId}/archive")
async def archive_resource(stage: Stage) -> Act:
    return Act({"resourceId": await making.resource(stage)}, {})


@act("DELETE /api/resources/{resourceId}")
async def delete_resource(stage: Stage) -> Act:
    ref = await making.resource(stage)
    slug = (await stage.ok("GET", f"/api/resources/{ref}"))["resource"]["slug"]
    await stage.ok("POST", f"/api/resources/{ref}/archive", {})
    return Act({"resourceId": ref}, {"confirmation": {"resourceSlug": slug}})


CONFIGURED: dict[str, Any] = {
    "source": {"source": {"kind": "docker-image", "locator": "registry.example/team/web:2"}},
    "runtime-profile": {"runtimeProfile": {"startCommand": "run it"}},
    "network-profile": {"networkProfile": {"internalPort": 4321}},
    "access-profile": {"accessProfile": {"generatedAccessMode": "disabled"}},
    "health-policy": {"healthCheck": {"type": "http", "http": {"path": "/alive"}}},
    "variables": {"key": "PLUM", "value": "one", "exposure": "runtime"},
    "variables/import": {"content": "LIME=one\n", "exposure": "runtime"},
    "secrets": {"key": "KIWI", "value": "one"},
}


def configure(part: str, body: Any) -> None:
    @act(f"POST /api/resources/{{resourceId}}/{part}")
    async def prepared(stage: Stage) -> Act:
        return Act({"resourceId": await making.resource(stage)}, body)


for part, body in CONFIGURED.items():
    configure(part, body)


@act("POST /api/resources/{resourceId}/health-policy/reset")
async def reset_health(stage: Stage) -> Act:
    ref = await making.resource(stage)
    await stage.ok("POST", f"/api/resources/{ref}/health-policy", CONFIGURED["health-policy"])
    return Act({"resourceId": ref})


@act("DELETE /api/resources/{resourceId}/variables/{key}")
async def unset(stage: Stage) -> Act:
    ref, key = await making.variable(stage)
    return Act({"resourceId": ref, "key": key}, {"exposure": "runtime"})


@act("POST /api/resources/{resourceId}/secrets/{key}")
async def rotate_secret(stage: Stage) -> Act:
    ref, key = await making.secret(stage)
    return Act({"resourceId": ref, "key": key}, {"value": "two"})


@act("DELETE /api/resources/{resourceId}/secrets/{key}")
async def delete_secret(stage: Stage) -> Act:
    ref, key = await making.secret(stage)
    return Act({"resourceId": ref, "key": key}, {})


# -- what a runtime said


@act("POST /api/resources/{resourceId}/runtime-log-archives")
async def keep_lines(stage: Stage) -> Act:
    return Act({"resourceId": await making.said(stage)}, {"reason": stage.name("reason")})


@act("POST /api/resources/runtime-log-archives/prune")
async def prune_lines(stage: Stage) -> Act:
    ref = await making.said(stage)
    await stage.ok("POST", f"/api/resources/{ref}/runtime-log-archives", {})
    return Act(body={"before": soon(stage), "resourceId": ref, "dryRun": False})
