"""Servers and access policies over the API."""

from __future__ import annotations

import pytest


async def test_a_server_is_registered_with_its_defaults(deck):
    body = {"name": "Here", "host": "127.0.0.1", "providerKey": "local-shell"}
    made = await deck.do("servers.register", body)
    shown = await deck.do("servers.show", serverId=made["id"])
    server = shown["server"]
    assert (server["port"], server["targetKind"], server["edgeProxy"]["kind"]) == (22, "single-server", "traefik")
    assert shown["rollups"]["deployments"] == {"total": 0, "statusCounts": []}
    bare = await deck.do("servers.show", serverId=made["id"], query={"includeRollups": "false"})
    assert "rollups" not in bare
    without = await deck.do("servers.register", {**body, "name": "Bare", "proxyKind": "none"})
    assert (await deck.do("servers.show", serverId=without["id"]))["server"]["edgeProxy"]["status"] == "disabled"
    assert [row["id"] for row in (await deck.do("servers.list"))["items"]] == [without["id"], made["id"]]
    assert await deck.do("servers.count") == {"count": 2}
    await deck.refused(404, "not_found", "servers.show", serverId="srv_000000000000")


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "http://a"},
        {"host": "a b"},
        {"host": "a\x00"},
        {"host": ""},
        {"host": "x" * 300},
        {"port": 0},
        {"port": 70000},
        {"port": 10**40},
        {"port": "22"},
        {"name": "a\nb"},
        {"proxyKind": "nginx"},
        {"targetKind": "moon"},
    ],
)
async def test_a_server_that_cannot_be_is_refused(deck, wrong):
    body = {"name": "Here", "host": "127.0.0.1", "providerKey": "local-shell", **wrong}
    answer = await deck.request("servers.register", body)
    assert answer.status_code == 400, answer.text
    assert await deck.do("servers.count") == {"count": 0}


@pytest.mark.parametrize("wrong", [{"providerKey": "cloud"}, {"targetKind": "orchestrator-cluster"}])
async def test_a_target_that_we_cannot_reach_is_named_as_such(deck, wrong):
    body = {"name": "Here", "host": "127.0.0.1", "providerKey": "local-shell", **wrong}
    found = await deck.refused(400, "validation_error", "servers.register", body)
    assert found["error"]["details"]["field"] == next(iter(wrong))


async def test_policies_are_kept_for_the_system_and_for_each_server(deck):
    server = await deck.server()
    assert (await deck.do("default-access-domain-policies.show"))["policy"] is None
    system = {"scope": {"kind": "system"}, "mode": "custom-template", "templateRef": "{slug}.apps.example.com"}
    made = await deck.do("default-access-domain-policies.configure", system)
    again = await deck.do("default-access-domain-policies.configure", {**system, "mode": "disabled"})
    assert made == again
    scope = {"kind": "deployment-target", "serverId": server}
    await deck.do("default-access-domain-policies.configure", {"scope": scope, "mode": "provider"})
    query = {"scopeKind": "deployment-target", "serverId": server}
    shown = await deck.do("default-access-domain-policies.show", query=query)
    assert (shown["scope"], shown["policy"]["providerKey"]) == (scope, "sslip")
    assert len((await deck.do("default-access-domain-policies.list"))["items"]) == 2
    unknown = {"scope": {"kind": "deployment-target", "serverId": "srv_000000000000"}, "mode": "provider"}
    await deck.refused(404, "not_found", "default-access-domain-policies.configure", unknown)
    for wrong in ({"templateRef": "no place"}, {"templateRef": "a.example.com"}, {"templateRef": None}):
        answer = await deck.request("default-access-domain-policies.configure", {**system, **wrong})
        assert answer.status_code == 400, answer.text
