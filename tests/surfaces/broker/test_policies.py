"""Policies over the broker surface: who writes which, and what they would do."""

from __future__ import annotations

import json

import pytest

from quarterdeck.broker.policies import policies
from quarterdeck.kernel import events
from surfaces.broker.making import (
    MALFORMED,
    NOBODY,
    POLICIES,
    PROJECTS,
    WORKFLOWS,
    environment,
    policy,
    project,
    workflow,
)

TRY = f"{POLICIES}/try"
READ = {"provider_type": "vault", "secret_ref": "db/password", "operation": "read"}


async def author(lodge, name="abe", **scope):
    """Somebody who may author rules, of a project or of part of one (`scope`)."""
    listed = await lodge.do("GET", "/api/v1/roles")
    role = next((one for one in listed if one["name"] == "Author"), None)
    if role is None:
        body = {"name": "Author", "permissions": ["policy.author"]}
        role = await lodge.do("POST", "/api/v1/roles", body, status=201, tells="role.created")
    person = await lodge.person(name)
    given = {"user_id": person.uid, "role_id": role["id"], "scope": scope}
    await lodge.do("POST", "/api/v1/user-roles", given, status=201, tells="role.granted")
    return person


async def test_the_default_rule_and_others_in_the_order_of_asking(lodge):
    bob = await lodge.person("bob")
    (first,) = await lodge.do("GET", POLICIES, by=bob)
    (standard,) = await lodge.do("GET", WORKFLOWS)
    assert first == {
        "id": first["id"], "name": "match-all (system default)", "selector": {}, "workflow_id": standard["id"],
        "priority": 0, "enabled": True, "is_system": True, "created_at": first["created_at"],
        "updated_at": first["updated_at"],
    }  # fmt: skip
    flow = (await workflow(lodge))["id"]
    made = [await policy(lodge, name, flow, priority=number) for name, number in (("a", 5), ("b", 7), ("c", 5))]
    assert made[0].keys() == first.keys() - {"is_system"}
    listed = await lodge.do("GET", POLICIES, by=bob)
    assert [one["name"] for one in listed] == ["b", "a", "c", first["name"]]
    assert await lodge.do("GET", f"{POLICIES}/{made[1]['id']}", by=bob) == made[1]
    pages, after = [], ""
    while page := await lodge.do("GET", f"{POLICIES}?limit=1{after}"):
        pages += page
        after = f"&after={page[-1]['id']}"
    assert pages == listed


async def test_what_is_left_out_is_empty_zero_and_disabled(lodge):
    flow = (await workflow(lodge))["id"]
    body = {"name": "bare", "workflow_id": flow}
    made = await lodge.do("POST", POLICIES, body, status=201, tells="policy.created")
    assert (made["enabled"], made["priority"], made["selector"]) == (False, 0, {})
    assert made.keys() & {"is_system", "direct_reveal_allowed", "project_id"} == set()
    null = {**body, "selector": None, "priority": None, "enabled": None, "project_id": None}
    await lodge.do("POST", POLICIES, null, status=201, tells="policy.created")


async def test_a_change_overwrites_everything_and_whose_it_is_stays(lodge):
    here, flow, other = await project(lodge), (await workflow(lodge))["id"], (await workflow(lodge, "other"))["id"]
    given = {"selector": {"environment": "live"}, "direct_reveal_allowed": True, "project_id": here["id"]}
    made = await policy(lodge, "rule", flow, **given)
    assert made.items() >= given.items()
    path = f"{POLICIES}/{made['id']}"
    body = {"name": "renamed", "workflow_id": other.upper(), "priority": 7}
    await lodge.do("PUT", path, body, status=204, tells="policy.changed")
    changed = await lodge.do("GET", path)
    assert changed == {
        "id": made["id"], "name": "renamed", "selector": {}, "workflow_id": other, "priority": 7, "enabled": False,
        "project_id": here["id"], "created_at": made["created_at"], "updated_at": changed["updated_at"],
    }  # fmt: skip
    assert json.loads((await lodge.told())[-1]["detail"])["changed"] == [
        "direct_reveal", "enabled", "name", "priority", "selector", "workflow_id",
    ]  # fmt: skip
    await lodge.do("PUT", path, {**body, "project_id": here["id"].upper()}, status=204)  # the same: nothing is told
    elsewhere = await project(lodge, "orders")
    await lodge.refused(400, "PUT", path, {**body, "project_id": elsewhere["id"]}, says="stays with its project")
    platform = await policy(lodge, "of all", flow)
    wrong = {**body, "project_id": here["id"]}
    await lodge.refused(400, "PUT", f"{POLICIES}/{platform['id']}", wrong, says="stays with its project")
    await lodge.do("DELETE", path, status=204, tells="policy.deleted")
    assert (await lodge.refused(404, "DELETE", path)).json()["error"] == "policy not found"
    told = await lodge.deck.instance.db.read(
        lambda tx: [one.type for one in events.read(tx, f"broker-policy:{made['id']}")]
    )
    assert told == ["broker-policy-created", "broker-policy-changed", "broker-policy-deleted"]


