"""What the tests of this surface make over the API."""

from __future__ import annotations

from typing import Any

from support.lodge import Lodge, Person

NOBODY = "00000000-0000-7000-8000-000000000000"
PROJECTS, ENVIRONMENTS = "/api/v1/projects", "/api/v1/environments"
WORKFLOWS, POLICIES = "/api/v1/workflows", "/api/v1/policies"
TIMES = {
    "wrap_ttl_created_seconds": 3600, "wrap_ttl_approved_seconds": 600, "wrap_ttl_claimed_seconds": 60,
    "request_ttl_seconds": 7200,
}  # fmt: skip
MALFORMED = ("x", "0", "9" * 40, "null", NOBODY[:-1], f"{NOBODY}0")


async def project(lodge: Lodge, name: str = "payments", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = await lodge.do("POST", PROJECTS, {"name": name}, status=201, tells="project.created", **more)
    return made


async def environment(lodge: Lodge, project_id: str, name: str, type_: str, **more: Any) -> dict[str, Any]:
    body = {"project_id": project_id, "name": name, "type": type_}
    made: dict[str, Any] = await lodge.do("POST", ENVIRONMENTS, body, status=201, tells="environment.created", **more)
    return made


async def workflow(lodge: Lodge, name: str = "careful", *, by: Person | None = None, **given: Any) -> dict[str, Any]:
    body = {"name": name, "enabled": True, **TIMES, **given}
    made: dict[str, Any] = await lodge.do("POST", WORKFLOWS, body, status=201, tells="workflow.created", by=by)
    return made


async def policy(lodge: Lodge, name: str, workflow_id: str, *, by: Person | None = None, **given: Any) -> Any:
    body = {"name": name, "workflow_id": workflow_id, "selector": {}, "enabled": True, "priority": 100, **given}
    return await lodge.do("POST", POLICIES, body, status=201, tells="policy.created", by=by)
