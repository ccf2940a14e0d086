"""Who belongs to a project, and what each may do in it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from sqlalchemy import select

from quarterdeck.access import Place
from quarterdeck.app import handlers
from quarterdeck.identity import members, users
from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel.errors import Forbidden, NotFound
from quarterdeck.tasks.projects import membership, projects
from support.deck import HOME

ADMIN, WEB, PEOPLE = "/api/admin/projects", "/api/web/projects", "/api/admin/developers"
MATRIX = json.loads((Path(__file__).parent / "projects.json").read_text())
REPOSITORY = "https://git.example.com/shop.git"


@pytest.fixture
async def shop(crew):
    """A project SHOP with a maintainer bob and a member carol; everybody's id and token by name."""
    await crew.ok("POST", ADMIN, {"key": "SHOP", "name": "Shop", "repoUrl": REPOSITORY}, status=201)
    people = {name: await crew.person(name, f"tasks:{role}") for name, role in (
        ("bob", "developer"), ("carol", "developer"), ("dan", "developer"), ("lea", "lead"),
    )}  # fmt: skip
    for name, role in (("bob", "maintainer"), ("carol", "developer")):
        body = {"developerId": people[name][0], "role": role}
        await crew.ok("POST", f"{ADMIN}/SHOP/members", body, status=201)
    return people


def test_every_route_of_one_project_is_in_its_matrix():
    declared = [one.opt["endpoint"] for one in handlers() if "endpoint" in getattr(one, "opt", {})]
    here = {f"{one.method} {one.path}" for one in declared if one.path.startswith((f"{ADMIN}/{{", f"{WEB}/{{"))}
    assert here == set(MATRIX["operations"])


async def test_everybody_may_what_the_matrix_says(crew, shop):
    tokens = {
        "admin": "", "lead": shop["lea"][1], "outsider": shop["dan"][1], "member": shop["carol"][1],
        "maintainer": shop["bob"][1],
    }  # fmt: skip
    assert [*tokens] == MATRIX["roles"]
    bodies = {"PUT": {"maxTasks": 1}, "git-token": {"token": "glpat-a"}}
    wrong, number = [], itertools.count()
    for name, row in MATRIX["operations"].items():
        method, path = name.split(" ")
        for role, expected in row.items():
            target = (await crew.person(f"person-{next(number)}", "tasks:developer"))[0]
            body = bodies.get(path.rpartition("/")[2] if path.endswith("git-token") else method)
            if method == "POST":
                body = {"developerId": target}
            if method == "DELETE" and "members" in path:
                await crew.ok("POST", f"{ADMIN}/SHOP/members", {"developerId": target}, status=201)
            params = {"developerId": target} if method == "DELETE" and path.endswith("members") else {}
            where = path.format(key="shop", id=target)
            answer = await crew.send(
                method, where, body if method != "DELETE" else None, token=tokens[role], params=params
            )
            if answer.status_code != expected:
                wrong.append((name, role, answer.status_code, answer.text))
            if name == f"DELETE {ADMIN}/{{key}}" and role == "admin":
                break  # the others are asked of a project that there is, by the order of the file
    assert wrong == []


async def test_members_are_added_listed_and_taken_out(crew, shop):
    bob, dan = shop["bob"], shop["dan"]
    path = f"{WEB}/SHOP/members"
    given = {"developerId": dan[0]}
    added = await crew.once("task-project.member-added", "POST", path, given, status=201, token=bob[1], actor="bob")
    assert {key: added[key] for key in ("developerId", "name", "gitEmail", "role")} == {
        "developerId": dan[0], "name": "dan", "gitEmail": None, "role": "member"
    }  # fmt: skip
    listed = await crew.ok("GET", path, token=bob[1], params={"limit": 2})
    assert ([one["name"] for one in listed["items"]], listed["total"]) == (["dan", "carol"], 3)
    rest = await crew.ok("GET", path, token=bob[1], params={"limit": 2, "cursor": listed["nextCursor"]})
    assert [(one["name"], one["role"]) for one in rest["items"]] == [("bob", "maintainer")]
    shown = (await crew.ok("GET", WEB, token=dan[1]))["items"]
    assert [(one["key"], one["memberCount"], one["role"]) for one in shown] == [("SHOP", 3, "member")]
    assert [one["name"] for one in shown[0]["members"]] == ["bob", "carol", "dan"]
    for role in ("member", "maintainer"):
        await crew.refused(409, "ALREADY_MEMBER", "POST", path, {**given, "role": role}, token=bob[1])
    query = {"developerId": dan[0]}
    gone = await crew.once("task-project.member-removed", "DELETE", path, token=bob[1], actor="bob", params=query)
    assert gone == {"success": True}
    await crew.refused(404, "PROJECT_NOT_FOUND", "GET", f"{WEB}/SHOP", token=dan[1])
    assert (await crew.ok("GET", WEB, token=dan[1]))["items"] == []
    await crew.refused(404, "MEMBER_NOT_FOUND", "DELETE", path, token=bob[1], params=query)
    await crew.refused(404, "MEMBER_NOT_FOUND", "DELETE", f"{path}/{dan[0]}", token=bob[1])
    for wrong in ("x", "-1", "9" * 30):
        await crew.refused(404, "MEMBER_NOT_FOUND", "DELETE", f"{path}/{wrong}", token=bob[1])
    assert (await crew.ok("GET", "/api/web/profile", token=dan[1]))["role"] == "developer"


