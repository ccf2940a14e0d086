"""What administrators do to people, roles and grants, on every surface."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.access.model import Role
from support.acts import Act, Stage, act
from surfaces.acts import making
from surfaces.acts.identity import NEW, whose

OWN = ["deploy:projects.create"]


async def role(stage: Stage) -> str:
    body = {"name": stage.name("role"), "permissions": OWN}
    made: str = (await stage.ok("POST", "/api/access/roles", body))["id"]
    return made


@act("POST /api/access/roles")
async def create(stage: Stage) -> Act:
    return Act(body={"name": stage.name("role"), "permissions": OWN})


@act("PATCH /api/access/roles/{roleId}")
async def change(stage: Stage) -> Act:
    return Act({"roleId": await role(stage)}, {"name": stage.name("role")})


@act("DELETE /api/access/roles/{roleId}")
async def delete(stage: Stage) -> Act:
    return Act({"roleId": await role(stage)})


@act("POST /api/access/grants")
async def grant(stage: Stage) -> Act:
    who = await stage.person()
    return Act(body={"user": who.name, "role": await role(stage)}, known=whose(who))


@act("POST /api/access/why")
async def why(stage: Stage) -> Act:
    return Act(body={"user": (await stage.person()).name, "permission": OWN[0]})


# -- runbooks


async def permissions(stage: Stage) -> list[int]:
    found = (await stage.ok("GET", "/api/roles/permissions"))["permissions"]
    return [next(iter(found.values()))[0]["id"]]


async def runbooks_role(stage: Stage) -> int:
    body = {"name": stage.name("role"), "permission_ids": await permissions(stage)}
    made: int = (await stage.ok("POST", "/api/roles", body))["id"]
    return made


@act("POST /api/roles")
async def runbooks_create(stage: Stage) -> Act:
    return Act(body={"name": stage.name("role"), "permission_ids": await permissions(stage)})


@act("PUT /api/roles/{role_id}")
async def runbooks_change(stage: Stage) -> Act:
    number = await runbooks_role(stage)
    return Act({"role_id": str(number)}, {"name": stage.name("role")}, known=await role_of(stage, number))


@act("DELETE /api/roles/{role_id}")
async def runbooks_delete(stage: Stage) -> Act:
    number = await runbooks_role(stage)
    return Act({"role_id": str(number)}, known=await role_of(stage, number))


async def role_of(stage: Stage, number: int) -> dict[str, str]:
    query = select(Role.uid).where(Role.id == number)
    return {"role": await stage.read(lambda tx: tx.execute(query).scalar_one())}


@act("POST /api/users")
async def invite(stage: Stage) -> Act:
    name = stage.name("guest")
    role_ids = [await runbooks_role(stage)]
    return Act(body={"username": name, "email": f"{name}@example.com", "role_ids": role_ids})


@act("POST /api/users/{user_id}/resend-invite")
async def resend(stage: Stage) -> Act:
    made = await making.invited(stage)
    return Act({"user_id": str(made["user"]["id"])})


@act("PUT /api/users/{user_id}")
async def change_user(stage: Stage) -> Act:
    who = await stage.person()
    return Act({"user_id": str(who.id)}, {"display_name": stage.name("called")}, known=whose(who))


@act("DELETE /api/users/{user_id}")
async def remove_user(stage: Stage) -> Act:
    who = await stage.person()
    return Act({"user_id": str(who.id)}, known=whose(who))


@act("POST /api/users/{user_id}/roles")
async def add_roles(stage: Stage) -> Act:
    who = await stage.person()
    return Act({"user_id": str(who.id)}, {"role_ids": [await runbooks_role(stage)]}, known=whose(who))


@act("PUT /api/users/{user_id}/roles")
async def set_roles(stage: Stage) -> Act:
    who = await stage.person()
    return Act({"user_id": str(who.id)}, {"role_ids": [await runbooks_role(stage)]}, known=whose(who))


@act("POST /api/users/{user_id}/reset-password")
async def set_password(stage: Stage) -> Act:
    who = await stage.person()
    return Act({"user_id": str(who.id)}, {"new_password": NEW}, known=whose(who))


@act("DELETE /api/users/{user_id}/mfa")
async def reset_factor(stage: Stage) -> Act:
    who = await stage.person("organization:viewer", "tasks:developer")
    await making.second_factor(stage, who)
    return Act({"user_id": str(who.id)}, known=whose(who))


# -- broker


async def broker_role(stage: Stage) -> str:
    body = {"name": stage.name("role"), "permissions": ["audit.read"]}
    made: str = (await stage.ok("POST", "/api/v1/roles", body))["id"]
    return made


@act("POST /api/v1/roles")
async def broker_create(stage: Stage) -> Act:
    return Act(body={"name": stage.name("role"), "permissions": ["audit.read"]})


@act("PUT /api/v1/roles/{role_id}/permissions")
async def broker_change(stage: Stage) -> Act:
    return Act({"role_id": await broker_role(stage)}, {"permissions": ["role.edit"]})


@act("DELETE /api/v1/roles/{role_id}")
async def broker_delete(stage: Stage) -> Act:
    return Act({"role_id": await broker_role(stage)})


@act("POST /api/v1/user-roles")
async def assign(stage: Stage) -> Act:
    who = await stage.person()
    return Act(body={"user_id": who.uid, "role_id": await broker_role(stage)}, known=whose(who))


@act("DELETE /api/v1/user-roles/{assignment_id}")
async def unassign(stage: Stage) -> Act:
    who = await stage.person()
    given = {"user_id": who.uid, "role_id": await broker_role(stage)}
    made = await stage.ok("POST", "/api/v1/user-roles", given)
    return Act({"assignment_id": made["id"]}, known=whose(who))


# -- tasks


@act("POST /api/admin/developers")
async def developer(stage: Stage) -> Act:
    return Act(body={"name": stage.name("dev"), "password": NEW, "role": "lead"})


@act("PUT /api/admin/developers/{id}")
async def change_developer(stage: Stage) -> Act:
    who = await stage.person("tasks:developer")
    return Act({"id": str(who.id)}, {"role": "lead"}, known=whose(who))


@act("PUT /api/admin/developers/{id}/reset-totp")
async def reset_totp(stage: Stage) -> Act:
    who = await stage.person("tasks:developer")
    await making.second_factor(stage, who)
    return Act({"id": str(who.id)}, {}, known=whose(who))


@act("PUT /api/admin/settings")
async def settings(stage: Stage) -> Act:
    found = await stage.ok("GET", "/api/admin/settings")
    return Act(body={"tunnelTtlHours": found["tunnelTtlHours"] + 1})
