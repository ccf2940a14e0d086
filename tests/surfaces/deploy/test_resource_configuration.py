"""Profiles, variables and secrets of a resource over the API."""

from __future__ import annotations

import pytest

HEALTH_DEFAULTS = {
    "enabled": True,
    "type": "http",
    "intervalSeconds": 5,
    "timeoutSeconds": 5,
    "retries": 10,
    "startPeriodSeconds": 5,
    "http": {"method": "GET", "scheme": "http", "host": "localhost", "path": "/", "expectedStatusCode": 200},
}


async def test_profiles_are_stored_with_their_documented_defaults(deck):
    resource = await deck.resource()
    source = {"kind": "git-public", "locator": "https://github.com/ada/shop/tree/main/web"}
    await deck.do("resources.configure-source", {"source": source}, resourceId=resource)
    await deck.do("resources.configure-runtime", {"runtimeProfile": {"startCommand": "run"}}, resourceId=resource)
    await deck.do("resources.configure-network", {"networkProfile": {"internalPort": 8000}}, resourceId=resource)
    await deck.do("resources.configure-access", {"accessProfile": {}}, resourceId=resource)
    await deck.do("resources.configure-health", {"healthCheck": {}}, resourceId=resource)
    shown = await deck.do("resources.show", resourceId=resource)
    assert shown["source"]["locator"] == "https://github.com/ada/shop.git"
    assert (shown["source"]["gitRef"], shown["source"]["baseDirectory"]) == ("main", "web")
    assert shown["runtimeProfile"] == {"strategy": "auto", "startCommand": "run"}
    assert shown["networkProfile"] == {
        "internalPort": 8000,
        "upstreamProtocol": "http",
        "exposureMode": "reverse-proxy",
    }
    assert shown["accessProfile"] == {"generatedAccessMode": "inherit", "pathPrefix": "/"}
    assert shown["healthPolicy"] == HEALTH_DEFAULTS
    await deck.do("resources.reset-health", resourceId=resource)
    assert "healthPolicy" not in await deck.do("resources.show", resourceId=resource)


async def test_a_health_policy_alone_makes_an_automatic_runtime_profile(deck):
    resource = await deck.resource()
    policy = {"retries": 3, "http": {"path": "/up", "expectedStatusCode": 204}}
    await deck.do("resources.configure-health", {"healthCheck": policy}, resourceId=resource)
    shown = await deck.do("resources.show", resourceId=resource)
    assert shown["runtimeProfile"] == {"strategy": "auto"}
    assert shown["healthPolicy"]["retries"] == 3
    assert shown["healthPolicy"]["http"] == HEALTH_DEFAULTS["http"] | {"path": "/up", "expectedStatusCode": 204}


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("configure-source", {"source": {"kind": "floppy", "locator": "a"}}),
        ("configure-source", {"source": {"kind": "git-public", "locator": ""}}),
        ("configure-source", {}),
        ("configure-runtime", {"runtimeProfile": {"strategy": "magic"}}),
        ("configure-runtime", {"runtimeProfile": {"startCommand": 5}}),
        ("configure-network", {"networkProfile": {}}),
        ("configure-network", {"networkProfile": {"internalPort": 0}}),
        ("configure-network", {"networkProfile": {"internalPort": "80"}}),
        ("configure-network", {"networkProfile": {"internalPort": 80, "exposureMode": "lan"}}),
        ("configure-access", {"accessProfile": {"generatedAccessMode": "always"}}),
        ("configure-health", {"healthCheck": {"type": "command"}}),
        ("configure-health", {"healthCheck": {"intervalSeconds": 0}}),
        ("configure-health", {"healthCheck": {"http": {"port": 70000}}}),
        ("configure-health", {"healthCheck": {"http": {"expectedStatusCode": 99}}}),
        ("set-variable", {"key": "A", "value": "1"}),
        ("set-variable", {"key": "A", "value": 1, "exposure": "runtime"}),
        ("secrets.create", {"key": "A", "value": ""}),
    ],
)
async def test_a_body_of_another_shape_is_refused_by_its_path(deck, key, body):
    resource = await deck.resource()
    found = await deck.malformed(f"resources.{key}", body, resourceId=resource)
    assert found["data"]["issues"][0]["path"]


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("configure-source", {"source": {"kind": "git-public", "locator": "ext::sh -c id"}}),
        ("configure-source", {"source": {"kind": "git-public", "locator": "https://a.b/c", "baseDirectory": "../x"}}),
        ("configure-source", {"source": {"kind": "git-public", "locator": "https://a.b/c\x00", "gitRef": "-x"}}),
        ("configure-runtime", {"runtimeProfile": {"strategy": "static"}}),
        ("configure-runtime", {"runtimeProfile": {"publishDirectory": "../../etc"}}),
        ("configure-runtime", {"runtimeProfile": {"startCommand": "a\x00b"}}),
        ("configure-runtime", {"runtimeProfile": {"buildCommand": "x" * 5000}}),
        ("configure-network", {"networkProfile": {"internalPort": 65536}}),
        ("configure-network", {"networkProfile": {"internalPort": 10**30}}),
        ("configure-network", {"networkProfile": {"internalPort": 80, "hostPort": 80}}),
        ("configure-access", {"accessProfile": {"pathPrefix": "shop"}}),
        ("configure-access", {"accessProfile": {"pathPrefix": "/../"}}),
        ("configure-health", {"healthCheck": {"http": {"path": "up"}}}),
        ("configure-health", {"healthCheck": {"http": {"host": "a b"}}}),
        ("configure-health", {"healthCheck": {"retries": 10**9}}),
        ("set-variable", {"key": "1A", "value": "1", "exposure": "runtime"}),
        ("set-variable", {"key": "A", "value": "a\x00b", "exposure": "runtime"}),
        ("set-variable", {"key": "A", "value": "x" * 70_000, "exposure": "runtime"}),
        ("set-variable", {"key": "A", "value": "1", "exposure": "build-time"}),
        ("set-variable", {"key": "PUBLIC_A", "value": "1", "exposure": "build-time", "isSecret": True}),
        ("secrets.create", {"key": "A B", "value": "1"}),
        ("secrets.create", {"key": "PUBLIC_A", "value": "1", "exposure": "build-time"}),
    ],
)
async def test_what_could_never_work_is_refused_when_it_is_configured(deck, key, body):
    resource = await deck.resource()
    answer = await deck.request(f"resources.{key}", body, resourceId=resource)
    assert answer.status_code == 400, answer.text
    before = await deck.do("resources.show", resourceId=resource)
    assert not {"source", "networkProfile", "accessProfile", "healthPolicy"} & set(before)


