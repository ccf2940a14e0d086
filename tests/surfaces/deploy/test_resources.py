"""Resources over the API: their life, their list, their refusals."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from quarterdeck.deploy.resources import transitions
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.kernel.errors import Invalid
from support.served import SOURCE, deployed

IMAGE = {"kind": "docker-image", "locator": "registry.example.com/shop/web:1.2"}
NETWORK = {"internalPort": 8080}


async def test_a_resource_is_shown_as_it_was_created(deck):
    project, environment = await deck.place()
    created = await deck.do(
        "resources.create",
        {
            "projectId": project,
            "environmentId": environment,
            "name": "Web",
            "description": "The shop",
            "services": [{"name": "web", "kind": "web"}],
            "source": IMAGE,
            "runtimeProfile": {"strategy": "prebuilt-image"},
            "networkProfile": NETWORK,
        },
    )
    shown = await deck.do("resources.show", resourceId=created["id"])
    assert shown["resource"] | {"createdAt": ""} == {
        "id": created["id"],
        "projectId": project,
        "environmentId": environment,
        "name": "Web",
        "slug": "web",
        "kind": "application",
        "description": "The shop",
        "services": [{"name": "web", "kind": "web"}],
        "deploymentCount": 0,
        "createdAt": "",
    }
    assert shown["source"]["imageName"] == "registry.example.com/shop/web"
    assert shown["source"]["imageTag"] == "1.2"
    assert shown["source"]["sourceBindingFingerprint"].startswith("srcfp_")
    assert shown["runtimeProfile"] == {"strategy": "prebuilt-image"}
    assert shown["networkProfile"] == {
        "internalPort": 8080,
        "upstreamProtocol": "http",
        "exposureMode": "reverse-proxy",
    }
    assert shown["lifecycle"] == {"status": "active"}
    assert shown["diagnostics"] == []


async def test_the_planned_address_names_the_server_and_the_port(deck):
    server = await deck.server()
    resource = await deck.resource(networkProfile=NETWORK)
    planned = (await deck.do("resources.show", resourceId=resource))["accessSummary"]["plannedGeneratedAccessRoute"]
    label = f"web-{resource[-10:]}"
    assert planned["hostname"] == f"{label}.localhost"
    assert planned["url"] == f"http://{label}.localhost/"
    assert planned["targetPort"] == 8080
    assert planned["proxyKind"] == "caddy"
    policy = {"scope": {"kind": "deployment-target", "serverId": server}, "mode": "disabled"}
    await deck.do("default-access-domain-policies.configure", policy)
    assert "accessSummary" not in await deck.do("resources.show", resourceId=resource)


async def test_parts_of_the_detail_can_be_left_out(deck):
    await deck.server()
    resource = await deck.resource()
    whole = await deck.do("resources.show", resourceId=resource)
    bare = await deck.do("resources.show", resourceId=resource, query={"includeAccessSummary": "false"})
    assert "accessSummary" in whole
    assert "accessSummary" not in bare


async def test_lists_are_newest_first_bounded_and_filtered(deck):
    shop, other = await deck.place("Shop"), await deck.place("Other")
    made = [await deck.resource(shop, name=f"Web {number}") for number in range(3)]
    elsewhere = await deck.resource(other, name="Web 0")
    listed = [row["id"] for row in (await deck.do("resources.list"))["items"]]
    assert listed == [elsewhere, *reversed(made)]
    assert [row["id"] for row in (await deck.do("resources.list", query={"limit": "2"}))["items"]] == listed[:2]
    filtered = await deck.do("resources.list", query={"projectId": shop[0]})
    assert [row["id"] for row in filtered["items"]] == list(reversed(made))
    assert await deck.do("resources.count", query={"environmentId": other[1]}) == {"count": 1}
    assert await deck.do("resources.count") == {"count": 4}
    for limit in ("0", "501", "-1", "many", "9" * 30):
        await deck.malformed("resources.list", query={"limit": limit})


async def test_a_slug_is_taken_once_in_an_environment_and_free_after_deletion(deck):
    place = await deck.place()
    resource = await deck.resource(place)
    body = {"projectId": place[0], "environmentId": place[1], "name": "  WEB! "}
    await deck.refused(409, "resource_slug_conflict", "resources.create", body)
    other = await deck.environment(place[0], "staging")
    assert await deck.resource((place[0], other))
    await deck.refused(
        409,
        "resource_delete_blocked",
        "resources.delete",
        {"confirmation": {"resourceSlug": "web"}},
        resourceId=resource,
    )
    await deck.do("resources.archive", {"reason": "replaced"}, resourceId=resource)
    await deck.refused(
        400, "validation_error", "resources.delete", {"confirmation": {"resourceSlug": "shop"}}, resourceId=resource
    )
    await deck.malformed("resources.delete", {}, resourceId=resource)
    await deck.do("resources.delete", {"confirmation": {"resourceSlug": "web"}}, resourceId=resource)
    await deck.refused(404, "not_found", "resources.show", resourceId=resource)
    assert await deck.resource(place)


async def test_what_has_a_history_is_told_how_to_lose_it(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    await deployed(deck, resource, server)
    await deck.do("resources.archive", resourceId=resource)
    refused = await deck.refused(
        409, "resource_delete_blocked", "resources.delete", {"confirmation": {"resourceSlug": "web"}},
        resourceId=resource,
    )  # fmt: skip
    told = json.dumps(refused)
    assert f"qd history {resource}" in told
    assert f"qd prune deployments --before 0d --resource {resource}" in told


async def test_an_archived_resource_is_read_but_not_changed(deck):
    resource = await deck.resource()
    await deck.do("resources.archive", resourceId=resource)
    again = await deck.do("resources.archive", {"reason": "again"}, resourceId=resource)
    assert again == {"id": resource}
    shown = await deck.do("resources.show", resourceId=resource)
    assert shown["lifecycle"]["status"] == "archived"
    assert "archivedAt" in shown["lifecycle"]
    changes = {
        "resources.configure-source": {"source": IMAGE},
        "resources.configure-runtime": {"runtimeProfile": {}},
        "resources.configure-network": {"networkProfile": NETWORK},
        "resources.configure-access": {"accessProfile": {}},
        "resources.configure-health": {"healthCheck": {}},
        "resources.reset-health": None,
        "resources.set-variable": {"key": "A", "value": "1", "exposure": "runtime"},
        "resources.secrets.create": {"key": "A", "value": "1"},
    }
    for key, body in changes.items():
        await deck.refused(409, "resource_archived", key, body, resourceId=resource)


async def test_a_resource_is_not_deleted_past_its_archive(deck):
    resource = await deck.resource()

    def skip(tx):
        transitions.close(tx, tx.one(select(Resource).where(Resource.ref == resource), what=resource), "deleted")

    with pytest.raises(Invalid, match="is active and cannot become deleted") as refused:
        await deck.instance.db.write(skip)
    assert refused.value.code == "invariant_violation"
    assert (await deck.do("resources.show", resourceId=resource))["lifecycle"] == {"status": "active"}


async def test_a_resource_needs_a_place_that_takes_it(deck):
    shop, other = await deck.place("Shop"), await deck.place("Other")
    body = {"projectId": shop[0], "environmentId": other[1], "name": "Web"}
    await deck.refused(400, "resource_context_mismatch", "resources.create", body)
    await deck.refused(404, "not_found", "resources.create", {**body, "projectId": "prj_000000000000"})
    await deck.refused(
        404, "not_found", "resources.create", {**body, "environmentId": shop[1], "destinationId": "dst_000000000000"}
    )
    two = [{"name": "a", "kind": "web"}, {"name": "b", "kind": "worker"}]
    several = {**body, "environmentId": shop[1], "services": two}
    await deck.refused(400, "invariant_violation", "resources.create", several)
    assert await deck.do("resources.create", {**several, "kind": "compose-stack"})
    await deck.do("projects.archive", projectId=shop[0])
    await deck.refused(409, "project_archived", "resources.create", {**body, "environmentId": shop[1]})


async def test_unknown_resources_are_not_found_on_every_route(deck):
    bodies = {
        "resources.show": None,
        "resources.archive": {},
        "resources.delete": {"confirmation": {"resourceSlug": "web"}},
        "resources.configure-source": {"source": IMAGE},
        "resources.configure-runtime": {"runtimeProfile": {}},
        "resources.configure-network": {"networkProfile": NETWORK},
        "resources.configure-access": {"accessProfile": {}},
        "resources.configure-health": {"healthCheck": {}},
        "resources.reset-health": None,
        "resources.set-variable": {"key": "A", "value": "1", "exposure": "runtime"},
        "resources.unset-variable": {"exposure": "runtime"},
        "resources.secrets.list": None,
        "resources.secrets.create": {"key": "A", "value": "1"},
        "resources.secrets.show": None,
        "resources.secrets.rotate": {"value": "1"},
        "resources.secrets.delete": {},
        "resources.effective-config": None,
        "resources.health": None,
        "resources.runtime-logs": None,
        "resources.runtime-logs/stream": None,
        "resources.runtime.stop": {},
        "resources.runtime.start": {},
        "resources.runtime.restart": {},
    }
    for key, body in bodies.items():
        for name in ("res_000000000000", "x", "res_%00", "ä" * 300):
            await deck.refused(404, "not_found", key, body, resourceId=name, key="A")
