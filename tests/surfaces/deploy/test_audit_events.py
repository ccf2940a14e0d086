"""The audit trail over the deploy surface: lists, exports, archives, holds, pruning."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quarterdeck.kernel import audit
from quarterdeck.kernel.clock import wire_time


class SampleAction(audit.Action):
    DONE = "surface-sample.done"
    LEFT = "surface-sample.left"


@pytest.fixture
async def sample(deck):
    """Three acts on one thing in the caller's organization, sealed; answers its id."""
    place = (await deck.do("organizations.current-context"))["currentOrganization"]["organizationId"]

    def verb(tx):
        from sqlalchemy import select

        from quarterdeck.identity.model import Organization

        home = tx.first(select(Organization).where(Organization.ref == place))
        for number, action in enumerate((SampleAction.DONE, SampleAction.DONE, SampleAction.LEFT)):
            detail = {"number": number, "apiKey": "hush", "inner": {"list": ["a", 1]}}
            audit.record(tx, action, resource_type="thing", resource_id="thg_1", organization_id=home.id, detail=detail)

    await deck.instance.db.write(verb)
    await sealed(deck)
    return "thg_1"


async def sealed(deck):
    while await deck.instance.db.write(audit.seal):
        pass


def soon(deck, seconds=1):
    return wire_time(deck.instance.db.clock.now() + timedelta(seconds=seconds))


async def window(deck, **more):
    return {"from": soon(deck, -3600), "to": soon(deck, 1), **more}


async def test_a_list_is_of_one_aggregate_newest_first_and_paged(deck, sample):
    first = await deck.do("audit-events.list", query={"aggregateId": sample, "limit": 2})
    assert [one["eventType"] for one in first["items"]] == ["surface-sample.left", "surface-sample.done"]
    rest = await deck.do("audit-events.list", query={"aggregateId": sample, "cursor": first["nextCursor"]})
    assert [one["eventType"] for one in rest["items"]] == ["surface-sample.done"]
    assert "nextCursor" not in rest
    only = await deck.do("audit-events.list", query={"aggregateId": sample, "eventType": "surface-sample.left"})
    assert len(only["items"]) == 1
    shown = await deck.do(
        "audit-events.show", auditEventId=only["items"][0]["auditEventId"], query={"aggregateId": sample}
    )
    payload = shown["event"]["payload"]
    assert (payload["detail.number"], payload["detail.inner.list"]) == (2, ["a", "1"])
    assert payload["detail.apiKey"] != "hush"
    assert shown["event"]["redactedFields"] == ["detail.apiKey"]


async def test_questions_without_a_scope_or_with_a_bad_one_are_refused_in_the_envelope(deck, sample):
    (event,) = (await deck.do("audit-events.list", query={"aggregateId": sample, "limit": 1}))["items"]
    ref = event["auditEventId"]
    for name, path in (
        ("audit-events.list", {}),
        ("audit-events.export", {}),
        ("audit-events.show", {"auditEventId": ref}),
    ):
        await deck.refused(400, "audit_event_scope_required", name, **path)
    await deck.refused(
        404, "audit_event_not_found", "audit-events.show", auditEventId=ref, query={"aggregateId": "other"}
    )
    await deck.refused(400, "validation_error", "audit-events.list", query={"aggregateId": sample, "cursor": "!"})
    later, sooner = soon(deck, 60), soon(deck, -60)
    await deck.refused(400, "validation_error", "audit-events.export-global", query={"from": later, "to": sooner})
    await deck.refused(400, "validation_error", "audit-events.export-global", query={"from": later, "to": later})
    for query in (
        {},
        {"from": sooner},
        {"from": "yesterday", "to": later},
        {"from": sooner, "to": later, "limit": 501},
    ):
        await deck.malformed("audit-events.export-global", query=query)
    await deck.malformed("audit-events.list", query={"aggregateId": sample, "limit": 0})
    await deck.malformed("audit-events.prune", {"before": "2026-02-31T00:00:00Z"})
    await deck.malformed("audit-events.prune", {})


async def test_exports_say_whether_more_matched(deck, sample):
    whole = await deck.do("audit-events.export", query={"aggregateId": sample})
    assert (whole["itemCount"], whole["truncated"], whole["aggregateId"]) == (3, False, sample)
    cut = await deck.do("audit-events.export", query={"aggregateId": sample, "limit": 2})
    assert (cut["itemCount"], cut["truncated"]) == (2, True)
    everything = await deck.do("audit-events.export-global", query=await window(deck))
    assert {"user.first-administrator-created", "surface-sample.done"} <= {
        one["eventType"] for one in everything["items"]
    }
    none = await deck.do("audit-events.export-global", query={"from": soon(deck, 60), "to": soon(deck, 61)})
    assert none["items"] == []


