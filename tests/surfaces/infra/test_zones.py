"""Zones over the API: made from projects, listed with their specs, changed by those who may, deleted without loss."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from quarterdeck.identity.model import User
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.zones import listing
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel import events
from quarterdeck.workspace.model import Project
from surfaces.infra.making import SPECS, ZONES, ledger, spec, zone

NOBODY = "00000000-0000-7000-8000-000000000000"


async def refused(crew, status, method, path, body=None, **options):
    """In the envelope of the surface, and nothing has happened."""
    before = await crew.told()
    answer = await crew.send(method, path, body, **options)
    assert answer.status_code == status, answer.text
    assert answer.json().keys() - {"hint"} == {"code", "error"}
    assert [one for one in (await crew.told())[len(before) :] if one["outcome"] == "success"] == []
    return answer.json()["error"]


async def count(crew, model):
    return await crew.db.read(lambda tx: tx.execute(select(func.count()).select_from(model)).scalar_one())


async def test_a_zone_is_answered_in_the_form_that_programs_read(crew):
    told = await crew.once("project.created", "POST", ZONES, {"name": " payments ", "description": "money"})
    made = told["zone"]
    assert made.keys() >= {"id", "user_id", "name", "description", "created_at", "updated_at"}
    assert (made["name"], made["description"]) == ("payments", "money")
    assert "T" in made["created_at"]
    assert made["created_at"].endswith("Z")
    assert made["user_id"] == (await crew.db.read(lambda tx: tx.get(User, 1))).uid
    second = await zone(crew, "orders")
    whole = await crew.ok("GET", ZONES)
    assert [one["name"] for one in whole["zones"]] == ["orders", "payments"]
    assert (whole["next"], whole["zones"][0]["specs"]) == (None, [])
    shown = (await crew.ok("GET", f"{ZONES}/{made['id'].upper()}"))["zone"]
    assert (shown["id"], shown["specs"], second["id"] != made["id"]) == (made["id"], [], True)


async def test_a_name_is_required_and_bodies_that_are_none_are_refused(crew):
    for body in ({}, {"name": ""}, {"name": "  "}, {"name": None}):
        assert await refused(crew, 400, "POST", ZONES, body) == "Name is required"
    for body in ([], {"name": 7}, {"name": "a\nb"}, {"name": "x" * 201}, {"name": "x" * 500}):
        await refused(crew, 400, "POST", ZONES, body)
    answer = await crew.send("POST", ZONES, content=b"{name:", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json().keys() - {"hint"}) == (400, {"code", "error"})
    assert await count(crew, Zone) == 0
    assert await count(crew, Project) == 0


async def test_a_name_is_taken_once_in_an_organization(crew):
    await zone(crew, "Payments")
    for name in ("Payments", "payments", "Payments!"):
        assert "exists already" in await refused(crew, 409, "POST", ZONES, {"name": name})
    _, bea = await crew.person("bea", "organization:owner", organization="org_other")
    assert (await crew.ok("POST", ZONES, {"name": "Payments"}, token=bea))["zone"]["name"] == "Payments"


async def test_of_two_who_take_a_name_at_once_one_is_refused(crew):
    answers = await asyncio.gather(*(crew.send("POST", ZONES, {"name": "payments"}) for _ in range(6)))
    assert sorted(one.status_code for one in answers) == [200] + [409] * 5
    assert await count(crew, Zone) == 1


async def test_a_project_that_deploys_becomes_a_zone_and_stays_when_that_is_deleted(crew):
    ref = await crew.deck.project("Shop")
    told = await crew.once("infra-zone.created", "POST", ZONES, {"name": "shop"})
    assert await count(crew, Project) == 1
    await crew.once("infra-zone.deleted", "DELETE", f"{ZONES}/{told['zone']['id']}")
    assert (await crew.deck.do("projects.show", projectId=ref))["name"] == "Shop"
    again = await crew.once("infra-zone.created", "POST", ZONES, {"name": "Shop"})
    assert again["zone"]["id"] != told["zone"]["id"]


async def test_an_archived_project_takes_no_zone_no_change_and_no_spec(crew):
    ref = await crew.deck.project("Shop")
    place = await zone(crew, "shop")
    await crew.deck.do("projects.archive", {}, projectId=ref)
    assert "archived" in await refused(crew, 409, "PUT", f"{ZONES}/{place['id']}", {"description": "x"})
    assert "archived" in await refused(crew, 409, "POST", SPECS, ledger(zone_id=place["id"]))
    old = await crew.deck.project("Old")
    await crew.deck.do("projects.archive", {}, projectId=old)
    assert "archived" in await refused(crew, 409, "POST", ZONES, {"name": "old"})


async def test_deleting_a_zone_leaves_its_specs_in_none(crew):
    place = await zone(crew)
    one = await spec(crew, zone_id=place["id"])
    assert await crew.once("infra-zone.deleted", "DELETE", f"{ZONES}/{place['id']}") == {"success": True}
    shown = (await crew.ok("GET", f"{SPECS}/{one['id']}"))["configuration"]
    assert (shown["zone_id"], shown["vineyard_id"], shown["status"]) == (None, None, "DRAFT")
    await refused(crew, 404, "GET", f"{ZONES}/{place['id']}")
    await refused(crew, 404, "DELETE", f"{ZONES}/{place['id']}")
    said = await crew.db.read(lambda tx: events.read(tx, f"infra-zone:{place['id']}"))
    assert [one.type for one in said] == ["infra-zone-created", "infra-zone-deleted"]


async def test_a_zone_is_renamed_with_its_project(crew):
    place, other = await zone(crew, "payments"), await zone(crew, "orders")
    path = f"{ZONES}/{place['id']}"
    assert (await crew.once("project.renamed", "PUT", path, {"name": "Billing"}))["zone"]["name"] == "Billing"
    assert "exists already" in await refused(crew, 409, "PUT", path, {"name": other["name"]})
    changed = (await crew.once("infra-zone.changed", "PUT", path, {"description": "bills"}))["zone"]
    assert changed["description"] == "bills"
    before = len(await crew.told())
    assert (await crew.ok("PUT", path, {"description": "bills", "name": "Billing"}))["zone"] == changed
    assert len(await crew.told()) == before, "the same again changes nothing"
    assert (await crew.ok("PUT", path, {"description": None}))["zone"]["description"] is None
    for body in (
        {"name": ""}, {"name": None}, {"name": "a\u202eb"}, {"approvals": -1}, {"approvals": 21}, {"approvals": True},
        {"approvals": "1"}, {"destroy_approvals": None}, {"description": "x\x1b"},
    ):  # fmt: skip
        await refused(crew, 400, "PUT", path, body)


async def test_how_many_must_agree_is_decided_by_those_who_may(crew):
    place = await zone(crew)
    path = f"{ZONES}/{place['id']}"
    _, dan = await crew.person("dan", "organization:developer")
    for body in ({"approvals": 1}, {"destroy_approvals": 2, "description": "mine"}):
        assert "infra:zones.policy" in await refused(crew, 403, "PUT", path, body, token=dan)
    assert (await crew.ok("PUT", path, {"approvals": 0, "description": "ours"}, token=dan))["zone"]["approvals"] == 0
    told = (await crew.once("infra-zone.changed", "PUT", path, {"approvals": 2, "destroy_approvals": 1}))["zone"]
    assert (told["approvals"], told["destroy_approvals"], told["description"]) == (2, 1, "ours")
    # Nobody gets around it by taking the zone, or the spec in it, away.
    one = await spec(crew, zone_id=place["id"])
    await refused(crew, 403, "DELETE", path, token=dan)
    free = await zone(crew, "free")
    for target in (None, free["id"]):
        await refused(crew, 403, "PUT", f"{SPECS}/{one['id']}", ledger(zone_id=target), token=dan)
    stricter = await zone(crew, "strict")
    await crew.ok("PUT", f"{ZONES}/{stricter['id']}", {"approvals": 3, "destroy_approvals": 3})
    moved = await crew.ok("PUT", f"{SPECS}/{one['id']}", ledger(zone_id=stricter["id"]), token=dan)
    assert moved["configuration"]["zone_id"] == stricter["id"]
    await crew.ok("PUT", f"{SPECS}/{one['id']}", ledger(zone_id=None))
    await crew.ok("DELETE", path)


async def test_another_organization_sees_and_touches_nothing(crew):
    place = await zone(crew)
    _, bea = await crew.person("bea", "organization:owner", organization="org_other")
    assert (await crew.ok("GET", ZONES, token=bea))["zones"] == []
    for uid in (place["id"], NOBODY, "nobody", "1", "\u00e9", "%20", place["id"] + "x"):
        for method, body in (("GET", None), ("PUT", {"description": "mine"}), ("DELETE", None)):
            error = await refused(crew, 404, method, f"{ZONES}/{uid}", body, token=bea)
            assert error == "Zone not found"
    assert await refused(crew, 400, "POST", SPECS, ledger(zone_id=place["id"]), token=bea) == (
        "zone_id: there is no such zone."
    )
    await refused(crew, 404, "GET", f"{SPECS}?zone_id={place['id']}", token=bea)


async def test_a_list_is_read_page_by_page(crew):
    names = [f"zone-{number}" for number in range(5)]
    for name in names:
        await zone(crew, name)
    seen, before = [], None
    while True:
        params = {"limit": 2, **({"before": before} if before else {})}
        page = await crew.ok("GET", ZONES, params=params)
        seen += [one["name"] for one in page["zones"]]
        before = page["next"]
        if before is None:
            break
    assert seen == names[::-1]
    for params in ({"limit": 0}, {"limit": 501}, {"limit": "x"}):
        assert (await crew.send("GET", ZONES, params=params)).status_code == 400
    assert (await crew.send("GET", ZONES, params={"before": NOBODY})).status_code == 404


async def test_a_crowded_zone_shows_its_newest_specs_and_how_many_there_are(crew, monkeypatch):
    monkeypatch.setattr(listing, "SHOWN", 3)
    monkeypatch.setattr(listing, "ALTOGETHER", 5)
    for name in ("a", "b", "c"):
        place = await zone(crew, name)
        for number in range(1 if name == "a" else 4):
            await spec(crew, zone_id=place["id"], project_name=f"{name}{number}")
    found = {one["name"]: one for one in (await crew.ok("GET", ZONES))["zones"]}
    assert {name: one["spec_count"] for name, one in found.items()} == {"a": 1, "b": 4, "c": 4}
    shown = {name: [inner["project_name"] for inner in one["specs"]] for name, one in found.items()}
    assert shown == {"a": ["a0"], "c": ["c3", "c2", "c1"], "b": ["b3"]}


async def test_a_project_with_specs_in_its_zone_is_not_deleted_and_takes_its_zone_along_then(crew):
    ref = await crew.deck.project("Shop")
    place = await zone(crew, "shop")
    one = await spec(crew, zone_id=place["id"])
    await crew.deck.do("projects.archive", {}, projectId=ref)
    body = {"confirmation": {"projectId": ref}}
    told = await crew.deck.refused(409, "project_delete_blocked", "projects.delete", body, projectId=ref)
    assert "1 specification is in its zone" in told["message"]
    check = await crew.deck.do("projects.delete-check", projectId=ref)
    assert {"kind": "resource", "relatedEntityType": "infrastructure-spec", "count": 1} in check["blockers"]
    await crew.ok("DELETE", f"{SPECS}/{one['id']}")
    await crew.deck.do("projects.delete", body, projectId=ref)
    assert await count(crew, Zone) == await count(crew, Spec) == 0


@pytest.mark.parametrize("path", ["", "/x", "/x/y"])
async def test_an_address_or_method_that_there_is_not_is_told_in_the_envelope(crew, path):
    answer = await crew.send("PATCH", ZONES + path)
    assert answer.status_code in {404, 405}
    assert answer.json().keys() - {"hint"} == {"code", "error"}