async def test_the_default_rule_is_edited_and_not_deleted(lodge):
    (first,) = await lodge.do("GET", POLICIES)
    answer = await lodge.refused(409, "DELETE", f"{POLICIES}/{first['id']}")
    assert answer.json()["error"] == "system row cannot be deleted (edit instead)"
    flow = (await workflow(lodge))["id"]
    body = {"name": "mine", "workflow_id": flow, "enabled": True}
    await lodge.do("PUT", f"{POLICIES}/{first['id']}", body, status=204, tells="policy.changed")
    assert (await lodge.do("GET", f"{POLICIES}/{first['id']}"))["is_system"] is True
    assert (await lodge.do("POST", TRY, READ))["workflow_id"] == flow


WRONG = (
    ({"name": ""}, "name and workflow_id are required"),
    ({"name": None}, "name and workflow_id are required"),
    ({"workflow_id": ""}, "name and workflow_id are required"),
    ({"workflow_id": "x"}, "invalid workflow_id"),
    ({"workflow_id": NOBODY}, "there is no workflow"),
    ({"name": "x" * 201}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"selector": []}, "selector"),
    ({"selector": {"cluster": "eu", "env": "x"}}, "unknown keys cluster, env"),
    ({"selector": {"Environment": "live"}}, "unknown key Environment"),
    ({"selector": {"environment": ""}}, "selector.environment"),
    ({"selector": {"environment": None}}, "selector.environment"),
    ({"selector": {"environment": 5}}, "selector.environment"),
    ({"selector": {"environment": " live"}}, "begins or ends with a space"),
    ({"selector": {"secret_ref_prefix": ""}}, "selector.secret_ref_prefix"),
    ({"selector": {"secret_ref_prefix": "x" * 1001}}, "selector.secret_ref_prefix"),
    ({"selector": {"environment_kind": "production"}}, "prod, non_prod"),
    ({"selector": {"operation": "write"}}, "read, patch"),
    ({"selector": {"project_id": NOBODY}}, "there is no project"),
    ({"selector": {"project_id": "payments"}}, "there is no project"),
    ({"project_id": NOBODY}, "there is no project"),
    ({"project_id": "x"}, "invalid project_id"),
    ({"priority": -1}, "priority"),
    ({"priority": 1_000_001}, "priority"),
    ({"priority": "high"}, "priority"),
    ({"enabled": "yes"}, "enabled"),
    ({"selector": {"environment_kind": "prod"}, "direct_reveal_allowed": True}, "without approval"),
)
"""What a rule cannot be, and what is said of it."""


async def test_what_a_rule_cannot_be(lodge):
    flow = (await workflow(lodge))["id"]
    made = await policy(lodge, "rule", flow)
    for wrong, says in WRONG:
        body = {"name": "other", "workflow_id": flow, **wrong}
        await lodge.refused(400, "POST", POLICIES, body, says=says)
        if "project_id" not in wrong:
            await lodge.refused(400, "PUT", f"{POLICIES}/{made['id']}", body, says=says)
    assert await lodge.do("GET", f"{POLICIES}/{made['id']}") == made


async def test_ids_that_are_none_and_those_of_another_organization(lodge):
    eve = await lodge.person("eve", "broker:admin", organization="org_other")
    flow, theirs = await workflow(lodge), await workflow(lodge, "theirs", by=eve)
    where = await project(lodge, "their-project", by=eve)
    rule = await policy(lodge, "their-rule", theirs["id"], by=eve)
    body = {"name": "mine", "workflow_id": flow["id"]}
    for method, given in (("GET", None), ("PUT", body), ("DELETE", None)):
        for wrong in (*MALFORMED, "try"):
            answer = await lodge.refused(400, method, f"{POLICIES}/{wrong}", given)
            assert answer.json()["error"].startswith("invalid policy id")
        for nobodys in (NOBODY, rule["id"]):
            answer = await lodge.refused(404, method, f"{POLICIES}/{nobodys}", given)
            assert answer.json()["error"] == "policy not found"
    for wrong in (
        {"workflow_id": theirs["id"]},
        {"project_id": where["id"]},
        {"selector": {"project_id": where["id"]}},
    ):
        answer = await lodge.refused(400, "POST", POLICIES, {**body, **wrong})
        assert "their-" not in answer.text
    await lodge.refused(400, "POST", TRY, {**READ, "project_id": where["id"]}, says="there is no project")
    await lodge.refused(404, "GET", f"{POLICIES}?after={rule['id']}")
    assert "their-rule" not in (await lodge.send("POST", TRY, READ)).text
    assert len(await lodge.do("GET", POLICIES)) == 1