async def test_an_image_runs_with_no_other_strategy_than_its_own(deck):
    resource = await deck.resource(source={"kind": "docker-image", "locator": "nginx:alpine"})
    await deck.refused(
        400,
        "validation_error",
        "resources.configure-runtime",
        {"runtimeProfile": {"strategy": "dockerfile"}},
        resourceId=resource,
    )


async def test_the_resource_overrides_its_environment(deck):
    project, environment = await deck.place()
    resource = await deck.resource((project, environment))
    plain = {"kind": "plain-config", "exposure": "runtime"}
    for key, value in (("SHARED", "low"), ("ONLY", "environment")):
        body = {"key": key, "value": value, **plain}
        await deck.do("environments.set-variable", body, environmentId=environment)
    for key, value in (("SHARED", "high"), ("OWN", "resource")):
        body = {"key": key, "value": value, "exposure": "runtime"}
        assert await deck.do("resources.set-variable", body, resourceId=resource) is None
    found = await deck.do("resources.effective-config", resourceId=resource)
    assert {row["key"]: (row["value"], row["scope"]) for row in found["effectiveEntries"]} == {
        "ONLY": ("environment", "environment"),
        "OWN": ("resource", "resource"),
        "SHARED": ("high", "resource"),
    }
    assert [row["key"] for row in found["ownedEntries"]] == ["OWN", "SHARED"]
    assert found["overrides"] == [
        {"key": "SHARED", "exposure": "runtime", "selectedScope": "resource", "overriddenScopes": ["environment"]}
    ]
    assert found["precedence"][-3:] == ["environment", "resource", "deployment"]
    assert await deck.do("resources.unset-variable", {"exposure": "runtime"}, resourceId=resource, key="SHARED") is None
    found = await deck.do("resources.effective-config", resourceId=resource)
    assert found["overrides"] == []
    await deck.refused(
        404, "not_found", "resources.unset-variable", {"exposure": "runtime"}, resourceId=resource, key="SHARED"
    )


async def test_a_key_is_one_variable_for_each_exposure(deck):
    resource = await deck.resource()
    for exposure in ("runtime", "build-time"):
        body = {"key": "PUBLIC_URL", "value": exposure, "exposure": exposure}
        await deck.do("resources.set-variable", body, resourceId=resource)
    found = await deck.do("resources.effective-config", resourceId=resource)
    assert [(row["exposure"], row["value"]) for row in found["ownedEntries"]] == [
        ("build-time", "build-time"),
        ("runtime", "runtime"),
    ]


async def test_a_secret_is_created_rotated_listed_and_deleted_without_being_read(deck):
    resource = await deck.resource()
    named = {"resourceId": resource, "key": "TOKEN"}
    made = await deck.do("resources.secrets.create", {"key": "TOKEN", "value": "first"}, resourceId=resource)
    assert made == {"resourceId": resource, "key": "TOKEN", "exposure": "runtime"}
    again = {"key": "TOKEN", "value": "second"}
    await deck.refused(409, "conflict", "resources.secrets.create", again, resourceId=resource)
    before = (await deck.do("resources.secrets.show", **named))["secret"]
    await deck.do("resources.secrets.rotate", {"value": "second"}, **named)
    after = (await deck.do("resources.secrets.show", **named))["secret"]
    assert before["value"] == after["value"] == "****"
    assert before["updatedAt"] <= after["updatedAt"]
    assert len((await deck.do("resources.secrets.list", resourceId=resource))["items"]) == 1
    elsewhere = await deck.do("resources.secrets.list", resourceId=resource, query={"exposure": "build-time"})
    assert elsewhere["items"] == []
    await deck.do("resources.secrets.delete", {}, **named)
    await deck.refused(404, "not_found", "resources.secrets.show", **named)
    await deck.refused(404, "not_found", "resources.secrets.rotate", {"value": "third"}, **named)
    await deck.refused(404, "not_found", "resources.secrets.delete", {}, **named)
    await deck.malformed("resources.secrets.list", resourceId=resource, query={"exposure": "both"})
