"""Roles and who has them over the broker surface."""

from __future__ import annotations

import pytest

from support.lodge import Lodge

NOBODY = "00000000-0000-7000-8000-000000000000"


async def role_named(lodge: Lodge, name: str):
    return next(one for one in await lodge.do("GET", "/api/v1/roles") if one["name"] == name)


async def made(lodge: Lodge, *permissions: str, name: str = "Watch", **more):
    body = {"name": name, "permissions": list(permissions)}
    return await lodge.do("POST", "/api/v1/roles", body, tells="role.created", status=201, **more)


async def given(lodge: Lodge, person, role, **more):
    body = {"user_id": person.uid, "role_id": role["id"], **more}
    return await lodge.do("POST", "/api/v1/user-roles", body, tells="role.granted", status=201)


async def test_the_catalogue_is_listed_in_its_order_and_may_be_kept(lodge):
    bob = await lodge.person("bob")
    answer = await lodge.send("GET", "/api/v1/permissions", by=bob)
    assert answer.headers["cache-control"] == "public, max-age=300"
    listed = answer.json()
    assert [one["key"] for one in listed][:2] == ["role.edit", "user_role.edit"]
    assert listed[0].keys() == {"key", "group", "description"}
    assert len(listed) == 18


async def test_a_role_from_making_to_deleting(lodge):
    role = await made(lodge, "audit.read")
    assert role.keys() == {"id", "name", "permissions", "created_at", "updated_at"}
    assert role["created_at"].endswith("Z")
    path = f"/api/v1/roles/{role['id']}"
    bob = await lodge.person("bob")
    await given(lodge, bob, role)
    body = {"permissions": ["role.edit"]}
    await lodge.do("PUT", f"{path}/permissions", body, tells="role.changed", status=204)
    assert (await lodge.do("GET", path, by=bob))["permissions"] == ["role.edit"]
    await made(lodge, name="By Bob", by=bob)  # with the next request
    names = [one["name"] for one in await lodge.do("GET", "/api/v1/roles")]
    assert names == sorted(names, key=str.lower)
    await lodge.do("DELETE", path, tells=("role.taken", "role.deleted"), status=204)
    refused = await lodge.refused(403, "POST", "/api/v1/roles", {"name": "Again"}, by=bob)
    assert refused.json()["error"] == 'missing permission "role.edit" (global scope)'
    assert "Ask" in refused.json()["message"]
    assert (await lodge.refused(404, "GET", path)).json()["error"] == "role not found"
    await lodge.refused(404, "DELETE", path)


async def test_built_in_roles_are_edited_and_not_deleted(lodge):
    approver, admin = await role_named(lodge, "approver"), await role_named(lodge, "admin")
    assert approver["is_system"] is True
    bob = await lodge.person("bob", "broker:approver")
    path = f"/api/v1/roles/{approver['id']}"
    body = {"permissions": ["user_role.edit"]}
    await lodge.do("PUT", f"{path}/permissions", body, tells="role.changed", status=204)
    await lodge.refused(409, "DELETE", path, says="system row cannot be deleted (edit instead)")
    assert (await lodge.send("DELETE", f"/api/v1/user-roles/{NOBODY}", by=bob)).status_code == 404
    await lodge.refused(409, "PUT", f"/api/v1/roles/{admin['id']}/permissions", {"permissions": []}, says="keeps")


async def test_what_a_role_cannot_be(lodge):
    await lodge.refused(400, "POST", "/api/v1/roles", {"permissions": []}, says="name")
    await lodge.refused(400, "POST", "/api/v1/roles", {"name": ""})
    for wrong in ("everything", "*", "", "broker:role.edit", "deploy:organizations.delete"):
        body = {"name": "Own", "permissions": [wrong]}
        await lodge.refused(400, "POST", "/api/v1/roles", body, says="no permission")
    await made(lodge, name="Taken")
    for name in ("taken", "ADMIN"):
        await lodge.refused(409, "POST", "/api/v1/roles", {"name": name}, says="already")
    for method, path in (("GET", ""), ("DELETE", ""), ("PUT", "/permissions")):
        body = {"permissions": []} if method == "PUT" else None
        for wrong in ("x", "0", "9" * 40, "permissions", NOBODY[:-1]):
            answer = await lodge.refused(400, method, f"/api/v1/roles/{wrong}{path}", body)
            assert answer.json()["error"].startswith("invalid role id")
        await lodge.refused(404, method, f"/api/v1/roles/{NOBODY}{path}", body)