@pytest.mark.parametrize("role", ["broker:approver", "broker:developer", "organization:owner", "member:plain"])
async def test_who_may_write_none_is_refused(lodge, role):
    bob, here = await lodge.person("bob", role), await project(lodge)
    flow = (await workflow(lodge))["id"]
    rules = [await policy(lodge, "of all", flow), await policy(lodge, "of one", flow, project_id=here["id"])]
    body = {"name": "x", "workflow_id": flow, "selector": {"environment_kind": "non_prod"}}
    calls = [("POST", POLICIES, body), ("POST", POLICIES, {**body, "project_id": here["id"]})]
    for rule in rules:
        calls += [("PUT", f"{POLICIES}/{rule['id']}", body), ("DELETE", f"{POLICIES}/{rule['id']}", None)]
    for method, path, given in calls:
        answer = await lodge.refused(403, method, path, given, by=bob)
        assert answer.json()["error"] == 'missing permission "policy.edit" (global scope)'


async def test_an_author_writes_rules_of_the_project_and_never_about_production(lodge):
    here, there = await project(lodge), await project(lodge, "orders")
    flow = (await workflow(lodge))["id"]
    abe = await author(lodge, project_id=here["id"])
    body = {"name": "mine", "workflow_id": flow, "enabled": True, "selector": {"environment_kind": "non_prod"}}
    own = {**body, "project_id": here["id"]}
    made = await lodge.do("POST", POLICIES, own, status=201, by=abe, tells="policy.created")
    path = f"{POLICIES}/{made['id']}"
    await lodge.do("PUT", path, {**own, "priority": 8999}, status=204, by=abe, tells="policy.changed")
    for wrong in ({}, {"project_id": there["id"]}):  # of all, and of another project
        await lodge.refused(403, "POST", POLICIES, {**body, **wrong}, by=abe, says="policy.edit")
    for wrong in (
        {"selector": {}}, {"selector": {"environment_kind": "prod"}}, {"selector": {"environment": "staging"}},
        {"direct_reveal_allowed": True},
    ):  # fmt: skip
        for method, address in (("POST", POLICIES), ("PUT", path)):
            answer = await lodge.refused(403, method, address, {**own, **wrong}, by=abe, says="author")
            assert "missing permission" not in answer.text
    for person in (abe, lodge.ada):  # from 9000 on they are the organization's own, whoever writes
        for method, address in (("POST", POLICIES), ("PUT", path)):
            await lodge.refused(400, method, address, {**own, "priority": 9000}, by=person, says="whole organization")
    other = await policy(lodge, "elsewhere", flow, project_id=there["id"], selector=body["selector"])
    strict = await policy(lodge, "strict", flow, project_id=here["id"])
    for rule in (other, strict):  # nor does an author take away what an administrator wrote about production
        await lodge.refused(403, "DELETE", f"{POLICIES}/{rule['id']}", by=abe)
        await lodge.refused(403, "PUT", f"{POLICIES}/{rule['id']}", body, by=abe)
    await policy(lodge, "of all", flow, priority=9000)
    await lodge.do("DELETE", path, status=204, by=abe, tells="policy.deleted")


async def test_an_author_of_a_part_of_a_project_writes_about_that_part_alone(lodge):
    here = await project(lodge)
    flow = (await workflow(lodge))["id"]
    abe = await author(lodge, project_id=here["id"], environment="staging", secret_ref_prefix="db/")
    selector = {"environment_kind": "non_prod", "environment": "staging", "secret_ref_prefix": "db/orders"}
    body = {"name": "mine", "workflow_id": flow, "project_id": here["id"]}
    made = await lodge.do("POST", POLICIES, {**body, "selector": selector}, status=201, by=abe, tells="policy.created")
    for key, value in (("environment", "test"), ("secret_ref_prefix", "d"), ("environment", None)):
        wrong = {**selector, key: value} if value else {one: selector[one] for one in selector if one != key}
        for method, path in (("POST", POLICIES), ("PUT", f"{POLICIES}/{made['id']}")):
            await lodge.refused(403, method, path, {**body, "selector": wrong}, by=abe)


