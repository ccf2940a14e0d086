"""Projects over the API."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from quarterdeck.kernel import events
from quarterdeck.workspace.model import Environment


async def test_a_project_is_created_with_a_slug_and_shown_without_empty_fields(deck):
    made = await deck.do("projects.create", {"name": "  Crème & Co  ", "description": ""})
    shown = await deck.do("projects.show", projectId=made["id"])
    assert (shown["name"], shown["slug"]) == ("Crème & Co", "creme-co")
    assert set(shown) == {"id", "organizationId", "name", "slug", "lifecycleStatus", "createdAt"}
    assert shown["organizationId"] == "org_self_hosted"
    named = await deck.do("projects.create", {"name": "B", "organizationId": "org_self_hosted"})
    assert [row["id"] for row in (await deck.do("projects.list"))["items"]] == [named["id"], made["id"]]
    assert await deck.do("projects.count") == {"count": 2}
    other = {"name": "C", "organizationId": "org_other"}
    await deck.refused(403, "product_auth_forbidden", "projects.create", other)


async def test_a_slug_belongs_to_one_project(deck):
    first, second = await deck.project("Shop"), await deck.project("Blog")
    await deck.refused(409, "conflict", "projects.create", {"name": "shop!"})
    await deck.refused(409, "project_slug_conflict", "projects.rename", {"name": "SHOP"}, projectId=second)
    await deck.do("projects.rename", {"name": "SHOP"}, projectId=first)
    shown = await deck.do("projects.show", projectId=first)
    assert (shown["name"], shown["slug"]) == ("SHOP", "shop")


async def test_an_archived_project_is_read_and_restored_but_not_changed(deck):
    project, environment = await deck.place()
    await deck.do("projects.archive", {"reason": "done"}, projectId=project)
    await deck.do("projects.archive", {"reason": "again"}, projectId=project)
    shown = await deck.do("projects.show", projectId=project)
    assert (shown["lifecycleStatus"], shown["archiveReason"]) == ("archived", "done")
    body = {"projectId": project, "name": "x", "kind": "test"}
    await deck.refused(409, "project_archived", "projects.rename", {"name": "x"}, projectId=project)
    await deck.refused(409, "project_archived", "projects.set-description", {"description": "x"}, projectId=project)
    await deck.refused(409, "project_archived", "environments.create", body)
    variable = {"key": "A", "value": "1", "kind": "plain-config", "exposure": "runtime"}
    await deck.refused(409, "project_archived", "environments.set-variable", variable, environmentId=environment)
    await deck.do("projects.restore", projectId=project)
    await deck.do("projects.restore", projectId=project)
    shown = await deck.do("projects.show", projectId=project)
    assert (shown["lifecycleStatus"], "archivedAt" in shown) == ("active", False)


async def test_repeating_a_state_change_is_no_second_event(deck):
    project = await deck.project()
    for _ in range(3):
        await deck.do("projects.archive", {}, projectId=project)
    rows = await deck.instance.db.read(events.read, f"project:{project}", 0, 100)
    assert [row.type for row in rows] == ["project-created", "project-archived"]


async def test_a_description_is_set_and_cleared(deck):
    project = await deck.project()
    await deck.do("projects.set-description", {"description": "One\nTwo"}, projectId=project)
    assert (await deck.do("projects.show", projectId=project))["description"] == "One\nTwo"
    await deck.do("projects.set-description", {}, projectId=project)
    assert "description" not in await deck.do("projects.show", projectId=project)


async def test_a_project_is_deleted_archived_confirmed_and_empty(deck):
    project, environment = await deck.place()
    resource = await deck.resource((project, environment))
    confirmed = {"confirmation": {"projectId": project}}

    async def blockers():
        found = await deck.do("projects.delete-check", projectId=project)
        assert found["eligible"] == (not found["blockers"])
        return {one["kind"] for one in found["blockers"]}

    assert await blockers() == {"active-project", "environment", "resource"}
    await deck.malformed("projects.delete", {}, projectId=project)
    await deck.refused(409, "project_delete_blocked", "projects.delete", confirmed, projectId=project)
    await deck.do("resources.archive", {}, resourceId=resource)
    await deck.do("resources.delete", {"confirmation": {"resourceSlug": "web"}}, resourceId=resource)
    await deck.do("projects.archive", {}, projectId=project)
    assert await blockers() == {"environment"}
    await deck.instance.db.write(archive_environments)
    wrong = {"confirmation": {"projectId": "prj_other"}}
    await deck.refused(400, "validation_error", "projects.delete", wrong, projectId=project)
    await deck.do("projects.delete", confirmed, projectId=project)
    await deck.refused(404, "not_found", "projects.show", projectId=project)
    await deck.refused(404, "not_found", "environments.show", environmentId=environment)
    assert await deck.do("projects.count") == {"count": 0}


async def test_a_project_goes_with_environments_that_were_made_from_one_another(deck):
    project, environment = await deck.place()
    body = {"projectId": project, "name": "b", "kind": "test", "parentEnvironmentId": environment}
    child = (await deck.do("environments.create", body))["id"]
    await deck.do("environments.create", {**body, "name": "c", "parentEnvironmentId": child})
    variable = {"key": "A", "value": "1", "kind": "secret", "exposure": "runtime"}
    await deck.do("environments.set-variable", variable, environmentId=child)
    await deck.do("projects.archive", {}, projectId=project)
    await deck.instance.db.write(archive_environments)
    await deck.do("projects.delete", {"confirmation": {"projectId": project}}, projectId=project)
    # A later environment never finds what belonged to an earlier one.
    other = await deck.place("Other")
    for name in ("b", "c"):
        made = await deck.environment(other[0], name)
        assert (await deck.do("environments.show", environmentId=made))["maskedVariables"] == []
    assert (await deck.do("environments.show", environmentId=other[1]))["maskedVariables"] == []


def archive_environments(tx):
    for row in tx.scalars(select(Environment)):
        row.lifecycle, row.archived_at = "archived", tx.now


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x00b", "x" * 201, "\u202e", None, 5, ["a"], {}])
async def test_a_name_is_one_printable_line(deck, name):
    answer = await deck.request("projects.create", {"name": name})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("reason", ["x" * 281, "a\nb", "", " "])
async def test_a_reason_is_one_line_of_at_most_280_characters(deck, reason):
    project = await deck.project()
    answer = await deck.request("projects.archive", {"reason": reason}, projectId=project)
    assert answer.status_code == 400, answer.text
    assert (await deck.do("projects.show", projectId=project))["lifecycleStatus"] == "active"