async def test_the_last_maintainer_stays(crew, shop):
    bob, carol = shop["bob"], shop["carol"]
    for path, token in ((f"{WEB}/SHOP/members/{bob[0]}", bob[1]), (f"{ADMIN}/SHOP/members/{bob[0]}", "")):
        await crew.refused(409, "LAST_MAINTAINER", "DELETE", path, token=token)
    await crew.ok("DELETE", f"{WEB}/SHOP/members/{carol[0]}", token=bob[1])
    promoted = {"developerId": carol[0], "role": "maintainer"}
    assert (await crew.ok("POST", f"{WEB}/SHOP/members", promoted, token=bob[1], status=201))["role"] == "maintainer"
    await crew.ok("DELETE", f"{WEB}/SHOP/members/{bob[0]}", token=carol[1])
    await crew.refused(404, "PROJECT_NOT_FOUND", "GET", f"{WEB}/SHOP", token=bob[1])


async def test_who_cannot_be_a_member(crew, shop):
    viewer, _ = await crew.person("vic", "organization:viewer")
    there, _ = await crew.person("eve", "tasks:developer", organization="org_elsewhere")
    path = f"{WEB}/SHOP/members"
    await crew.refused(400, "DEVELOPER_WITHOUT_ROLE", "POST", path, {"developerId": viewer})
    await crew.refused(404, "DEVELOPER_NOT_FOUND", "POST", path, {"developerId": there})
    await crew.refused(404, "DEVELOPER_NOT_FOUND", "POST", path, {"developerId": 999_999})
    await crew.ok("PUT", f"{PEOPLE}/{shop['dan'][0]}", {"isActive": False})
    await crew.refused(400, "DEVELOPER_INACTIVE", "POST", path, {"developerId": shop["dan"][0]})
    for body in ({}, {"developerId": "1"}, {"developerId": 0}, {"developerId": 2**63}, {"developerId": 1, "role": "x"}):
        await crew.refused(400, "VALIDATION_ERROR", "POST", path, body)
    await crew.refused(400, "VALIDATION_ERROR", "DELETE", path)


async def test_roles_of_projects_are_none_of_the_organization(crew, shop):
    listed = {one["name"]: one["role"] for one in (await crew.ok("GET", PEOPLE))["items"]}
    assert (listed["bob"], listed["carol"]) == ("developer", "developer")
    candidates = await crew.ok("GET", f"{WEB}/-/developers", token=shop["carol"][1], params={"limit": 3})
    assert [(one["name"], one["role"]) for one in candidates["items"]] == [
        ("lea", "lead"), ("dan", "developer"), ("carol", "developer")
    ]  # fmt: skip
    assert (set(candidates["items"][0]), candidates["total"]) == ({"id", "name", "gitEmail", "role"}, 5)
    for path in ("/api/access/roles", "/api/access/grants", "/api/roles", "/api/v1/roles"):
        assert "maintainer" not in (await crew.send("GET", path)).text, path
    refused = await crew.send("POST", "/api/access/grants", {"user": "dan", "role": "tasks:maintainer"})
    assert refused.status_code in {400, 404}, refused.text
    answer = await crew.ok("GET", "/api/web/profile", token=shop["bob"][1])
    assert answer["role"] == "developer"


