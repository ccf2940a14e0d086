"""Zones and specifications."""

from __future__ import annotations

from support.acts import Act, Stage, act

ZONES, SPECS = "/api/cli/zones", "/api/cli/configurations"


async def zone(stage: Stage) -> str:
    made: str = (await stage.ok("POST", ZONES, {"name": stage.name("zone")}))["zone"]["id"]
    return made


def document(stage: Stage, **more: object) -> dict[str, object]:
    return {"project_name": stage.name("spec"), "region": "eu-west-1", **more}


async def spec(stage: Stage) -> str:
    made: str = (await stage.ok("POST", SPECS, document(stage)))["configuration"]["id"]
    return made


@act(f"POST {ZONES}")
async def create_zone(stage: Stage) -> Act:
    return Act(body={"name": stage.name("zone"), "description": "of a team"})


@act(f"PUT {ZONES}/{{id}}")
async def change_zone(stage: Stage) -> Act:
    return Act({"id": await zone(stage)}, {"description": "of another team", "approvals": 1})


@act(f"DELETE {ZONES}/{{id}}")
async def delete_zone(stage: Stage) -> Act:
    return Act({"id": await zone(stage)})


@act(f"POST {SPECS}")
async def create_spec(stage: Stage) -> Act:
    return Act(body=document(stage, zone_id=await zone(stage)))


@act(f"PUT {SPECS}/{{name}}")
async def change_spec(stage: Stage) -> Act:
    return Act({"name": await spec(stage)}, document(stage, zone_id=await zone(stage)))


@act(f"DELETE {SPECS}/{{name}}")
async def delete_spec(stage: Stage) -> Act:
    return Act({"name": await spec(stage)})


@act(f"POST {SPECS}/{{name}}/clone")
async def clone_spec(stage: Stage) -> Act:
    return Act({"name": await spec(stage)}, {"project_name": stage.name("spec"), "zone_id": await zone(stage)})


@act(f"POST {SPECS}/validate")
async def validate_spec(stage: Stage) -> Act:
    return Act(body=document(stage, zone_id=await zone(stage)))