async def test_what_is_taken_away_is_written_down(deck, sample):
    """Of every way that takes a copy, the one of the command line among them."""
    span = await window(deck, eventType="surface-sample.done")
    await deck.do("audit-events.export", query={"aggregateId": sample, "limit": 2})
    await deck.do("audit-events.export-global", query=span)
    await deck.do("audit-events.list", query={"aggregateId": sample})
    noted = await deck.do("audit-events.export-global", query=await window(deck, eventType="audit.exported"))
    assert len(noted["items"]) == 2  # the one that asks is written down after it has looked
    wide, narrow = (one["payload"] for one in noted["items"])
    assert (narrow["detail.format"], narrow["detail.aggregateId"], narrow["actor"]) == ("json", sample, "ada")
    assert (wide["detail.eventType"], wide["detail.from"]) == ("surface-sample.done", span["from"])
    before = await deck.do("audit-events.list", query={"aggregateId": "*", "limit": 50})
    await deck.refused(400, "validation_error", "audit-events.export-global", query={**span, "to": span["from"]})
    assert (await deck.do("audit-events.list", query={"aggregateId": "*", "limit": 50}))["items"] == before["items"]


async def test_another_organization_sees_holds_and_prunes_nothing_of_this_one(deck, sample):
    stranger = await deck.member("owner", "org_elsewhere")
    (event,) = (await deck.do("audit-events.list", query={"aggregateId": sample, "limit": 1}))["items"]
    hold = (await deck.do("audit-events.legal-holds.configure", {"reason": "a claim", "aggregateId": "x"}))["hold"]
    made = await deck.do("audit-events.archives.create", {"reason": "the books", "aggregateId": sample})
    for name, query in (
        ("audit-events.list", {"aggregateId": sample}),
        ("audit-events.export", {"aggregateId": sample}),
        ("audit-events.export-global", await window(deck, aggregateId=sample)),
        ("audit-events.archives.list", {}),
        ("audit-events.legal-holds.list", {}),
    ):
        assert (await deck.do(name, token=stranger, query=query))["items"] == [], name
    ref, archive = event["auditEventId"], made["archive"]["archiveId"]
    for code, name, body, path in (
        ("audit_event_not_found", "audit-events.show", None, {"auditEventId": ref, "query": {"aggregateId": sample}}),
        ("audit_event_archive_not_found", "audit-events.archives.show", None, {"archiveId": archive}),
        ("audit_event_legal_hold_not_found", "audit-events.legal-holds.show", None, {"holdId": hold["holdId"]}),
        (
            "audit_event_legal_hold_not_found", "audit-events.legal-holds.release", {"releaseReason": "mine"},
            {"holdId": hold["holdId"]},
        ),
    ):  # fmt: skip
        await deck.refused(404, code, name, body, token=stranger, **path)
    pruned = await deck.do(
        "audit-events.prune", {"before": soon(deck), "aggregateId": sample, "dryRun": False}, token=stranger
    )
    assert (pruned["matchedCount"], pruned["prunedCount"]) == (0, 0)
    gone = await deck.do("audit-events.archives.prune", {"before": soon(deck), "dryRun": False}, token=stranger)
    assert gone["matchedCount"] == 0
    assert len((await deck.do("audit-events.list", query={"aggregateId": sample}))["items"]) == 3


