"""The proxy's configuration of a resource, to be read and not to be changed."""

from __future__ import annotations

import json

from support.served import SOURCE, deployed, serve

KEY = "resources.proxy-configuration.preview"
PROCESS = {"kind": "process", "instance": "dep_x", "port": 4000, "upstream": "127.0.0.1:4000"}


async def test_a_resource_without_a_server_has_none(deck):
    resource = await deck.resource(source=SOURCE)
    found = await deck.do(KEY, resourceId=resource)
    assert (found["status"], found["routes"], found["sections"]) == ("not-configured", [], [])
    assert found["providerKey"] == "none"


async def test_what_would_be_and_what_is_are_told_apart(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    for scope in ("planned", "latest"):
        found = await deck.do(KEY, resourceId=resource, query={"routeScope": scope})
        assert (found["status"], found["routeScope"], found["stale"]) == ("planned", scope, False)
        assert "lastAppliedDeploymentId" not in found
    names = [route["hostname"] for route in found["routes"]]
    assert names[0].endswith(".localhost")
    rendered = json.loads(found["sections"][0]["content"])
    assert rendered["http"][0]["match"] == [{"host": sorted(names)}]
    assert "/root" not in found["sections"][0]["content"]

    deployment = await deployed(deck, resource, server)
    snapshot = {"routeScope": "deployment-snapshot", "deploymentId": deployment}
    assert (await deck.do(KEY, resourceId=resource, query=snapshot))["status"] == "planned"
    await serve(deck, deployment, PROCESS)
    found = await deck.do(KEY, resourceId=resource, query={"includeDiagnostics": "true"})
    assert (found["status"], found["deploymentId"], found["lastAppliedDeploymentId"]) == (
        "applied", deployment, deployment,
    )  # fmt: skip
    route = found["routes"][0]
    assert (route["targetPort"], route["url"]) == (4000, f"http://{names[0]}:8080/")
    assert route["appliedRouteContext"]["deploymentId"] == deployment
    assert found["diagnostics"]["routeCount"] == len(names)

    body = {"scope": {"kind": "system"}, "mode": "custom-template", "templateRef": "{slug}.apps.example"}
    await deck.do("default-access-domain-policies.configure", body)
    found = await deck.do(KEY, resourceId=resource)
    assert (found["status"], found["stale"]) == ("stale", True)
    assert [one["code"] for one in found["warnings"]] == ["proxy_route_stale"]


async def test_traefik_is_rendered_in_its_own_words(deck):
    server = await deck.server(proxyKind="traefik")
    resource = await deck.resource(source=SOURCE)
    deployment = await deployed(deck, resource, server)
    await serve(deck, deployment, PROCESS)
    found = await deck.do(KEY, resourceId=resource)
    rendered = json.loads(found["sections"][0]["content"])
    assert found["providerKey"] == "traefik"
    assert rendered["http"]["services"][resource]["loadBalancer"]["servers"] == [{"url": "http://127.0.0.1:4000"}]
    await serve(deck, deployment, {"kind": "static", "upstream": "/srv/site"})
    await deck.refused(502, "proxy_configuration_render_failed", KEY, resourceId=resource)


async def test_a_server_without_a_proxy_has_no_configuration(deck):
    await deck.server(proxyKind="none")
    resource = await deck.resource(source=SOURCE)
    found = await deck.do(KEY, resourceId=resource)
    assert (found["status"], found["providerKey"], found["sections"]) == ("not-configured", "none", [])


async def test_a_snapshot_needs_its_deployment(deck):
    server = await deck.server()
    place = await deck.place()
    resource = await deck.resource(place, source=SOURCE)
    other = await deck.resource(place, name="Other", source=SOURCE)
    deployment = await deployed(deck, other, server)
    query = {"routeScope": "deployment-snapshot"}
    await deck.refused(400, "validation_error", KEY, resourceId=resource, query=query)
    query["deploymentId"] = deployment
    await deck.refused(400, "resource_context_mismatch", KEY, resourceId=resource, query=query)
    query["deploymentId"] = "dep_x"
    await deck.refused(404, "not_found", KEY, resourceId=resource, query=query)
    await deck.malformed(KEY, resourceId=resource, query={"routeScope": "all"})
    stranger = await deck.member("viewer", "org_other")
    await deck.refused(404, "not_found", KEY, resourceId=resource, token=stranger)
