"""Defaults of how long things stay, and the prunings of history that a person asks for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quarterdeck.kernel import audit, events, jobs, retention
from quarterdeck.kernel.clock import HeldClock, wire_time
from quarterdeck.kernel.logs import Line
from quarterdeck.kernel.retention.categories import find

DEFAULT = {"category": "audit-rows", "retentionDays": 30}


def later(deck, seconds=1):
    return wire_time(deck.instance.db.clock.now() + timedelta(seconds=seconds))


async def test_nothing_is_said_until_somebody_says_it(deck):
    assert (await deck.do("retention-defaults.list"))["items"] == []
    assert (await deck.do("retention-defaults.show", category="audit-rows"))["policy"] is None
    await deck.refused(400, "validation_error", "retention-defaults.show", category="nonsense")


async def test_a_default_is_kept_replaced_and_told_in_the_trail(deck):
    made = await deck.do("retention-defaults.configure", DEFAULT)
    policy = (await deck.do("retention-defaults.show", category="audit-rows"))["policy"]
    assert policy["id"] == made["id"]
    assert (policy["scope"], policy["retentionDays"], policy["enabled"]) == ("system", 30, True)
    assert (policy["dryRunSchedulingEnabled"], policy["destructiveSchedulingEnabled"]) == (True, False)
    assert policy["updatedByActorKind"] == "user"
    again = await deck.do("retention-defaults.configure", {**DEFAULT, "retentionDays": 90, "enabled": False})
    assert again == made
    assert (await deck.do("retention-defaults.list", query={"enabledOnly": "true"}))["items"] == []
    own = await deck.do("retention-defaults.configure", {**DEFAULT, "scope": "organization", "policyId": "ours"})
    assert own["id"] == "ours"
    listed = await deck.do("retention-defaults.list")
    assert [(one["id"], one["scope"]) for one in listed["items"]] == [("ours", "organization"), (made["id"], "system")]
    assert listed["items"][0]["organizationId"] == "org_self_hosted"
    found = await deck.do("audit-events.list", query={"aggregateId": made["id"]})
    assert [one["eventType"] for one in found["items"]] == ["retention-default.configured"] * 2


async def test_bad_defaults_change_nothing(deck):
    await deck.malformed("retention-defaults.configure", {**DEFAULT, "retentionDays": 0})
    await deck.malformed("retention-defaults.configure", {**DEFAULT, "category": "everything"})
    await deck.refused(400, "validation_error", "retention-defaults.configure", {**DEFAULT, "retentionDays": 99_999})
    await deck.refused(400, "validation_error", "retention-defaults.configure", {**DEFAULT, "policyId": "no id"})
    await deck.refused(
        404, "not_found", "retention-defaults.configure",
        {**DEFAULT, "scope": "organization", "organizationId": "org_elsewhere"},
    )  # fmt: skip
    made = await deck.do("retention-defaults.configure", {**DEFAULT, "policyId": "one"})
    other = {"category": "process-attempts", "retentionDays": 3, "policyId": made["id"]}
    await deck.refused(400, "validation_error", "retention-defaults.configure", other)
    assert len((await deck.do("retention-defaults.list"))["items"]) == 1


async def test_another_organization_says_what_holds_for_itself_alone(deck):
    stranger = await deck.member("owner", "org_elsewhere")
    await deck.do("retention-defaults.configure", {**DEFAULT, "scope": "organization"})
    await deck.refused(403, "operation_authorization_denied", "retention-defaults.configure", DEFAULT, token=stranger)
    await deck.do("retention-defaults.configure", {**DEFAULT, "scope": "organization"}, token=stranger)
    for token in (deck.token, stranger):
        assert len((await deck.do("retention-defaults.list", token=token))["items"]) == 1


async def test_a_run_looks_first_and_then_takes_what_the_organization_s_default_says(deck, history):
    """The share of the caller's organization alone, by the jobs that housekeeping makes itself."""
    stranger = await deck.member("owner", "org_elsewhere")
    body = {"category": "domain-event-streams", "retentionDays": 1, "scope": "organization"}
    for token in (deck.token, stranger):
        await deck.do("retention-defaults.configure", {**body, "destructiveSchedulingEnabled": True}, token=token)
    only = {"categories": ["domain-event-streams"]}
    held = HeldClock(deck.instance.db.clock.now() + timedelta(days=2))
    deck.instance.db.clock = held
    looked = await ran(deck, only)
    (item,) = looked["items"]
    assert (looked["dryRun"], item["workId"], item["onlyCounts"]) == (True, None, 0)
    assert item["removes"] >= 5
    for stream, count in (("one", 4), ("two", 1), ("three", 1)):
        assert len(await deck.instance.db.read(events.read, f"sample:{stream}")) == count
    (item,) = (await ran(deck, {**only, "dryRun": False}))["items"]
    assert (item["removes"], item["onlyCounts"]) == (None, None)
    job = await deck.instance.db.read(lambda tx: jobs.get(tx, jobs.work_ref_id(item["workId"])))
    assert (job.kind, job.lane, job.organization_id) == (retention.KIND, "housekeeping", 1)
    task = job.read(retention.jobs.Task)
    assert task == retention.jobs.Task("domain-events", 1)
    done = await retention.jobs.carry_out(deck.instance, find(task.category), task.organization_id)
    assert done["removed"] >= 5
    for stream, count in (("one", 0), ("two", 0), ("three", 1)):
        assert len(await deck.instance.db.read(events.read, f"sample:{stream}")) == count
    shown = await deck.do("operator-work.show", workId=item["workId"])
    assert shown["item"]["safeDetails"]["category"] == "domain-events"


