"""Roles over the runbooks surface."""

from __future__ import annotations

import pytest


async def test_a_role_from_making_to_deleting(lodge):
    listed = await lodge.do("GET", "/api/roles/permissions")
    assert {"instances", "services"} & listed["permissions"].keys() == set()
    by_name = {one["codename"]: one for some in listed["permissions"].values() for one in some}
    assert by_name["users.view"].keys() == {"id", "codename", "label", "description"}
    wanted = [by_name["users.view"]["id"], by_name["roles.view"]["id"]]
    body = {"name": "Watch", "description": "looks on", "permission_ids": wanted}
    made = await lodge.do("POST", "/api/roles", body, tells="role.created")
    assert made.keys() == {"id", "name", "description", "is_system", "created_at", "permissions", "user_count"}
    assert [(one["codename"], one["category"]) for one in made["permissions"]] == [
        ("roles.view", "roles"), ("users.view", "users"),
    ]  # fmt: skip
    path = f"/api/roles/{made['id']}"
    assert await lodge.do("GET", path) == made
    bob = await lodge.person("bob")
    await lodge.do("PUT", f"/api/users/{bob.id}/roles", {"role_ids": [made["id"]]}, tells="member.roles-changed")
    assert (await lodge.do("GET", path))["user_count"] == 1
    await lodge.refused(400, "DELETE", path, says="held by 1 person")
    body = {"name": "Guard", "permission_ids": [wanted[1]]}
    changed = await lodge.do("PUT", path, body, tells="role.changed")
    assert (changed["name"], changed["description"]) == ("Guard", "looks on")
    await lodge.do("PUT", path, {"name": "Guard"})
    await lodge.refused(403, "GET", "/api/users", by=bob)  # with the next request
    assert [one["name"] for one in (await lodge.do("GET", "/api/roles", by=bob))["roles"]] == ["Guard", "super-admin"]
    await lodge.do("PUT", f"/api/users/{bob.id}/roles", {"role_ids": []}, tells="member.roles-changed")
    assert await lodge.do("DELETE", path, tells="role.deleted") == {"status": "deleted"}
    await lodge.refused(404, "GET", path)


async def test_the_built_in_role_and_names_that_are_taken(lodge):
    system = next(one for one in (await lodge.do("GET", "/api/roles"))["roles"] if one["is_system"])
    path = f"/api/roles/{system['id']}"
    assert len(system["permissions"]) > 70
    await lodge.refused(400, "PUT", path, {"name": "Other"}, says="built in")
    await lodge.refused(400, "PUT", path, {"permission_ids": []}, says="built in")
    await lodge.refused(400, "DELETE", path, says="built in")
    made = await lodge.custom("users.view", name="Watch")
    await lodge.refused(400, "POST", "/api/roles", {"name": "WATCH"}, says="already")
    await lodge.custom("users.view", name="Other")
    await lodge.refused(400, "PUT", f"/api/roles/{made['id']}", {"name": "other"}, says="already")


async def test_what_a_role_cannot_carry(lodge):
    from quarterdeck.access import roles

    foreign = (await lodge.deck.instance.db.read(roles.numbered))["deploy:organizations.delete"]
    for ids in ([foreign], [0], [-1], [10**15]):
        await lodge.refused(400, "POST", "/api/roles", {"name": "Own", "permission_ids": ids}, says="no permission")
    assert len((await lodge.do("GET", "/api/roles"))["roles"]) == 1


async def test_roles_of_others_and_of_nobody_are_the_same(lodge):
    eve = await lodge.person("eve", "runbooks:super-admin", organization="org_other")
    made = await lodge.custom("users.view", by=eve)
    from sqlalchemy import select

    from quarterdeck.access.model import Role

    broker = await lodge.deck.instance.db.read(
        lambda tx: tx.scalars(select(Role.id).where(Role.key == "broker:admin")).first()
    )
    for role in (made["id"], broker, 0, "x", "9" * 30):
        for method, body in (("GET", None), ("PUT", {"name": "Mine"}), ("DELETE", None)):
            answer = await lodge.refused(404, method, f"/api/roles/{role}", body)
            assert "Own" not in answer.text
    bob = await lodge.person("bob")
    found = await lodge.do("PUT", f"/api/users/{bob.id}/roles", {"role_ids": [made["id"], broker]})
    assert found["roles"] == []


@pytest.mark.parametrize(
    "body", [{}, {"name": "x"}, {"name": "x" * 51}, {"name": 5}, {"name": "ok", "permission_ids": [1.5]}, []]
)
async def test_a_role_of_another_shape_is_refused(lodge, body):
    await lodge.refused(422, "POST", "/api/roles", body)


async def test_each_route_asks_for_its_permission(lodge):
    nobody = await lodge.person("nobody")
    for method, path, body, lacking in (
        ("GET", "/api/users", None, "users.view"),
        ("GET", "/api/users/1", None, "users.view"),
        ("POST", "/api/users", {}, "users.create"),
        ("POST", "/api/users/1/resend-invite", None, "users.create"),
        ("PUT", "/api/users/1", {}, "users.edit"),
        ("DELETE", "/api/users/1", None, "users.delete"),
        ("POST", "/api/users/1/roles", {}, "users.assign_roles"),
        ("PUT", "/api/users/1/roles", {}, "users.assign_roles"),
        ("POST", "/api/users/1/reset-password", {}, "users.password_reset"),
        ("DELETE", "/api/users/1/mfa", None, "users.mfa_reset"),
        ("GET", "/api/roles", None, "roles.view"),
        ("GET", "/api/roles/1", None, "roles.view"),
        ("GET", "/api/roles/permissions", None, "roles.view"),
        ("POST", "/api/roles", {}, "roles.create"),
        ("PUT", "/api/roles/1", {}, "roles.edit"),
        ("DELETE", "/api/roles/1", None, "roles.delete"),
    ):
        await lodge.refused(403, method, path, body, by=nobody, says=f"Permission denied: {lacking}.")
        await lodge.refused(401, method, path, body, token=None, says="detail")
