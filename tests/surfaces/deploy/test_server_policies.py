"""Policies of removing what is old on servers, and what is done by them."""

from __future__ import annotations

from types import SimpleNamespace

from quarterdeck.fleet.capacity.pruning import Candidate, Pruned
from quarterdeck.kernel import retention

WISH = {"scope": "system", "retentionDays": 7, "categories": ["stopped-containers", "unused-images"]}


async def test_a_policy_is_made_replaced_listed_and_shown(deck):
    server = await deck.server()
    made = (await deck.do("scheduled-runtime-prune-policies.configure", WISH))["id"]
    shown = (await deck.do("scheduled-runtime-prune-policies.show", policyId=made))["policy"]
    assert (shown["serverId"], shown["destructive"], shown["categoryCount"]) == ("*", False, 2)
    changed = {**WISH, "policyId": made, "serverId": server, "destructive": True, "enabled": False}
    assert (await deck.do("scheduled-runtime-prune-policies.configure", changed))["id"] == made
    own = {**WISH, "policyId": "nightly", "scope": "project"}
    assert (await deck.do("scheduled-runtime-prune-policies.configure", own))["id"] == "nightly"
    for query, ids in (
        ({}, ["nightly", made]),
        ({"enabledOnly": "true"}, ["nightly"]),
        ({"serverId": server}, ["nightly", made]),
        ({"serverId": "srv_000000000000"}, ["nightly"]),
        ({"scope": "system"}, [made]),
    ):
        found = await deck.do("scheduled-runtime-prune-policies.list", query=query)
        assert [one["id"] for one in found["items"]] == ids, query
    assert (await deck.do("scheduled-runtime-prune-policies.show", policyId="nothing"))["policy"] is None


async def test_what_makes_no_policy_is_refused(deck):
    key = "scheduled-runtime-prune-policies.configure"
    await deck.malformed(key, {**WISH, "retentionDays": 0})
    await deck.malformed(key, {**WISH, "categories": []})
    await deck.malformed(key, {**WISH, "categories": ["volumes"]})
    await deck.refused(404, "not_found", key, {**WISH, "serverId": "srv_000000000000"})
    await deck.refused(400, "validation_error", key, {**WISH, "policyId": "../x"})
    await deck.refused(400, "validation_error", key, {**WISH, "retentionDays": 10**6})
    assert (await deck.do("scheduled-runtime-prune-policies.list"))["items"] == []


async def test_another_organization_has_its_own(deck):
    stranger = await deck.member("owner", "org_other")
    for token in ("", stranger):
        await deck.do("scheduled-runtime-prune-policies.configure", {**WISH, "policyId": "nightly"}, token=token)
    mine = {**WISH, "policyId": "nightly", "serverId": await deck.server()}
    await deck.refused(404, "not_found", "scheduled-runtime-prune-policies.configure", mine, token=stranger)
    for token in ("", stranger):
        found = await deck.do("scheduled-runtime-prune-policies.list", token=token)
        assert [one["serverId"] for one in found["items"]] == ["*"]


async def test_every_hour_each_server_is_asked_and_only_a_destructive_policy_removes(deck, monkeypatch):
    """Of the server itself only the answer is ours here: tests/fleet has the removing."""
    server = await deck.server()
    asked = []

    async def prune(ref, categories, before, judge, begin, *, dry_run):
        asked.append((ref, categories, (deck.instance.db.clock.now() - before).days, dry_run))
        found = Candidate("c1", "stopped-containers", "c1", None, 10, action="matched" if dry_run else "pruned")
        if not dry_run:
            await begin([found])
        await judge({"dep_000000000000"})
        return None, Pruned([found], [])

    monkeypatch.setattr(deck.instance, "taking_away", SimpleNamespace(prune=prune))
    assert await retention.tidy(deck.instance, "server-capacity") == 0
    assert asked == []
    await deck.do("scheduled-runtime-prune-policies.configure", {**WISH, "policyId": "look"})
    await deck.do("scheduled-runtime-prune-policies.configure", {**WISH, "policyId": "off", "enabled": False})
    assert await retention.tidy(deck.instance, "server-capacity") == 0
    await deck.do("scheduled-runtime-prune-policies.configure", {**WISH, "policyId": "look", "destructive": True})
    assert await retention.tidy(deck.instance, "server-capacity") == 1
    assert asked == [(server, WISH["categories"], 7, True), (server, WISH["categories"], 7, False)]