async def test_a_role_is_given_narrowed_and_taken(lodge):
    bob = await lodge.person("bob")
    role = await role_named(lodge, "admin")
    scope = {"environment": "staging", "project_id": NOBODY}
    one = await given(lodge, bob, role, scope=scope, granted_by=lodge.ada.uid)
    assert one == {
        "id": one["id"], "user_id": bob.uid, "role_id": role["id"], "scope": scope, "granted_by": lodge.ada.uid,
        "granted_at": one["granted_at"],
    }  # fmt: skip
    # Narrowed, it decides about no route.
    await lodge.refused(403, "POST", "/api/v1/roles", {"name": "Own"}, by=bob)
    body = {"user_id": bob.uid, "role_id": role["id"], "scope": dict(reversed(scope.items()))}
    assert await lodge.do("POST", "/api/v1/user-roles", body, status=201) == one
    whole = await given(lodge, bob, role)
    assert "scope" not in whole
    await made(lodge, name="Own", by=bob)
    assert await lodge.do("GET", f"/api/v1/users/{bob.uid}/roles") == [one, whole]
    assert [each["id"] for each in await lodge.do("GET", "/api/v1/user-roles") if each["user_id"] == bob.uid] == [
        one["id"], whole["id"],
    ]  # fmt: skip
    for each in (whole, one):
        await lodge.do("DELETE", f"/api/v1/user-roles/{each['id']}", tells="role.taken", status=204)
        await lodge.refused(404, "DELETE", f"/api/v1/user-roles/{each['id']}", says="assignment not found")
    assert await lodge.do("GET", f"/api/v1/users/{bob.uid}/roles", by=bob) == []  # still a member


@pytest.mark.parametrize(
    "scope",
    [{"cluster": "x"}, {"project_id": 5}, {"project_id": ""}, {"environment": None}, {"secret_ref_prefix": "x" * 1000}],
)
async def test_a_scope_that_nobody_understands_grants_nothing(lodge, scope):
    """Left out, it would be a grant of everything."""
    role = await role_named(lodge, "admin")
    body = {"user_id": lodge.ada.uid, "role_id": role["id"], "scope": scope}
    await lodge.refused(400, "POST", "/api/v1/user-roles", body, says="scope")


async def test_who_and_what_cannot_be_given(lodge):
    role = await role_named(lodge, "approver")
    bob = await lodge.person("bob", "broker:admin")
    eve = await lodge.person("eve", "broker:admin", organization="org_other")
    theirs = await made(lodge, name="Theirs", by=eve)
    base = {"user_id": bob.uid, "role_id": role["id"]}
    for wrong in ({"user_id": NOBODY}, {"user_id": eve.uid}, {"role_id": NOBODY}, {"role_id": theirs["id"]},
                  {"user_id": "x"}, {"role_id": "1"}, {"scope": []}, {"user_id": 5}):  # fmt: skip
        answer = await lodge.refused(400, "POST", "/api/v1/user-roles", {**base, **wrong})
        assert "eve" not in answer.text
    await lodge.refused(403, "POST", "/api/v1/user-roles", {**base, "granted_by": bob.uid}, says="granted_by")
    await lodge.refused(404, "GET", f"/api/v1/users/{eve.uid}/roles", says="user not found")
    await lodge.refused(400, "GET", "/api/v1/users/me/roles", says="invalid user id")
    other = (await lodge.do("GET", "/api/v1/user-roles", by=eve))[0]
    await lodge.refused(404, "DELETE", f"/api/v1/user-roles/{other['id']}")


async def test_the_last_administrator_stays(lodge):
    mine = next(one for one in await lodge.do("GET", f"/api/v1/users/{lodge.ada.uid}/roles") if "granted_by" not in one)
    path = f"/api/v1/user-roles/{mine['id']}"
    await lodge.refused(409, "DELETE", path, says="last admin of broker")
    await given(lodge, await lodge.person("bob"), await role_named(lodge, "admin"))
    await lodge.do("DELETE", path, tells="role.taken", status=204)


async def test_nobody_gives_or_deletes_what_they_have_not_got_on_another_surface(lodge):
    bob = await lodge.person("bob", "broker:admin")
    both = await lodge.custom("users.view", name="Both")
    uid = (await role_named(lodge, "Both"))["id"]
    body = {"user_id": bob.uid, "role_id": uid}
    await lodge.refused(403, "POST", "/api/v1/user-roles", body, by=bob, says="users.view")
    await lodge.refused(403, "DELETE", f"/api/v1/roles/{uid}", by=bob)
    one = await given(lodge, bob, {"id": uid})
    await lodge.do("DELETE", f"/api/v1/user-roles/{one['id']}", by=bob, tells="role.taken", status=204)
    assert (await lodge.do("GET", f"/api/roles/{both['id']}"))["user_count"] == 0


async def test_each_route_asks_for_its_permission(lodge):
    nobody = await lodge.person("nobody")
    for method, path, body, lacking in (
        ("POST", "/api/v1/roles", {}, "role.edit"),
        ("PUT", f"/api/v1/roles/{NOBODY}/permissions", {}, "role.edit"),
        ("DELETE", f"/api/v1/roles/{NOBODY}", None, "role.edit"),
        ("POST", "/api/v1/user-roles", {}, "user_role.edit"),
        ("DELETE", f"/api/v1/user-roles/{NOBODY}", None, "user_role.edit"),
    ):
        answer = await lodge.refused(403, method, path, body, by=nobody)
        assert answer.json()["error"] == f'missing permission "{lacking}" (global scope)'
    for method, path in (
        ("GET", "/api/v1/roles"), ("GET", "/api/v1/permissions"), ("GET", "/api/v1/user-roles"),
        ("GET", f"/api/v1/users/{NOBODY}/roles"), ("POST", "/api/v1/roles"), ("POST", "/api/v1/auth/logout"),
    ):  # fmt: skip
        answer = await lodge.refused(401, method, path, {} if method == "POST" else None, token=None)
        assert answer.json()["error"] == "authentication required"
