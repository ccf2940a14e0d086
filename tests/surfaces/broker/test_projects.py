"""Projects and environments over the broker surface."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.tenancy.model import BrokerProject
from quarterdeck.identity import users
from quarterdeck.identity.model import User
from quarterdeck.kernel import events
from quarterdeck.workspace import environment_lifecycle, variables
from quarterdeck.workspace import environments as workspace_environments
from quarterdeck.workspace import projects as workspace
from quarterdeck.workspace.model import Environment, Project
from support import broker_rows as rows
from surfaces.broker.making import ENVIRONMENTS, MALFORMED, NOBODY, PROJECTS, environment, project


async def by_person(lodge, verb):
    """A rule run as Ada, as another surface would."""

    def unit(tx):
        tx.act_as(users.principal(tx.get(User, lodge.ada.id), rows.organization(tx).id))
        return verb(tx)

    return await lodge.deck.instance.db.write(unit)


def row(tx, model, uid):
    return tx.one(select(model).where(model.uid == uid), what=uid)


async def test_a_project_is_answered_in_the_form_that_programs_read(lodge):
    team = "0190A000-0000-7000-8000-00000000000A"
    made = await lodge.do(
        "POST", PROJECTS, {"name": " payments ", "owner_team_id": team}, status=201, tells="project.created"
    )
    assert made == {
        "id": made["id"], "name": "payments", "owner_team_id": team.lower(), "status": "active",
        "created_at": made["created_at"], "updated_at": made["created_at"],
    }  # fmt: skip
    assert made["created_at"].endswith("Z")
    bob = await lodge.person("bob")
    second = await project(lodge, "orders")
    assert "owner_team_id" not in second
    assert await lodge.do("GET", PROJECTS, by=bob) == [made, second]
    assert await lodge.do("GET", f"{PROJECTS}?limit=1") == [made]
    assert await lodge.do("GET", f"{PROJECTS}?limit=1&after={made['id']}") == [second]
    assert await lodge.do("GET", f"{PROJECTS}/{made['id'].upper()}", by=bob) == made


async def test_a_project_that_others_made_becomes_one_of_the_brokers(lodge):
    """Until then it is not listed; what archives it elsewhere is seen here."""
    ref = await by_person(lodge, lambda tx: workspace.create(tx, "payments").ref)
    assert await lodge.do("GET", PROJECTS) == []
    made = await lodge.do("POST", PROJECTS, {"name": "Payments"}, status=201, tells="broker-project.adopted")
    assert made["name"] == "payments"
    await by_person(lodge, lambda tx: workspace.archive(tx, ref))
    shown = await lodge.do("GET", f"{PROJECTS}/{made['id']}")
    assert (shown["status"], shown["updated_at"] > made["updated_at"]) == ("archived", True)
    other = await by_person(lodge, lambda tx: workspace.create(tx, "orders").ref)
    await by_person(lodge, lambda tx: workspace.archive(tx, other))
    await lodge.refused(409, "POST", PROJECTS, {"name": "orders"}, says="archived")


async def test_what_a_project_cannot_be(lodge):
    for body in ({}, {"name": ""}, {"name": " "}, {"name": None}):
        assert "name is required" in (await lodge.refused(400, "POST", PROJECTS, body)).json()["error"]
    for body in (
        {"name": 7}, {"name": "a\nb"}, {"name": "x" * 201}, {"name": "x" * 500}, [], {"name": "ok", "status": "gone"},
        {"name": "ok", "owner_team_id": "a team"},
    ):  # fmt: skip
        await lodge.refused(400, "POST", PROJECTS, body)
    await project(lodge)
    for name in ("payments", " PAYMENTS", "pay ments"):
        answer = await lodge.send("POST", PROJECTS, {"name": name})
        assert answer.status_code == (409 if "pay ments" not in name else 201), answer.text
    for wrong in MALFORMED:
        for method, path, body in (
            ("GET", "", None), ("PUT", "/status", {"status": "active"}), ("GET", "/environments", None),
        ):  # fmt: skip
            answer = await lodge.refused(400, method, f"{PROJECTS}/{wrong}{path}", body)
            assert answer.json()["error"].startswith("invalid project id")
    await lodge.refused(400, "GET", f"{PROJECTS}?after=x")
    await lodge.refused(400, "GET", f"{PROJECTS}?limit=0")
    await lodge.refused(404, "GET", f"{PROJECTS}?after={NOBODY}")


async def test_archiving_is_taken_back_and_repeating_it_tells_nothing(lodge):
    made = await project(lodge)
    path = f"{PROJECTS}/{made['id']}"
    await lodge.do("PUT", f"{path}/status", {"status": "archived"}, status=204, tells="project.archived")
    await lodge.do("PUT", f"{path}/status", {"status": "archived"}, status=204)
    archived = await lodge.do("GET", path)
    assert (archived["status"], archived["updated_at"] > made["updated_at"]) == ("archived", True)
    await lodge.refused(409, "POST", ENVIRONMENTS, {"project_id": made["id"], "name": "live"}, says="archived")
    for body in ({}, {"status": "deleted"}, {"status": None}, {"status": "Archived"}):
        await lodge.refused(400, "PUT", f"{path}/status", body)
    await lodge.do("PUT", f"{path}/status", {"status": "active"}, status=204, tells="project.restored")
    assert (await lodge.do("GET", path))["status"] == "active"
    answer = await lodge.refused(404, "PUT", f"{PROJECTS}/{NOBODY}/status", {"status": "active"})
    assert answer.json()["error"] == "project not found"
    told = await lodge.deck.instance.db.read(
        lambda tx: [(one.type, one.data) for one in events.read(tx, f"broker-project:{made['id']}")]
    )
    assert [one for one, _ in told] == ["broker-project-created", *["broker-project-status-changed"] * 2]
    both = ("project.created", "project.archived")
    begun = await lodge.do("POST", PROJECTS, {"name": "old", "status": "archived"}, status=201, tells=both)
    assert begun["status"] == "archived"


async def test_two_who_make_the_same_project_at_once_make_one(lodge):
    answers = await asyncio.gather(*(lodge.send("POST", PROJECTS, {"name": "payments"}) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    assert len(await lodge.do("GET", PROJECTS)) == 1


async def test_environments_have_types_and_are_listed_by_project_and_name(lodge):
    first, second = await project(lodge), await project(lodge, "orders")
    made = await environment(lodge, first["id"], "live", "prod")
    assert made == {
        "id": made["id"], "project_id": first["id"], "name": "live", "type": "prod", "kind": "prod",
        "created_at": made["created_at"], "updated_at": made["created_at"],
    }  # fmt: skip
    kinds = {"live": "production"}
    for name, word, kind in (
        ("dev", "dev", "development"), ("stage", "staging", "staging"), ("uat", "uat", "test"),
        ("demo", "other", "custom"),
    ):  # fmt: skip
        one = await environment(lodge, first["id"], name, word)
        assert (one["type"], one["kind"]) == (word, "non_prod")
        kinds[name] = kind
    plain = await lodge.do(
        "POST", ENVIRONMENTS, {"project_id": second["id"], "name": "a"}, status=201, tells="environment.created"
    )
    assert (plain["type"], plain["kind"]) == ("other", "non_prod")
    bob = await lodge.person("bob")
    listed = await lodge.do("GET", ENVIRONMENTS, by=bob)
    assert [one["name"] for one in listed] == ["demo", "dev", "live", "stage", "uat", "a"]
    assert await lodge.do("GET", f"{PROJECTS}/{first['id']}/environments", by=bob) == listed[:5]
    assert await lodge.do("GET", f"{PROJECTS}/{NOBODY}/environments") == []
    assert await lodge.do("GET", f"{ENVIRONMENTS}/{made['id']}", by=bob) == made
    pages, after = [], ""
    while page := await lodge.do("GET", f"{ENVIRONMENTS}?limit=2{after}"):
        pages += page
        after = f"&after={page[-1]['id']}"
    assert pages == listed
    stored = await lodge.deck.instance.db.read(
        lambda tx: {one.name: one.kind for one in tx.scalars(select(Environment)) if one.name != "a"}
    )
    assert stored == kinds


async def test_a_kind_alone_makes_production_and_one_that_contradicts_is_refused(lodge):
    base = {"project_id": (await project(lodge))["id"]}
    made = await lodge.do(
        "POST", ENVIRONMENTS, {**base, "name": "live", "kind": "prod"}, status=201, tells="environment.created"
    )
    assert made["type"] == "prod"
    for type_, kind in (("prod", "non_prod"), ("dev", "prod"), ("other", "prod")):
        body = {**base, "name": "x", "type": type_, "kind": kind}
        await lodge.refused(400, "POST", ENVIRONMENTS, body, says="kind")


async def test_what_an_environment_cannot_be(lodge):
    base = {"project_id": (await project(lodge))["id"], "name": "live"}
    eve = await lodge.person("eve", "broker:admin", organization="org_other")
    theirs = await project(lodge, "theirs", by=eve)
    for wrong in (
        {"name": ""}, {"name": None}, {"project_id": ""}, {"project_id": None}, {"project_id": NOBODY},
        {"project_id": "x"}, {"project_id": theirs["id"]}, {"type": "production"}, {"type": "Prod"}, {"name": "a\tb"},
        {"name": "x" * 101},
    ):  # fmt: skip
        answer = await lodge.refused(400, "POST", ENVIRONMENTS, {**base, **wrong})
        assert "theirs" not in answer.text
    await lodge.do("POST", ENVIRONMENTS, base, status=201, tells="environment.created")
    for name in ("live", "LIVE"):
        await lodge.refused(409, "POST", ENVIRONMENTS, {**base, "name": name})
    for method in ("GET", "DELETE"):
        for wrong in MALFORMED:
            answer = await lodge.refused(400, method, f"{ENVIRONMENTS}/{wrong}")
            assert answer.json()["error"].startswith("invalid environment id")
        answer = await lodge.refused(404, method, f"{ENVIRONMENTS}/{NOBODY}")
        assert answer.json()["error"] == "environment not found"


async def test_an_environment_that_nothing_is_in_is_deleted_and_its_name_is_free(lodge):
    where = await project(lodge)
    made = await environment(lodge, where["id"], "live", "prod")
    path = f"{ENVIRONMENTS}/{made['id']}"
    await lodge.do("DELETE", path, status=204, tells="environment.deleted")
    await lodge.refused(404, "DELETE", path)
    assert await lodge.do("GET", ENVIRONMENTS) == []
    await environment(lodge, where["id"], "live", "dev")


async def test_an_environment_that_something_is_in_or_about_stays(lodge):
    where = await project(lodge)
    made = await environment(lodge, where["id"], "live", "prod")
    path = f"{ENVIRONMENTS}/{made['id']}"

    def with_variable(tx):
        one = row(tx, Environment, made["id"])
        variables.put(tx, f"environment:{one.id}", "environment", "URL", "x", "runtime", "plain", secret=False)

    def with_request(tx):
        one = row(tx, Environment, made["id"])
        variables.drop(tx, f"environment:{one.id}", "environment", "URL", "runtime")
        return rows.request(tx, rows.workflow(tx, "other"), environment_id=one.id, project_id=one.project_id).id

    await by_person(lodge, with_variable)
    await lodge.refused(409, "DELETE", path, says="variable is kept in it")
    number = await by_person(lodge, with_request)
    await lodge.refused(409, "DELETE", path, says="request for a secret has not ended")

    def ended(tx):
        tx.get(Request, number).ended_at = tx.now

    await by_person(lodge, ended)
    ref = await by_person(lodge, lambda tx: row(tx, Environment, made["id"]).ref)
    project_ref = await by_person(lodge, lambda tx: row(tx, Project, where["id"]).ref)
    body = {"projectId": project_ref, "environmentId": ref, "name": "Web"}
    resource = (await lodge.do("POST", "/api/resources", body, status=201, tells="resource.created"))["id"]
    await lodge.refused(409, "DELETE", path, says="resource belongs to it")
    lodge.deck.token = lodge.ada.token
    await lodge.deck.do("resources.archive", {"reason": "replaced"}, resourceId=resource)
    await lodge.deck.do("resources.delete", {"confirmation": {"resourceSlug": "web"}}, resourceId=resource)
    await by_person(lodge, lambda tx: environment_lifecycle.lock(tx, ref))
    assert (await lodge.do("GET", path))["updated_at"] > made["updated_at"]
    await lodge.refused(409, "DELETE", path, says="locked")
    await by_person(lodge, lambda tx: environment_lifecycle.unlock(tx, ref))
    copied = await by_person(lodge, lambda tx: workspace_environments.make(tx, row(tx, Project, where["id"]).ref,
                                                                          "copy", "staging", ref).uid)  # fmt: skip
    await lodge.do("DELETE", path, status=204, tells="environment.deleted")
    assert (await lodge.do("GET", f"{ENVIRONMENTS}/{copied}"))["name"] == "copy"


async def test_an_archived_environment_is_out_of_use(lodge):
    where = await project(lodge)
    made = await environment(lodge, where["id"], "live", "prod")
    await by_person(lodge, lambda tx: environment_lifecycle.archive(tx, row(tx, Environment, made["id"]).ref))
    assert await lodge.do("GET", ENVIRONMENTS) == []
    await lodge.refused(404, "GET", f"{ENVIRONMENTS}/{made['id']}")


async def test_a_project_goes_when_no_request_is_open_and_takes_its_part_along(lodge):
    made = await project(lodge)

    def open_request(tx):
        one = row(tx, Project, made["id"])
        return rows.request(tx, rows.workflow(tx, "other"), project_id=one.id).id, one.ref

    number, ref = await by_person(lodge, open_request)
    path = f"{PROJECTS}/{made['id']}/status"
    await lodge.do("PUT", path, {"status": "archived"}, status=204, tells="project.archived")
    body = {"projectId": ref, "confirmation": {"projectId": ref}}
    answer = await lodge.send("DELETE", f"/api/projects/{ref}", body)
    assert (answer.status_code, "secret-request" in answer.text) == (409, True), answer.text

    def ended(tx):
        tx.get(Request, number).ended_at = tx.now

    await by_person(lodge, ended)
    answer = await lodge.send("DELETE", f"/api/projects/{ref}", body)
    assert answer.status_code == 200, answer.text
    await lodge.refused(404, "GET", f"{PROJECTS}/{made['id']}")
    assert await lodge.deck.instance.db.read(lambda tx: list(tx.scalars(select(BrokerProject)))) == []


@pytest.mark.parametrize("role", ["broker:approver", "broker:developer", "organization:owner"])
async def test_who_may_not_edit_changes_nothing(lodge, role):
    bob = await lodge.person("bob", role)
    made = await project(lodge)
    where = await environment(lodge, made["id"], "live", "prod")
    for method, path, body in (
        ("POST", PROJECTS, {"name": "x"}),
        ("PUT", f"{PROJECTS}/{made['id']}/status", {"status": "archived"}),
        ("POST", ENVIRONMENTS, {"project_id": made["id"], "name": "x"}),
        ("DELETE", f"{ENVIRONMENTS}/{where['id']}", None),
    ):
        answer = await lodge.refused(403, method, path, body, by=bob)
        assert answer.json()["error"] == 'missing permission "team.edit" (global scope)'


async def test_ids_of_another_organization_are_nobodys(lodge):
    eve = await lodge.person("eve", "broker:admin", organization="org_other")
    theirs = await project(lodge, "theirs", by=eve)
    live = await environment(lodge, theirs["id"], "their-live", "prod", by=eve)
    assert await lodge.do("GET", PROJECTS) == []
    assert await lodge.do("GET", ENVIRONMENTS) == []
    assert await lodge.do("GET", f"{PROJECTS}/{theirs['id']}/environments") == []
    for method, path, body in (
        ("GET", f"{PROJECTS}/{theirs['id']}", None),
        ("PUT", f"{PROJECTS}/{theirs['id']}/status", {"status": "archived"}),
        ("GET", f"{PROJECTS}?after={theirs['id']}", None),
        ("GET", f"{ENVIRONMENTS}/{live['id']}", None),
        ("GET", f"{ENVIRONMENTS}?after={live['id']}", None),
        ("DELETE", f"{ENVIRONMENTS}/{live['id']}", None),
    ):
        answer = await lodge.refused(404, method, path, body)
        assert "their" not in answer.text
    assert (await lodge.do("GET", f"{PROJECTS}/{theirs['id']}", by=eve))["status"] == "active"
    await project(lodge, "theirs")  # a name of their own