async def test_a_narrowed_administrator_writes_nothing_for_all(lodge):
    admin = next(one for one in await lodge.do("GET", "/api/v1/roles") if one["name"] == "admin")
    bob, here = await lodge.person("bob"), await project(lodge)
    given = {"user_id": bob.uid, "role_id": admin["id"], "scope": {"project_id": here["id"]}}
    await lodge.do("POST", "/api/v1/user-roles", given, status=201, tells="role.granted")
    flow = (await workflow(lodge))["id"]
    body = {"name": "x", "workflow_id": flow, "enabled": True}
    await lodge.refused(403, "POST", POLICIES, body, by=bob)
    await lodge.refused(403, "POST", WORKFLOWS, body, by=bob)


async def test_trying_says_which_rule_sends_a_request_where_and_changes_nothing(lodge):
    here = await project(lodge)
    await environment(lodge, here["id"], "live", "prod")
    await environment(lodge, here["id"], "stage", "staging")
    strict, quick = await workflow(lodge, "strict"), await workflow(lodge, "quick")
    asleep = await workflow(lodge, "asleep", enabled=False)
    await policy(lodge, "production", strict["id"], selector={"environment_kind": "prod"}, priority=500)
    await policy(lodge, "sleeping", asleep["id"], priority=400)
    rule = await policy(lodge, "stages", quick["id"], project_id=here["id"], direct_reveal_allowed=True)
    bob = await lodge.person("bob")
    at_stage = {**READ, "project_id": here["id"], "environment": "stage"}
    told = await lodge.do("POST", TRY, at_stage, by=bob)
    assert told == {
        "workflow_id": quick["id"], "workflow_name": "quick", "policy_id": rule["id"], "policy_name": "stages",
        "production": False, "direct_reveal_allowed": True, "direct_reveal_refused": False,
        "explanation": told["explanation"], "rules": told["rules"],
    }  # fmt: skip
    assert [(one["policy_name"], one["scope"], one["outcome"]) for one in told["rules"]] == [
        ("production", "platform", "not-matched"), ("sleeping", "platform", "workflow-disabled"),
        ("stages", "project", "taken"),
    ]  # fmt: skip
    assert "here it is non_prod" in told["rules"][0]["reason"]
    assert "stages of the project, priority 100" in told["explanation"]
    for asked in ({**at_stage, "environment": "live"}, READ):  # no environment counts as production
        told = await lodge.do("POST", TRY, asked)
        assert (told["policy_name"], told["production"], told["direct_reveal_allowed"]) == ("production", True, False)


async def test_what_cannot_be_tried(lodge):
    here = await project(lodge)
    await environment(lodge, here["id"], "live", "prod")
    for wrong, says in (
        ({"environment": "live"}, "without a project"),
        ({"project_id": here["id"], "environment": "Live"}, "there is no Live in the project payments"),
        ({"project_id": here["id"], "environment": "nowhere"}, "there is no nowhere"),
        ({"project_id": NOBODY}, "there is no project"), ({"project_id": "x"}, "invalid project_id"),
        ({"operation": "steal"}, "operation"), ({"provider_type": ""}, "provider_type"),
        ({"secret_ref": ""}, "secret_ref"),
        ({"secret_ref": "x" * 1001}, "secret_ref"), ({"provider_type": None}, "provider_type"),
    ):  # fmt: skip
        await lodge.refused(400, "POST", TRY, {**READ, **wrong}, says=says)
    await lodge.refused(400, "POST", TRY, {}, says="provider_type")
    await lodge.refused(401, "POST", TRY, READ, token=None)


async def test_an_organization_has_a_bounded_number_of_rules(lodge, monkeypatch):
    monkeypatch.setattr(policies, "MOST", 2)
    flow = (await workflow(lodge))["id"]
    await policy(lodge, "second", flow)
    await lodge.refused(409, "POST", POLICIES, {"name": "third", "workflow_id": flow}, says="There are 2 policies")


async def test_rules_of_a_project_go_with_it(lodge):
    here = await project(lodge)
    flow = (await workflow(lodge))["id"]
    await policy(lodge, "own", flow, project_id=here["id"])
    path = f"{PROJECTS}/{here['id']}/status"
    await lodge.do("PUT", path, {"status": "archived"}, status=204, tells="project.archived")
    body = {"name": "late", "workflow_id": flow, "project_id": here["id"]}
    await lodge.refused(409, "POST", POLICIES, body, says="archived")
    ref = (await lodge.told())[-1]["resource_id"]
    answer = await lodge.send("DELETE", f"/api/projects/{ref}", {"projectId": ref, "confirmation": {"projectId": ref}})
    assert answer.status_code == 200, answer.text
    assert [one["name"] for one in await lodge.do("GET", POLICIES)] == ["match-all (system default)"]
