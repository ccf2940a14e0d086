"""Health over the API: what is known, and what is asked now."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from quarterdeck.deploy.observation.observations import Seen
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.ports import free_ports
from quarterdeck.fleet.edge.routes import ProxyRoute
from support.edge_traffic import Application
from support.served import SOURCE, deployed, observe, serve

PROCESS = {"kind": "process", "instance": "dep_x", "port": 4000, "host_port": 4000, "upstream": "127.0.0.1:4000"}


def checks(found):
    return {one["name"]: one["status"] for one in found["checks"]}


async def test_a_resource_that_was_never_deployed_says_so_in_four_checks(deck):
    await deck.server()
    resource = await deck.resource()
    for mode in ("cached", "live"):
        found = await deck.do("resources.health", resourceId=resource, query={"mode": mode})
        assert found["overall"] == "not-deployed"
        assert found["runtime"] == {
            "lifecycle": "not-deployed",
            "health": "unknown",
            "reasonCode": "resource_not_deployed",
        }
        assert checks(found) == {
            "runtime-lifecycle": "skipped",
            "health-policy": "skipped",
            "public-access": "failed",
            "proxy-route": "unknown",
        }
        assert found["publicAccess"]["kind"] == "generated-planned"
        assert found["healthPolicy"]["status"] == "not-configured"
        assert found["sourceErrors"] == []
    found = await deck.do("resources.health", resourceId=resource, query={"includeChecks": "false"})
    assert found["checks"] == []
    wrong = await deck.malformed("resources.health", resourceId=resource, query={"mode": "guessed"})
    assert wrong["data"]["issues"][0]["message"] == "'guessed' is none of: cached, live"


@pytest.mark.parametrize(
    ("seen", "overall", "lifecycle"),
    [
        (Seen("running"), "healthy", "running"),
        (Seen("restarting", "Restarting (1)"), "unhealthy", "restarting"),
        (Seen("exited", "Exited (137)"), "unhealthy", "exited"),
        (Seen("stopped"), "stopped", "stopped"),
        (Seen("starting"), "starting", "starting"),
        (Seen("unknown", "The Docker engine does not answer."), "unknown", "unknown"),
    ],
)
async def test_cached_health_follows_the_last_observation(deck, seen, overall, lifecycle):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    await serve(deck, await deployed(deck, resource, server), PROCESS)
    await observe(deck, resource, seen)
    found = await deck.do("resources.health", resourceId=resource)
    assert (found["overall"], found["runtime"]["lifecycle"]) == (overall, lifecycle)
    assert found["runtime"].get("message") == seen.message
    assert found["runtime"]["runtimeKind"] == "host-process"
    assert found["publicAccess"]["kind"] == "generated-latest"


async def test_a_runtime_that_was_restarted_by_itself_is_degraded_until_it_is_asked(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    await deck.do("resources.configure-health", {"healthCheck": {}}, resourceId=resource)
    await serve(deck, await deployed(deck, resource, server), PROCESS)
    await observe(deck, resource, Seen("running"))
    assert (await deck.do("resources.health", resourceId=resource))["overall"] == "healthy"
    await observe(deck, resource, Seen("running", restarts=2))
    found = await deck.do("resources.health", resourceId=resource)
    assert (found["overall"], found["runtime"]["reasonCode"]) == ("degraded", "runtime_restarted")


async def test_a_policy_newer_than_the_deployment_is_not_called_passed(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    await serve(deck, await deployed(deck, resource, server), PROCESS)
    await observe(deck, resource, Seen("running"))
    await deck.do("resources.configure-health", {"healthCheck": {}}, resourceId=resource)
    found = await deck.do("resources.health", resourceId=resource)
    assert checks(found)["health-policy"] == "unknown"
    drift = (await deck.do("resources.show", resourceId=resource))["diagnostics"]
    assert [(one["section"], one["suggestedCommand"]) for one in drift] == [("health", "resources.configure-health")]


async def test_a_disabled_policy_is_stored_but_not_in_force(deck):
    resource = await deck.resource()
    await deck.do("resources.configure-health", {"healthCheck": {"enabled": False}}, resourceId=resource)
    assert (await deck.do("resources.show", resourceId=resource))["healthPolicy"]["enabled"] is False
    found = await deck.do("resources.health", resourceId=resource)
    assert found["healthPolicy"] == {
        "status": "not-configured",
        "enabled": False,
        "reasonCode": "health_policy_not_configured",
    }


async def test_live_health_asks_the_application_as_its_policy_says(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    await deck.do("resources.configure-health", {"healthCheck": {"timeoutSeconds": 2}}, resourceId=resource)
    application = await Application("well").start()
    runtime = PROCESS | {"port": application.port, "host_port": application.port, "upstream": application.upstream}
    try:
        await serve(deck, await deployed(deck, resource, server), runtime, edge_port=1)
        await observe(deck, resource, Seen("running", restarts=3))
        live = {"mode": "live", "includePublicAccessProbe": "false"}
        found = await deck.do("resources.health", resourceId=resource, query=live)
        assert (found["overall"], found["runtime"]["health"]) == ("healthy", "healthy")
        asked = next(one for one in found["checks"] if one["name"] == "health-policy")
        assert (asked["status"], asked["statusCode"]) == ("passed", 200)
        policy = {"healthCheck": {"http": {"expectedResponseText": "anything else"}}}
        await deck.do("resources.configure-health", policy, resourceId=resource)
        found = await deck.do("resources.health", resourceId=resource, query=live)
        assert (found["overall"], found["runtime"]["reasonCode"]) == ("unhealthy", "health_text_missing")
    finally:
        await application.end()
    found = await deck.do("resources.health", resourceId=resource, query=live)
    assert (found["overall"], found["runtime"]["reasonCode"]) == ("unhealthy", "connect_failed")
    # Nothing is the edge on this port, and that is what the public would find.
    found = await deck.do("resources.health", resourceId=resource, query={"mode": "live"})
    assert found["publicAccess"]["reasonCode"] == "resource_access_proxy_unavailable"
    assert checks(found)["public-access"] == checks(found)["proxy-route"] == "failed"


async def test_another_program_on_the_port_of_the_edge_is_not_taken_for_it(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    stranger = await Application("well").start()
    runtime = PROCESS | {"port": stranger.port, "host_port": stranger.port, "upstream": stranger.upstream}
    try:
        await serve(deck, await deployed(deck, resource, server), runtime, edge_port=stranger.port)
        await observe(deck, resource, Seen("running"))
        found = await deck.do("resources.health", resourceId=resource, query={"mode": "live"})
    finally:
        await stranger.end()
    assert (found["overall"], found["publicAccess"]["reasonCode"]) == ("degraded", "resource_access_proxy_unavailable")
    assert checks(found)["public-access"] == checks(found)["proxy-route"] == "failed"
    said = next(one["message"] for one in found["checks"] if one["name"] == "public-access")
    assert f"port {stranger.port}" in said


@pytest.mark.edge
async def test_live_health_goes_through_the_edge_as_the_public_does(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    root = Path(tempfile.mkdtemp(prefix="edge-"))
    http, https = free_ports(2, "127.0.0.1")
    application = await Application("well").start()
    runtime = PROCESS | {"port": application.port, "host_port": application.port, "upstream": application.upstream}
    await serve(deck, await deployed(deck, resource, server), runtime, edge_port=http)
    await observe(deck, resource, Seen("running"))
    hostname = f"web-{resource[-10:]}.localhost"

    async def asked():
        return await deck.do("resources.health", resourceId=resource, query={"mode": "live"})

    async with Edge(root, http_port=http, https_port=https, address="127.0.0.1") as edge:
        try:
            await edge.ensure_running()
            assert (await asked())["publicAccess"]["reasonCode"] == "resource_access_route_not_found"
            await edge.put_route(ProxyRoute(id=resource, hostnames=(hostname,)))
            await edge.switch(resource, application.upstream)
            found = await asked()
            assert (found["overall"], found["publicAccess"]["status"]) == ("healthy", "ready")
            assert found["publicAccess"]["url"] == f"http://{hostname}:{http}/"
            assert checks(found)["proxy-route"] == "passed"
            await application.end()
            found = await asked()
            assert found["publicAccess"]["reasonCode"] == "resource_access_upstream_unavailable"
            assert (found["overall"], checks(found)["proxy-route"]) == ("degraded", "passed")
        finally:
            await edge.stop(grace_seconds=1)
            shutil.rmtree(root)
