"""Workflows over the broker surface."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import select

from quarterdeck.broker.workflows import steps, workflows
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel import events
from support import broker_rows as rows
from surfaces.broker.making import MALFORMED, NOBODY, POLICIES, TIMES, WORKFLOWS, policy, workflow


async def role_named(lodge, name):
    return next(one["id"] for one in await lodge.do("GET", "/api/v1/roles") if one["name"] == name)


async def standard(lodge, **more):
    return next(one for one in await lodge.do("GET", WORKFLOWS, **more) if one["name"] == "standard")


async def kept(lodge, uid):
    return await lodge.deck.instance.db.read(lambda tx: tx.one(select(Workflow).where(Workflow.uid == uid), what=uid))


async def test_every_organization_begins_with_the_documented_default(lodge):
    bob = await lodge.person("bob")
    eve = await lodge.person("eve", "broker:admin", organization="org_other")
    (mine,) = await lodge.do("GET", WORKFLOWS, by=bob)
    assert mine == {
        "id": mine["id"], "name": "standard", "min_approvers": 1,
        "approver_role_id": await role_named(lodge, "approver"), "wrap_ttl_created_seconds": 604_800,
        "wrap_ttl_approved_seconds": 3600, "wrap_ttl_claimed_seconds": 300, "request_ttl_seconds": 1_209_600,
        "require_justification": True, "allow_self_approval": False, "notification_channels": [], "is_default": True,
        "enabled": True, "is_system": True, "steps": [], "grant_seconds": 0, "break_glass": False,
        "created_at": mine["created_at"], "updated_at": mine["updated_at"],
    }  # fmt: skip
    assert await lodge.do("GET", f"{WORKFLOWS}/{mine['id'].upper()}", by=bob) == mine
    (theirs,) = await lodge.do("GET", WORKFLOWS, by=eve)
    assert theirs["id"] != mine["id"]


async def test_the_first_look_of_many_at_once_lays_one_default(lodge):
    answers = await asyncio.gather(*(lodge.send("GET", path) for path in (WORKFLOWS, POLICIES) * 4))
    assert [one.status_code for one in answers] == [200] * 8
    assert {len(one.json()) for one in answers} == {1}


async def test_a_workflow_is_made_in_full_and_listed_by_name(lodge):
    role = await role_named(lodge, "approver")
    given = {
        "description": "two of them", "min_approvers": 2, "approver_role_id": role, "require_justification": True,
        "allow_self_approval": True, "notification_channels": ["mail"], "grant_seconds": 60, "break_glass": True,
        "steps": [{"name": "team", "approvers": 2}, {"name": "security", "approvers": 1, "role_id": role}],
    }  # fmt: skip
    made = await workflow(lodge, **given)
    assert made.items() >= {"name": "careful", "enabled": True, **TIMES, **given}.items()
    assert made.keys() - given.keys() - TIMES.keys() == {"id", "name", "enabled", "created_at", "updated_at"}
    await workflow(lodge, "a first")
    assert [one["name"] for one in await lodge.do("GET", WORKFLOWS)] == ["a first", "careful", "standard"]
    assert [one["name"] for one in await lodge.do("GET", f"{WORKFLOWS}?limit=1&after={made['id']}")] == ["standard"]
    told = steps.steps(await kept(lodge, made["id"]))
    assert told == (steps.Step("team", 2, None), steps.Step("security", 1, role))


async def test_what_is_left_out_is_false_and_no_workflow_approves_by_itself(lodge):
    made = await lodge.do("POST", WORKFLOWS, {"name": "bare", **TIMES}, status=201, tells="workflow.created")
    assert (made["enabled"], made["require_justification"], made["allow_self_approval"]) == (False, False, False)
    assert (made["min_approvers"], made["notification_channels"]) == (0, [])
    assert made.keys() & {"description", "approver_role_id", "is_default", "is_system"} == set()
    assert steps.steps(await kept(lodge, made["id"])) == (steps.Step("approval", 1, None),)


async def test_times_are_positive_when_a_workflow_is_made_and_when_it_is_changed(lodge):
    made = await workflow(lodge)
    for field in workflows.TIMES:
        for wrong in (0, -1, None, 2**31 - 1, 2**70, 1.5, "60"):
            body = {"enabled": True, **TIMES, field: wrong}
            await lodge.refused(400, "POST", WORKFLOWS, {**body, "name": "other"}, says=field)
            await lodge.refused(400, "PUT", f"{WORKFLOWS}/{made['id']}", body, says=field)
        without = {key: value for key, value in TIMES.items() if key != field}
        await lodge.refused(400, "POST", WORKFLOWS, {**without, "name": "other"}, says=field)
    assert await lodge.do("GET", f"{WORKFLOWS}/{made['id']}") == made


async def test_what_a_workflow_cannot_ask_for(lodge):
    made = await workflow(lodge)
    for wrong in (
        {"min_approvers": -1}, {"min_approvers": 21}, {"approver_role_id": NOBODY}, {"approver_role_id": "approver"},
        {"description": "x" * 2001}, {"description": "a\u202eb"}, {"notification_channels": ["x"] * 21},
        {"notification_channels": [""]}, {"notification_channels": "mail"}, {"grant_seconds": -1},
        {"grant_seconds": 10**9}, {"steps": [{"name": "", "approvers": 1}]}, {"steps": [{"name": "a", "approvers": 0}]},
        {"steps": [{"name": "a", "approvers": 21}]}, {"steps": [{"name": "a", "role_id": NOBODY}]},
        {"steps": [{"name": "a"}] * 11}, {"steps": ["a"]}, {"enabled": "yes"}, {"break_glass": 1},
    ):  # fmt: skip
        await lodge.refused(400, "POST", WORKFLOWS, {"name": "other", **TIMES, **wrong})
        await lodge.refused(400, "PUT", f"{WORKFLOWS}/{made['id']}", {**TIMES, **wrong})
    assert await lodge.do("GET", f"{WORKFLOWS}/{made['id']}") == made


async def test_a_name_is_required_and_nobody_elses(lodge):
    for body in ({}, {"name": ""}, {"name": " "}, {"name": None}):
        assert "name is required" in (await lodge.refused(400, "POST", WORKFLOWS, {**TIMES, **body})).json()["error"]
    await workflow(lodge)
    for name in ("careful", " careful ", "standard"):
        await lodge.refused(409, "POST", WORKFLOWS, {"name": name, **TIMES}, says="already")
    for name in ("x" * 201, "a\nb"):
        await lodge.refused(400, "POST", WORKFLOWS, {"name": name, **TIMES})
    answers = await asyncio.gather(*(lodge.send("POST", WORKFLOWS, {"name": "twice", **TIMES}) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]


async def test_there_is_one_default_which_stays_enabled_and_is_never_deleted(lodge):
    first = await standard(lodge)
    path = f"{WORKFLOWS}/{first['id']}"
    await lodge.refused(409, "POST", WORKFLOWS, {"name": "mine", "is_default": True, **TIMES}, says="default")
    await lodge.refused(409, "PUT", path, {**TIMES, "enabled": False}, says="default")
    await lodge.refused(409, "PUT", path, TIMES, says="enabled: true")  # left out it is false
    answer = await lodge.refused(409, "DELETE", path)
    assert answer.json()["error"] == "system row cannot be deleted (edit instead)"
    body = {"name": "mine", "is_default": False, "is_system": False, "enabled": True, "min_approvers": 3, **TIMES}
    await lodge.do("PUT", path, body, status=204, tells="workflow.changed")
    changed = await lodge.do("GET", path)
    assert (changed["name"], changed["is_default"], changed["is_system"]) == ("standard", True, True)
    assert (changed["min_approvers"], changed["updated_at"] > first["updated_at"]) == (3, True)


async def test_a_change_replaces_everything_but_the_name_and_what_it_does_not_know_of(lodge):
    made = await workflow(
        lodge, description="old", min_approvers=2, steps=[{"name": "team", "approvers": 2}], grant_seconds=60,
        break_glass=True,
    )  # fmt: skip
    path = f"{WORKFLOWS}/{made['id']}"
    body = {"name": "renamed", "is_default": True, "enabled": True, **TIMES, "request_ttl_seconds": 60}
    await lodge.do("PUT", path, body, status=204, tells="workflow.changed")
    changed = await lodge.do("GET", path)
    assert changed == {
        **{key: value for key, value in made.items() if key != "description"},
        "min_approvers": 0, "request_ttl_seconds": 60, "updated_at": changed["updated_at"],
    }  # fmt: skip
    await lodge.do("PUT", path, body, status=204)  # nothing changes, nothing is told
    own = {**body, "steps": [], "grant_seconds": 0, "break_glass": False, "enabled": False}
    await lodge.do("PUT", path, own, status=204, tells="workflow.changed")
    last = await lodge.do("GET", path)
    assert (last["steps"], last["grant_seconds"], last["break_glass"], last["enabled"]) == ([], 0, False, False)
    said = (await lodge.told())[-1]
    assert json.loads(said["detail"]) == {
        "name": "careful", "changed": ["break_glass", "enabled", "grant_seconds", "steps"], "steps": [],
        "grant_seconds": 0, "break_glass": False, "enabled": False,
    }  # fmt: skip
    told = await lodge.deck.instance.db.read(
        lambda tx: [one.type for one in events.read(tx, f"broker-workflow:{made['id']}")]
    )
    assert told == ["broker-workflow-created", "broker-workflow-changed", "broker-workflow-changed"]


async def test_a_workflow_that_policies_or_requests_use_stays(lodge):
    made = await workflow(lodge)
    path = f"{WORKFLOWS}/{made['id']}"
    rule = await policy(lodge, "rule", made["id"])
    await lodge.refused(409, "DELETE", path, says="used by 1 policy")
    await lodge.do("DELETE", f"{POLICIES}/{rule['id']}", status=204, tells="policy.deleted")

    def asked(tx):
        return rows.request(tx, tx.one(select(Workflow).where(Workflow.uid == made["id"]), what="it"), ended_at=tx.now)

    request = await lodge.deck.instance.db.write(asked)
    await lodge.refused(409, "DELETE", path, says="used by 1 request")
    await lodge.deck.instance.db.write(lambda tx: tx.session.delete(tx.get(type(request), request.id)))
    await lodge.do("DELETE", path, status=204, tells="workflow.deleted")
    answer = await lodge.refused(404, "DELETE", path)
    assert answer.json()["error"] == "workflow not found"


async def test_a_policy_and_the_end_of_its_workflow_at_once_leave_no_rule_without_one(lodge):
    for number in range(3):
        made = await workflow(lodge, f"flow {number}")
        body = {"name": "rule", "workflow_id": made["id"], "enabled": True}
        ruled, ended = await asyncio.gather(
            lodge.send("POST", POLICIES, body), lodge.send("DELETE", f"{WORKFLOWS}/{made['id']}")
        )
        assert (ruled.status_code, ended.status_code) in {(201, 409), (400, 204)}, (ruled.text, ended.text)


async def test_ids_that_are_none_and_those_of_another_organization(lodge):
    eve = await lodge.person("eve", "broker:admin", organization="org_other")
    theirs = await workflow(lodge, "theirs", by=eve)
    for method, body in (("GET", None), ("PUT", {**TIMES, "enabled": True}), ("DELETE", None)):
        for wrong in MALFORMED:
            answer = await lodge.refused(400, method, f"{WORKFLOWS}/{wrong}", body)
            assert answer.json()["error"].startswith("invalid workflow id")
        for nobodys in (NOBODY, theirs["id"]):
            answer = await lodge.refused(404, method, f"{WORKFLOWS}/{nobodys}", body)
            assert answer.json()["error"] == "workflow not found"
            assert "theirs" not in answer.text
    await lodge.refused(404, "GET", f"{WORKFLOWS}?after={theirs['id']}")
    own = (await lodge.do("POST", "/api/v1/roles", {"name": "Own"}, status=201, by=eve, tells="role.created"))["id"]
    await lodge.refused(400, "POST", WORKFLOWS, {"name": "x", "approver_role_id": own, **TIMES}, says="role")
    assert await lodge.do("GET", f"{WORKFLOWS}/{theirs['id']}", by=eve) == theirs


@pytest.mark.parametrize("role", ["broker:approver", "broker:developer", "organization:owner"])
async def test_who_may_not_edit_changes_nothing(lodge, role):
    bob = await lodge.person("bob", role)
    made = await workflow(lodge)
    path = f"{WORKFLOWS}/{made['id']}"
    for method, address, body in (
        ("POST", WORKFLOWS, {"name": "x", **TIMES}), ("PUT", path, {**TIMES, "enabled": True}), ("DELETE", path, None),
    ):  # fmt: skip
        answer = await lodge.refused(403, method, address, body, by=bob)
        assert answer.json()["error"] == 'missing permission "workflow.edit" (global scope)'


async def test_an_organization_has_a_bounded_number_of_workflows(lodge, monkeypatch):
    monkeypatch.setattr(workflows, "MOST", 2)
    await workflow(lodge)
    await lodge.refused(409, "POST", WORKFLOWS, {"name": "third", **TIMES}, says="There are 2 workflows")
