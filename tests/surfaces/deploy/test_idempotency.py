"""A command sent twice under one key is carried out once."""

from __future__ import annotations

from support.served import SOURCE


async def test_the_same_request_under_one_key_is_carried_out_once(deck):
    resource = await deck.resource()
    body = {"source": SOURCE, "idempotencyKey": "k" * 1000}
    first = await deck.do("resources.configure-source", body, resourceId=resource)
    other = {"source": {**SOURCE, "gitRef": "next"}}
    await deck.do("resources.configure-source", other, resourceId=resource)
    assert await deck.do("resources.configure-source", body, resourceId=resource) == first
    # The repetition did not bring the first source back.
    assert (await deck.do("resources.show", resourceId=resource))["source"]["gitRef"] == "next"


async def test_another_request_under_a_used_key_is_a_conflict(deck):
    resource = await deck.resource()
    body = {"runtimeProfile": {"startCommand": "one"}, "idempotencyKey": "key"}
    await deck.do("resources.configure-runtime", body, resourceId=resource)
    other = {"runtimeProfile": {"startCommand": "two"}, "idempotencyKey": "key"}
    await deck.refused(409, "conflict", "resources.configure-runtime", other, resourceId=resource)
    shown = await deck.do("resources.show", resourceId=resource)
    assert shown["runtimeProfile"]["startCommand"] == "one"


async def test_a_key_is_one_callers_and_one_things_own(deck):
    place = await deck.place()
    first, second = await deck.resource(place, name="One"), await deck.resource(place, name="Two")
    for number, resource in enumerate((first, second)):
        body = {"runtimeProfile": {"startCommand": str(number)}, "idempotencyKey": "key"}
        await deck.do("resources.configure-runtime", body, resourceId=resource)
    stranger = await deck.member("owner", "org_elsewhere")
    body = {"scope": {"kind": "system"}, "mode": "disabled", "idempotencyKey": "key"}
    mine = await deck.do("default-access-domain-policies.configure", body)
    theirs = await deck.do("default-access-domain-policies.configure", {**body, "mode": "provider"}, token=stranger)
    assert mine != theirs


async def test_what_was_refused_may_be_tried_again_under_its_key(deck):
    project = await deck.project()
    body = {"confirmation": {"projectId": project}, "idempotencyKey": "key"}
    await deck.refused(409, "project_delete_blocked", "projects.delete", body, projectId=project)
    await deck.do("projects.archive", {}, projectId=project)
    await deck.do("projects.delete", body, projectId=project)
    # It is gone, and still the repetition gets the answer of the first time.
    assert await deck.do("projects.delete", body, projectId=project) == {"id": project}
    await deck.refused(404, "not_found", "projects.show", projectId=project)
