"""Projects of agent tasks and who belongs to them."""

from __future__ import annotations

from support.acts import Act, Stage, act

ADMIN, WEB = "/api/admin/projects", "/api/web/projects"
REPOSITORY = "https://git.example.com/shop.git"


async def project(stage: Stage) -> str:
    name = stage.name("tasks")
    made: str = (await stage.ok("POST", ADMIN, {"key": name, "name": name, "repoUrl": REPOSITORY}))["key"]
    return made


async def joined(stage: Stage, role: str = "member") -> tuple[str, int]:
    """A project, and somebody who belongs to it."""
    key, who = await project(stage), await stage.person("tasks:developer")
    await stage.ok("POST", f"{ADMIN}/{key}/members", {"developerId": who.id, "role": role})
    return key, who.id


@act(f"POST {ADMIN}")
async def create(stage: Stage) -> Act:
    name = stage.name("tasks")
    return Act(body={"key": name, "name": name, "repoUrl": REPOSITORY})


async def change(stage: Stage) -> Act:
    return Act({"key": await project(stage)}, {"repoUrl": "https://git.example.com/other.git", "agentType": "codex"})


async def add(stage: Stage) -> Act:
    who = await stage.person("tasks:developer")
    return Act({"key": await project(stage)}, {"developerId": who.id, "role": "maintainer"})


async def remove(stage: Stage) -> Act:
    key, who = await joined(stage)
    return Act({"key": key}, query={"developerId": who})


async def remove_by_path(stage: Stage) -> Act:
    key, who = await joined(stage)
    return Act({"key": key, "id": str(who)})


for place in (ADMIN, WEB):
    act(f"PUT {place}/{{key}}")(change)
    act(f"POST {place}/{{key}}/members")(add)
    act(f"DELETE {place}/{{key}}/members")(remove)
    act(f"DELETE {place}/{{key}}/members/{{id}}")(remove_by_path)


@act(f"DELETE {ADMIN}/{{key}}")
async def delete(stage: Stage) -> Act:
    return Act({"key": (await joined(stage))[0]}, query={"force": True})


@act(f"PUT {WEB}/{{key}}/git-token")
async def set_git_token(stage: Stage) -> Act:
    return Act({"key": await project(stage)}, {"token": "glpat-abcdef"})


@act(f"DELETE {WEB}/{{key}}/git-token")
async def remove_git_token(stage: Stage) -> Act:
    key = await project(stage)
    await stage.ok("PUT", f"{WEB}/{key}/git-token", {"token": "glpat-abcdef"})
    return Act({"key": key})
