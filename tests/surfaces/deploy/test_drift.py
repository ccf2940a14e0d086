"""What of a resource is not deployed yet, in `resources.show`."""

from __future__ import annotations

from support.served import SOURCE, deployed


async def diagnostics(deck, resource, **query):
    shown = await deck.do("resources.show", resourceId=resource, query=query)
    return {one["path"]: one for one in shown["diagnostics"]}


async def variable(deck, resource, key, value, **more):
    body = {"key": key, "value": value, "exposure": "runtime", **more}
    await deck.do("resources.set-variable", body, resourceId=resource)


async def test_what_changed_since_the_newest_deployment_is_named_field_by_field(deck):
    server = await deck.server()
    resource = await deck.resource(
        source=SOURCE, networkProfile={"internalPort": 3000, "exposureMode": "reverse-proxy"}
    )
    await variable(deck, resource, "SAME", "1")
    await variable(deck, resource, "OTHER", "before")
    await variable(deck, resource, "GONE", "1")
    await variable(deck, resource, "API_TOKEN", "hunter22", kind="secret", isSecret=True)
    assert await diagnostics(deck, resource) == {}
    deployment = await deployed(deck, resource, server)
    assert await diagnostics(deck, resource) == {}

    profile = {"internalPort": 4000, "exposureMode": "reverse-proxy"}
    await deck.do("resources.configure-network", {"networkProfile": profile}, resourceId=resource)
    runtime = {"strategy": "auto", "startCommand": "./run"}
    await deck.do("resources.configure-runtime", {"runtimeProfile": runtime}, resourceId=resource)
    health = {"enabled": True, "type": "http", "http": {"path": "/healthz"}}
    await deck.do("resources.configure-health", {"healthCheck": health}, resourceId=resource)
    await variable(deck, resource, "OTHER", "after")
    await variable(deck, resource, "NEW", "1")
    await variable(deck, resource, "API_TOKEN", "hunter23", kind="secret", isSecret=True)
    await deck.do("resources.unset-variable", {"exposure": "runtime"}, resourceId=resource, key="GONE")
    found = await diagnostics(deck, resource)
    port = found["network.internalPort"]
    assert (port["section"], port["fieldPath"], port["severity"]) == ("network", "internalPort", "info")
    assert (port["resourceValue"]["displayValue"], port["deploymentSnapshotValue"]["displayValue"]) == (4000, 3000)
    assert (port["comparison"], port["latestDeploymentId"]) == ("resource-vs-latest-snapshot", deployment)
    assert port["suggestedCommand"] == "resources.configure-network"
    assert not port["blocksDeploymentAdmission"]
    assert found["runtime.startCommand"]["deploymentSnapshotValue"] == {"state": "missing"}
    assert found["health"]["resourceValue"] == {"state": "present"}
    assert "fieldPath" not in found["health"]
    changed = found["variables.runtime.OTHER"]
    assert (changed["configKey"], changed["configScope"], changed["configSource"]) == ("OTHER", "resource", "resource")
    assert changed["resourceValue"]["displayValue"] == "after"
    assert changed["resourceValue"]["valueHash"] != changed["deploymentSnapshotValue"]["valueHash"]
    assert found["variables.runtime.NEW"]["suggestedCommand"] == "resources.unset-variable"
    gone = found["variables.runtime.GONE"]
    assert (gone["configSource"], gone["resourceValue"]) == ("deployment-snapshot", {"state": "missing"})
    secret = found["variables.runtime.API_TOKEN"]
    assert secret["resourceValue"] == secret["deploymentSnapshotValue"] == {"state": "masked", "displayValue": "****"}
    assert secret["configKind"] == "secret"
    assert "variables.runtime.SAME" not in found
    assert not any("hunter2" in text for text in deck.heard)
    assert await diagnostics(deck, resource, includeProfileDiagnostics="false") == {}


async def test_a_variable_of_the_environment_counts_too(deck):
    server = await deck.server()
    place = await deck.place()
    resource = await deck.resource(place, source=SOURCE)
    await deployed(deck, resource, server)
    body = {"key": "SHARED", "value": "1", "kind": "plain-config", "exposure": "runtime"}
    await deck.do("environments.set-variable", body, environmentId=place[1])
    (one,) = (await diagnostics(deck, resource)).values()
    assert (one["configKey"], one["configScope"]) == ("SHARED", "environment")
