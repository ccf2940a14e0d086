"""Roles and grants of every family, and why somebody may do something or not."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from quarterdeck.identity import granting, setup, users
from quarterdeck.identity.model import User
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.text import FEW

ROLES, GRANTS, WHY = "/api/access/roles", "/api/access/grants", "/api/access/why"
CREATE, CANCEL = "deploy:deployments.create", "deploy:deployments.cancel"


async def named(deck, prefix: str) -> str:
    query = select(User.username).where(User.username.startswith(prefix)).order_by(User.id.desc())
    return await deck.instance.db.read(lambda tx: tx.execute(query).scalars().first())


async def actions(deck) -> list[str]:
    query = select(audit_events.c.action).order_by(audit_events.c.id)
    return await deck.instance.db.read(lambda tx: list(tx.execute(query).scalars()))


async def held(deck, name: str) -> list[str]:
    items = (await deck.send("GET", GRANTS)).json()["items"]
    found: list[str] = next(one["roles"] for one in items if one["username"] == name)
    return found


async def test_roles_of_every_family_are_listed_with_what_they_carry(deck):
    items = (await deck.send("GET", ROLES)).json()["items"]
    keys = {one["key"] for one in items}
    assert {"organization:owner", "tasks:lead", "broker:approver", "runbooks:super-admin"} <= keys
    owner = next(one for one in items if one["key"] == "organization:owner")
    assert (owner["builtIn"], owner["holders"], CREATE in owner["permissions"]) == (True, 1, True)
    permissions = (await deck.send("GET", "/api/access/permissions")).json()["items"]
    create = next(one for one in permissions if one["key"] == CREATE)
    assert "organization:admin" in create["roles"]
    assert "organization:viewer" not in create["roles"]


async def test_a_role_of_ones_own_is_made_given_taken_and_deleted(deck):
    token = await deck.member("viewer")
    who = await named(deck, "viewer-")
    made = (await deck.send("POST", ROLES, {"name": "Release", "permissions": [CREATE]})).json()
    assert (made["builtIn"], made["permissions"], made["holders"]) == (False, [CREATE], 0)
    body = {"user": who, "role": "release"}
    done = await deck.send("POST", GRANTS, body)
    assert (done.status_code, done.json()["changed"]) == (200, True)
    assert (await deck.send("POST", GRANTS, body)).json()["changed"] is False
    let_in = await deck.request("deployments.create", {"resourceId": "res_000000000000"}, token=token)
    assert let_in.status_code == 400, "the role counts with the next request"
    held = (await deck.send("GET", GRANTS)).json()["items"]
    assert next(one["roles"] for one in held if one["username"] == who) == [made["key"], "organization:viewer"]

    changed = await deck.send("PATCH", f"{ROLES}/{made['id']}", {"permissions": [CANCEL], "description": "Ends them"})
    assert (changed.json()["permissions"], changed.json()["description"]) == ([CANCEL], "Ends them")
    refused = await deck.request("deployments.create", {"resourceId": "res_000000000000"}, token=token)
    assert refused.status_code == 403
    in_use = await deck.send("DELETE", f"{ROLES}/{made['id']}")
    assert (in_use.status_code, "held by 1" in in_use.text) == (409, True)
    assert (await deck.send("POST", GRANTS, {**body, "take": True})).json()["changed"] is True
    assert (await deck.send("DELETE", f"{ROLES}/{made['id']}")).json() == {"id": made["id"]}
    assert [one for one in await actions(deck) if one.startswith(("role.", "member."))] == [
        "role.created", "member.roles-changed", "role.changed", "member.roles-changed", "role.deleted",
    ]  # fmt: skip


async def test_nobody_gives_takes_or_makes_what_they_have_not_got(deck):
    admin = await deck.member("admin")
    await deck.member("viewer")
    who = await named(deck, "viewer-")
    made = (await deck.send("POST", ROLES, {"name": "Broker", "permissions": ["broker:agent.list"]})).json()
    before = await actions(deck)
    for method, path, body in (
        ("POST", GRANTS, {"user": who, "role": "organization:owner"}),
        ("POST", GRANTS, {"user": who, "role": "broker:developer"}),
        ("POST", GRANTS, {"user": who, "role": "Broker"}),
        ("POST", GRANTS, {"user": "ada@example.com", "role": "organization:owner", "take": True}),
        ("POST", GRANTS, {"user": "ada@example.com", "role": "tasks:admin", "take": True}),
        ("POST", ROLES, {"name": "Mine", "permissions": ["broker:agent.list"]}),
        ("PATCH", f"{ROLES}/{made['id']}", {"permissions": []}),
        ("DELETE", f"{ROLES}/{made['id']}", None),
    ):
        answer = await deck.send(method, path, body, token=admin)
        assert answer.status_code == 403, (body, answer.text)
    allowed = await deck.send("POST", GRANTS, {"user": who, "role": "organization:developer"}, token=admin)
    assert allowed.status_code == 200
    assert (await actions(deck))[len(before) :].count("role.created") == 0


async def test_the_last_administrator_of_a_family_keeps_the_role(deck):
    for role in ("organization:owner", "tasks:admin", "broker:admin", "runbooks:super-admin"):
        answer = await deck.send("POST", GRANTS, {"user": "ada@example.com", "role": role, "take": True})
        assert (answer.status_code, "last" in answer.text) == (409, True)


async def test_what_somebody_is_in_the_organization_is_given_and_taken_by_the_rule_of_its_members(deck):
    admin = await deck.member("admin")
    await deck.member("viewer")
    who, self = await named(deck, "viewer-"), await named(deck, "admin-")
    ranks = {"user": who, "role": "organization:developer"}
    assert (await deck.send("POST", GRANTS, ranks, token=admin)).json()["changed"] is True
    assert await held(deck, who) == ["organization:developer"], "one at a time"
    before = await actions(deck)
    owner = {"user": "ada@example.com", "role": "organization:viewer"}
    for body, token, code in (
        ({"user": self, "role": "organization:viewer"}, admin, "own_account"),
        ({"user": self, "role": "organization:admin", "take": True}, admin, "own_account"),
        (owner, deck.token, "own_account"),
        (owner, admin, "invariant_violation"),
    ):
        answer = await deck.send("POST", GRANTS, body, token=token)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code), answer.text
    assert await actions(deck) == before
    # An owner keeps the role beside another owner too: ownership is transferred.
    for body in ({"user": who, "role": "organization:owner"}, {**owner, "role": "organization:owner", "take": True}):
        answer = await deck.send("POST", GRANTS, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "own_account")
    answer = await deck.send("POST", GRANTS, {"user": who, "role": "organization:owner", "take": True})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invariant_violation")
    assert await held(deck, who) == ["organization:owner"]
    taken = await deck.send("POST", GRANTS, {"user": self, "role": "organization:admin", "take": True})
    assert (taken.json()["changed"], await held(deck, self)) == (True, [])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", ROLES, {"name": "x", "permissions": ["deploy:no.such"]}, 400),
        ("POST", ROLES, {"name": "", "permissions": []}, 400),
        ("PATCH", f"{ROLES}/organization:admin", {"name": "x"}, 409),
        ("DELETE", f"{ROLES}/organization:admin", None, 409),
        ("DELETE", f"{ROLES}/nobody", None, 404),
        ("PATCH", f"{ROLES}/00000000-0000-7000-8000-000000000000", {"name": "x"}, 404),
        ("POST", GRANTS, {"user": "nobody", "role": "organization:admin"}, 404),
        ("POST", GRANTS, {"user": "ada@example.com", "role": "admin"}, 404),
        ("POST", GRANTS, {"user": "\x00", "role": "organization:admin"}, 400),
        ("POST", WHY, {"user": "nobody", "permission": CREATE}, 404),
        ("POST", WHY, {"user": "ada@example.com", "permission": "no:such"}, 404),
        ("POST", WHY, {"user": 7}, 400),
    ],
)
async def test_what_there_is_not_is_refused(deck, method, path, body, status):
    answer = await deck.send(method, path, body)
    assert answer.status_code == status, answer.text


async def test_a_refusal_is_explained_with_who_could_change_it(deck):
    token = await deck.member("viewer")
    await deck.member("admin")
    who, admin = await named(deck, "viewer-"), await named(deck, "admin-")
    told = (await deck.send("POST", WHY, {"user": who, "permission": CREATE})).json()
    assert (told["allowed"], told["held"], told["by"]) == (False, ["organization:viewer"], [])
    assert {"organization:admin", "organization:owner"} <= set(told["carrying"])
    assert set(told["couldGive"]) == {"ada", admin}
    yes = (await deck.send("POST", WHY, {"user": "ada@example.com", "permission": CREATE})).json()
    assert (yes["allowed"], yes["by"], yes["remedy"]) == (True, ["organization:owner"], "")
    secret = (await deck.send("POST", WHY, {"user": who, "permission": "broker:agent.list"})).json()
    assert secret["couldGive"] == ["ada"]
    refused = await deck.send("POST", WHY, {"user": who, "permission": CREATE}, token=token)
    assert (refused.status_code, "access:read" in refused.text) == (403, True)


async def test_a_few_who_could_give_it_are_named_by_one_question_more(deck, monkeypatch):
    for _ in range(FEW + 1):
        await deck.member("admin")
    await deck.instance.db.write(lambda tx: tx.execute(update(User).where(User.username == "ada").values(active=False)))
    where = await deck.instance.db.read(lambda tx: tx.execute(select(User.id).order_by(User.id)).scalars().first())
    asked = []
    execute = Tx.scalars

    def counted(tx, query, *more):
        asked.append(query)
        return execute(tx, query, *more)

    def named_few(tx):
        tx.act_as(users.principal(tx.get(User, where), setup.default_organization(tx).id))
        deck.instance.access.load(tx)
        monkeypatch.setattr(Tx, "scalars", counted)
        return granting.could_give(tx, deck.instance.access, CREATE)

    found = await deck.instance.db.read(named_few)
    assert len(found) == FEW
    assert list(found) == sorted(found)
    assert all(one.startswith("admin-") for one in found), "nobody who is kept out"
    assert len(asked) == 1


async def test_who_was_asked_in_is_told_of_as_somebody_who_has_not_come(deck):
    body = {"email": "bob@example.com", "role": "developer"}
    await deck.do("organizations.invite-member", body, organizationId="org_self_hosted")
    given = (await deck.send("POST", GRANTS, {"user": "bob", "role": "tasks:developer"})).json()
    assert (given["changed"], given["invited"], given["roleName"]) == (True, True, "tasks:developer")
    items = {one["username"]: one for one in (await deck.send("GET", GRANTS)).json()["items"]}
    assert (items["bob"]["invited"], items["bob"]["active"], items["ada"]["invited"]) == (True, False, False)
    assert items["bob"]["roles"] == ["organization:developer", "tasks:developer"]
    told = (await deck.send("POST", WHY, {"user": "bob", "permission": CREATE})).json()
    assert (told["allowed"], told["reason"]) == (False, "bob was asked in and has not come yet.")
    assert told["remedy"] == "Send the invitation again: qd user resend bob@example.com"
    assert {"organization:developer", "tasks:developer"} <= set(told["held"])


async def test_an_account_of_another_organization_looks_like_a_new_one_until_it_comes(deck):
    await deck.member("viewer", "org_other")
    query = select(User.email).where(User.username.startswith("viewer-"))
    known = await deck.instance.db.read(lambda tx: tx.execute(query).scalar())
    for email in (known, "new@example.com"):
        body = {"email": email, "role": "developer"}
        await deck.do("organizations.invite-member", body, organizationId="org_self_hosted")
    invited = {one["email"]: one for one in (await deck.send("GET", GRANTS)).json()["items"] if one["invited"]}
    assert invited.keys() == {known, "new@example.com"}
    for email, one in invited.items():
        told = (await deck.send("POST", WHY, {"user": one["userId"], "permission": CREATE})).json()
        assert told["remedy"] == f"Send the invitation again: qd user resend {email}"


async def test_another_organization_is_not_seen(deck):
    stranger = await deck.member("owner", "org_elsewhere")
    made = (await deck.send("POST", ROLES, {"name": "Ours", "permissions": [CREATE]})).json()
    assert "Ours" not in (await deck.send("GET", ROLES, token=stranger)).text
    assert [one["username"] for one in (await deck.send("GET", GRANTS, token=stranger)).json()["items"]] == [
        await named(deck, "owner-")
    ]
    for method, path, body in (
        ("PATCH", f"{ROLES}/{made['id']}", {"name": "x"}),
        ("DELETE", f"{ROLES}/{made['id']}", None),
        ("POST", GRANTS, {"user": "ada@example.com", "role": "organization:viewer"}),
        ("POST", WHY, {"user": "ada@example.com", "permission": CREATE}),
    ):
        assert (await deck.send(method, path, body, token=stranger)).status_code == 404


async def test_why_is_asked_of_a_place(deck):
    asked = {"user": "ada", "permission": "deploy:deployments.create"}
    project = await deck.project()
    found = (await deck.send("POST", WHY, {**asked, "resource": project})).json()
    assert (found["allowed"], found["resource"]) == (True, project)
    gone = await deck.send("POST", WHY, {**asked, "resource": "prj_nothing"})
    assert gone.status_code == 404
    wrong = await deck.send("POST", WHY, {**asked, "resource": "planet=mars"})
    assert (wrong.status_code, "names no place" in wrong.text) == (400, True)