async def test_a_run_tells_apart_what_would_only_be_counted(deck, history):
    body = {"category": "domain-event-streams", "retentionDays": 1, "scope": "organization"}
    await deck.do("retention-defaults.configure", body)
    deck.instance.db.clock = HeldClock(deck.instance.db.clock.now() + timedelta(days=2))
    (item,) = (await ran(deck, {"categories": ["domain-event-streams"]}))["items"]
    assert (item["removes"], item["onlyCounts"] >= 5) == (0, True)
    every = {one["category"] for one in (await ran(deck, {}))["items"]}
    assert every == {
        "audit-rows", "deployment-logs", "domain-event-streams", "process-attempts", "provider-job-logs",
        "resource-runtime-log-archives",
    }  # fmt: skip
    assert (await ran(deck, {"categories": ["runtime-monitoring-samples"]}))["items"] == []


async def test_only_the_first_organization_runs_everywhere(deck):
    stranger = await deck.member("owner", "org_elsewhere")
    assert len((await ran(deck, {"scope": "system"}))["items"]) == 6
    refused = await ran(deck, {"scope": "system", "dryRun": False}, 403, token=stranger)
    assert refused["error"]["code"] == "operation_authorization_denied"
    viewer = await deck.member("viewer", "org_self_hosted")
    await ran(deck, {}, 403, token=viewer)


async def ran(deck, body, status=200, token=None):
    headers = {"authorization": f"Bearer {token or deck.token}"}
    response = await deck.client.post("/api/retention-runs", json=body, headers=headers)
    assert response.status_code == status, response.text
    return response.json()


@pytest.fixture
async def history(deck):
    """Events of two streams in the first organization, one in another."""
    await deck.member("owner", "org_elsewhere")

    def verb(tx):
        from sqlalchemy import select

        from quarterdeck.identity.model import Organization

        home, other = (
            tx.first(select(Organization).where(Organization.ref == ref)).id
            for ref in ("org_self_hosted", "org_elsewhere")
        )
        for type_ in ("sample-made", "sample-made", "sample-left", "sample-made"):
            events.append(tx, "sample:one", type_, {}, organization_id=home)
        events.append(tx, "sample:two", "sample-made", {}, organization_id=home)
        events.append(tx, "sample:three", "sample-made", {}, organization_id=other)

    await deck.instance.db.write(verb)


async def test_domain_events_are_pruned_as_far_as_a_gap_can_say(deck, history):
    body = {"before": later(deck), "aggregateType": "sample"}
    dry = await deck.do("domain-events.prune", body)
    assert (dry["inspectedCount"], dry["candidateCount"], dry["prunedCount"]) == (5, 5, 0)
    assert dry["countsByEventType"] == {"sample-made": 4, "sample-left": 1}
    made = {**body, "aggregateId": "one", "eventType": "sample-made", "dryRun": False}
    done = await deck.do("domain-events.prune", made)
    assert (done["prunedCount"], done["skippedCountsByReason"]) == (2, {"behind-kept-event": 1})
    assert await deck.instance.db.read(events.watermark, "sample:one") == 2
    left = await deck.do("domain-events.prune", {**body, "dryRun": False})
    assert left["prunedCount"] == 3
    assert len(await deck.instance.db.read(events.read, "sample:three")) == 1
    told = await deck.do("audit-events.list", query={"aggregateId": "one", "eventType": "domain-event.pruned"})
    assert len(told["items"]) == 1


async def test_the_border_the_limit_and_other_names(deck, history):
    stream = await deck.instance.db.read(events.read, "sample:one")
    border = {"before": wire_time(stream[0].at), "aggregateType": "sample", "dryRun": False}
    assert (await deck.do("domain-events.prune", border))["prunedCount"] == 0
    some = {"before": later(deck), "aggregateId": "one", "limit": 3, "dryRun": False}
    assert (await deck.do("domain-events.prune", some))["prunedCount"] == 3
    assert (await deck.do("domain-events.prune", {"before": later(deck), "deploymentId": "dep_x"}))[
        "inspectedCount"
    ] == 0
    await deck.refused(
        400, "validation_error", "domain-events.prune",
        {"before": later(deck), "deploymentId": "dep_x", "aggregateId": "one"},
    )  # fmt: skip
    assert (await deck.do("domain-events.prune", {"before": later(deck), "aggregateId": "o_e"}))["inspectedCount"] == 0


async def test_lines_of_a_providers_jobs_are_pruned_by_server_and_provider(deck):
    server = await deck.server()
    now = deck.instance.db.clock.now()
    lines = [Line(now, "quarterdeck", "system", "proxy-bootstrap", "info", f"line {one}") for one in range(3)]
    await deck.instance.logs.store(f"server:{server}", lines)
    body = {"before": later(deck)}
    for more, matched in (
        ({}, 3),
        ({"serverId": server}, 3),
        ({"providerKey": "local-shell"}, 3),
        ({"providerKey": "generic-ssh"}, 0),
        ({"serverId": "srv_000000000000"}, 0),
        ({"deploymentId": "dep_000000000000"}, 0),
    ):
        found = await deck.do("provider-job-logs.prune", {**body, **more})
        assert (found["matchedCount"], found["prunedCount"]) == (matched, 0), more
    stranger = await deck.member("owner", "org_elsewhere")
    assert (await deck.do("provider-job-logs.prune", {**body, "dryRun": False}, token=stranger))["matchedCount"] == 0
    done = await deck.do("provider-job-logs.prune", {**body, "dryRun": False})
    assert (done["prunedCount"], done["countsByProviderKey"]) == (3, {"local-shell": 3})
    assert await deck.instance.logs.read(f"server:{server}") == []
    found = await deck.instance.db.read(audit.page, organization_id=1, action="server.provider-lines-pruned")
    assert len(found.events) == 1