async def test_a_pruning_looks_first_spares_what_is_held_or_archived_and_counts_it(deck, sample):
    held = await deck.do(
        "audit-events.legal-holds.configure",
        {"reason": "a claim", "aggregateId": sample, "eventType": "surface-sample.left", "requestedBy": "Counsel"},
    )
    assert (held["hold"]["status"], held["hold"]["scope"]) == ("active", {"kind": "aggregate", "aggregateId": sample})
    kept = await deck.do(
        "audit-events.archives.create",
        {"reason": "the books", "aggregateId": sample, "eventType": "surface-sample.done", "limit": 1,
         "retainSourceRows": True},
    )  # fmt: skip
    assert (kept["archive"]["itemCount"], kept["archive"]["truncated"]) == (1, True)
    body = {"before": soon(deck), "aggregateId": sample}
    dry = await deck.do("audit-events.prune", body)
    assert (dry["dryRun"], dry["matchedCount"], dry["prunedCount"]) == (True, 3, 0)
    assert dry["countsByEventType"] == {"surface-sample.done": 1}
    assert (dry["heldCount"], dry["heldCountsByEventType"]) == (1, {"surface-sample.left": 1})
    assert (dry["archiveRetainedCount"], dry["archiveRetainedCountsByEventType"]) == (1, {"surface-sample.done": 1})
    assert dry["activeHoldIds"] == [held["hold"]["holdId"]]
    assert dry["activeArchiveIds"] == [kept["archive"]["archiveId"]]
    done = await deck.do("audit-events.prune", {**body, "dryRun": False})
    assert (done["prunedCount"], done["countsByEventType"]) == (1, {"surface-sample.done": 1})
    assert len((await deck.do("audit-events.list", query={"aggregateId": sample, "eventType": "surface-sample.done"}))[
        "items"
    ]) == 1  # fmt: skip
    # Released and pruned, what they kept may go.
    released = await deck.do(
        "audit-events.legal-holds.release", {"releaseReason": "settled"}, holdId=held["hold"]["holdId"]
    )
    assert (released["hold"]["status"], released["hold"]["releaseReason"]) == ("released", "settled")
    again = await deck.do("audit-events.legal-holds.release", {"releaseReason": "x"}, holdId=held["hold"]["holdId"])
    assert again == released
    looked = await deck.do("audit-events.archives.prune", {"before": soon(deck)})
    assert (looked["matchedCount"], looked["prunedCount"]) == (1, 0)
    assert looked["countsBySourceKind"] == {"aggregate": 1}
    assert (await deck.do("audit-events.archives.prune", {"before": soon(deck), "dryRun": False}))["prunedCount"] == 1
    last = await deck.do("audit-events.prune", {**body, "dryRun": False})
    assert last["prunedCount"] == 2
    assert (await deck.instance.db.read(audit.verify)).ok


async def test_the_cutoff_itself_stays(deck, sample):
    (newest,) = (await deck.do("audit-events.list", query={"aggregateId": sample, "limit": 1}))["items"]
    body = {"before": newest["createdAt"], "aggregateId": sample, "dryRun": False}
    assert (await deck.do("audit-events.prune", body))["prunedCount"] == 0


async def test_an_archive_shows_its_copy_after_the_events_are_gone(deck, sample):
    made = (await deck.do("audit-events.archives.create", {"reason": "the books", "aggregateId": sample}))["archive"]
    again = (await deck.do("audit-events.archives.create", {"reason": "once more", "aggregateId": sample}))["archive"]
    assert made["contentDigest"] == again["contentDigest"]
    before = await deck.do("audit-events.archives.show", archiveId=made["archiveId"])
    await deck.do("audit-events.prune", {"before": soon(deck), "aggregateId": sample, "dryRun": False})
    shown = await deck.do("audit-events.archives.show", archiveId=made["archiveId"])
    assert shown["archive"] == before["archive"]
    assert [one["eventType"] for one in shown["archive"]["items"]] == [
        "surface-sample.left", "surface-sample.done", "surface-sample.done",
    ]  # fmt: skip
    page = await deck.do("audit-events.archives.list", query={"limit": 1})
    assert [one["archiveId"] for one in page["items"]] == [again["archiveId"]]
    rest = await deck.do("audit-events.archives.list", query={"limit": 1, "cursor": page["nextCursor"]})
    assert [one["archiveId"] for one in rest["items"]] == [made["archiveId"]]


async def test_what_names_nothing_is_neither_archived_nor_held(deck):
    await deck.refused(400, "audit_event_archive_scope_required", "audit-events.archives.create", {"reason": "why"})
    await deck.refused(
        400, "audit_event_legal_hold_scope_required", "audit-events.legal-holds.configure", {"reason": "why"}
    )
    await deck.refused(
        400, "validation_error", "audit-events.legal-holds.configure", {"reason": "  ", "aggregateId": "x"}
    )
    spans = {"from": soon(deck, 60), "to": soon(deck)}
    await deck.refused(400, "validation_error", "audit-events.legal-holds.configure", {"reason": "why", **spans})
    await deck.refused(400, "validation_error", "audit-events.archives.create", {"reason": "why", **spans})
    held = await deck.do("audit-events.legal-holds.configure", {"reason": "why", "to": soon(deck, 60)})
    assert held["hold"]["scope"]["kind"] == "global-window"
    assert (await deck.do("audit-events.legal-holds.show", holdId=held["hold"]["holdId"]))["hold"] == held["hold"]
    listed = await deck.do("audit-events.legal-holds.list", query={"status": "active"})
    assert [one["holdId"] for one in listed["items"]] == [held["hold"]["holdId"]]
    assert (await deck.do("audit-events.legal-holds.list", query={"status": "released"}))["items"] == []
    await deck.refused(404, "audit_event_archive_not_found", "audit-events.archives.show", archiveId="aar_000000000000")