async def test_whoever_leaves_the_organization_leaves_its_projects(crew, shop):
    def leave(tx):
        members.remove(tx, crew.deck.instance.access, tx.get(User, shop["carol"][0]), tx.one(home(), what="home").id)

    await crew.db.write(leave)
    names = [one["name"] for one in (await crew.ok("GET", f"{WEB}/SHOP/members"))["items"]]
    assert names == ["bob"]


async def test_tokens_are_narrowed_to_their_scopes(crew, shop):
    async def narrowed(name, *scopes):
        body = {"label": "x", "scopes": list(scopes)}
        return (await crew.ok("POST", "/api/web/profile/tokens", body, token=shop[name][1], status=201))["token"]

    reading, writing = await narrowed("bob", "projects:read"), await narrowed("bob", "projects:write")
    tasks, machines = await narrowed("bob", "tasks:read"), await narrowed("bob", "machines:read")
    whole, member = await narrowed("bob"), await narrowed("carol", "projects:write")
    change = {"maxTasks": 2}
    for token in (reading, writing, whole, member):
        assert [one["key"] for one in (await crew.ok("GET", WEB, token=token))["items"]] == ["SHOP"]
        await crew.ok("GET", f"{WEB}/SHOP", token=token)
    for token in (writing, whole):
        await crew.ok("PUT", f"{WEB}/SHOP", change, token=token)
        await crew.ok("GET", f"{WEB}/SHOP/members", token=token)
    for token in (reading, member):
        await crew.refused(403, "PRODUCT_AUTH_FORBIDDEN", "PUT", f"{WEB}/SHOP", change, token=token)
        await crew.refused(403, "PRODUCT_AUTH_FORBIDDEN", "PUT", f"{WEB}/SHOP/git-token", {"token": "a"}, token=token)
    for token in (tasks, machines):
        await crew.refused(403, "PRODUCT_AUTH_FORBIDDEN", "GET", WEB, token=token)
    assert (await crew.ok("GET", "/api/web/search", token=tasks, params={"q": "shop"}))["projects"] == []
    await crew.refused(403, "PRODUCT_AUTH_FORBIDDEN", "GET", "/api/web/dashboard/stats", token=machines)
    for token in (reading, writing):
        await crew.refused(403, "PRODUCT_AUTH_FORBIDDEN", "GET", ADMIN, token=token)


async def test_other_rooms_ask_membership(crew, shop):
    """The words that tasks, notifications and terminals go by."""
    access = crew.deck.instance.access

    def asked(tx):
        place = tx.one(home(), what="home").id
        found = {}
        for name, (user_id, _) in shop.items():
            tx.act_as(users.principal(tx.get(User, user_id), place))
            project = projects.find(tx, "shop")
            rights = [right for right in membership.PERMISSIONS if membership.may(tx, access, project, right)]
            found[name] = rights, membership.visible_projects(tx, access, tx.principal) == {project.project_id}
            found[name] += (membership.role_in(tx, user_id, project),)
        with pytest.raises(NotFound):
            membership.require(tx, access, project, "view")
        tx.act_as(users.principal(tx.get(User, shop["carol"][0]), place))
        membership.require(tx, access, project, "create")
        with pytest.raises(Forbidden) as raised:
            membership.require(tx, access, project, "manage")
        assert "maintainer" in raised.value.message
        tx.act_as(users.principal(tx.get(User, 1), place))
        assert membership.visible_projects(tx, access, tx.principal) is None
        decision = access.decide(tx.principal, "tasks:project.manage", Place(place, project_id=project.project_id))
        assert decision.allowed
        return found

    assert await crew.db.read(asked) == {
        "bob": (["view", "create", "manage"], True, "maintainer"),
        "carol": (["view", "create"], True, "member"),
        "dan": ([], False, None),
        "lea": ([], False, None),
    }


async def test_why_is_asked_of_a_project(crew, shop):
    ref = (await crew.ok("GET", "/api/projects"))["items"][0]["id"]
    for name, permission, allowed in (
        ("bob", "tasks:project.manage", True),
        ("carol", "tasks:project.manage", False),
        ("carol", "tasks:project.view", True),
        ("dan", "tasks:project.view", False),
    ):
        body = {"user": name, "permission": permission, "resource": ref}
        told = await crew.ok("POST", "/api/access/why", body)
        assert told["allowed"] is allowed, (name, permission)
        everywhere = await crew.ok("POST", "/api/access/why", {"user": name, "permission": permission})
        assert everywhere["allowed"] is False


def home():
    return select(Organization).where(Organization.ref == HOME)
