"""A pruning is a fact of the chain: a tombstone that no sealed pruning names is a finding."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import BigInteger, bindparam, text

from quarterdeck.kernel import audit
from quarterdeck.kernel.audit.covering import AuditAction
from quarterdeck.kernel.audit.prune import GOING
from quarterdeck.kernel.clock import HeldClock

from .conftest import record

BURY = (
    "INSERT INTO audit_tombstones (event_id, at, digest, hash, pruned_at) SELECT e.id, e.at, s.digest, s.hash, e.at "
    "FROM audit_events e JOIN audit_seals s ON s.event_id = e.id WHERE e.id = {0}"
)
REMOVE = "DELETE FROM audit_events WHERE id = {0}"


@pytest.fixture
def trail(database):
    """Six sealed events of organization 1 and two of none."""
    events = [record(database, f"thg_{number}") for number in range(6)]
    events += [record(database, f"sys_{number}", organization_id=None) for number in range(2)]
    assert database.write_sync(audit.seal) == 8
    return events


def findings(database, anchors=None):
    return [(found.kind, found.event_id) for found in database.read_sync(audit.verify, anchors).findings]


def prune(database, **more):
    values = {"dry_run": False, **more}
    return database.write_sync(audit.prune, database.clock.now() + timedelta(seconds=1), **values)


def prunings(database, organization_id=None):
    return database.read_sync(audit.page, organization_id=organization_id, action="audit.pruned").events


def test_a_self_made_tombstone_is_named_with_anchors_and_without(database, trail, intruder):
    anchors = database.read_sync(audit.verify).heads
    intruder.run(BURY.format(trail[2].id), REMOVE.format(trail[2].id), triggers=True)
    assert findings(database) == findings(database, anchors) == [("deleted", trail[2].id)]
    prune(database)
    assert findings(database) == [("deleted", trail[2].id)]


def test_a_tombstone_beside_a_living_event_is_named(database, trail, intruder):
    intruder.run(BURY.format(trail[2].id), triggers=True)
    assert findings(database) == [("inserted", trail[2].id)]


def test_a_tombstone_of_what_was_never_sealed_is_named(database, trail, intruder):
    waits = record(database, "waits")
    intruder.run(
        f"INSERT INTO audit_tombstones (event_id, at, digest, hash, pruned_at) VALUES ({waits.id}, 1, 'x', 'x', 1)",
        REMOVE.format(waits.id),
        f"DELETE FROM audit_unsealed WHERE event_id = {waits.id}",
        triggers=True,
    )
    assert findings(database) == [("deleted", waits.id)]


def test_a_pruning_says_what_it_removed_and_is_sealed_with_it(database, trail):
    database.write_sync(audit.hold, "a claim", aggregate_id="thg_2")
    assert prune(database, organization_id=1).pruned == 5
    (event,) = prunings(database, 1)
    ids = [one.id for one in trail]
    assert (event.detail["count"], event.detail["events"]) == (5, [[ids[0], ids[1]], [ids[3], ids[5]]])
    report = database.read_sync(audit.verify)
    assert report.ok
    # Six and two events, the hold's own, and the pruning's.
    assert (report.sealed, report.pruned, report.prunings, report.unsealed.count) == (10, 5, 1, 0)


def test_a_dry_run_and_a_pruning_of_nothing_say_nothing(database, trail):
    prune(database, dry_run=True)
    prune(database, aggregate_id="nothing")
    assert prunings(database) == prunings(database, 1) == []


def test_pruning_in_steps_keeps_every_step_and_never_prunes_one(database, trail):
    assert [prune(database, limit=3).pruned for _ in range(4)] == [3, 3, 2, 0]
    last = prune(database)
    assert (last.matched, last.pruned, last.kept) == (3, 0, 3)
    assert len(prunings(database)) == 3
    report = database.read_sync(audit.verify)
    assert report.ok
    assert (report.sealed, report.pruned, report.prunings) == (11, 8, 3)
    record(database, "later")
    database.write_sync(audit.seal)
    assert prune(database).pruned == 1
    assert database.read_sync(audit.verify).prunings == 4


def test_a_pruning_that_was_removed_or_altered_covers_nothing(database, trail, intruder):
    prune(database, organization_id=1)
    (event,) = prunings(database, 1)
    gone = [("deleted", one.id) for one in trail[:6]]
    detail = msgspec.json.encode({**event.detail, "before": "2000-01-01T00:00:00.000Z"}).decode()
    intruder.run(f"UPDATE audit_events SET detail = '{detail}' WHERE id = {event.id}")
    assert findings(database) == [*gone, ("altered", event.id)]
    intruder.run(BURY.format(event.id), REMOVE.format(event.id), triggers=True)
    assert findings(database) == [*gone, ("deleted", event.id)]


@pytest.mark.parametrize(
    "change",
    [
        {"events": [[1, 1_000]], "count": 1_000},
        {"events": [[1, 1_000]]},
        {"sha256": "0" * 64},
        {"events": "all"},
    ],
)
def test_a_pruning_that_names_what_it_did_not_remove_covers_nothing(database, trail, intruder, change):
    prune(database, organization_id=1)
    (event,) = prunings(database, 1)
    said = {**event.detail, **change}
    database.write_sync(
        audit.record,
        AuditAction.PRUNED,
        resource_type="audit-event",
        resource_id="*",
        organization_id=1,
        detail=said,
    )
    database.write_sync(audit.seal)
    intruder.run(BURY.format(trail[6].id), REMOVE.format(trail[6].id), triggers=True)
    assert findings(database) == [("deleted", trail[6].id)]
    assert database.read_sync(audit.verify).prunings == 1


def test_many_ranges_are_found_again(database):
    events = [record(database, f"thg_{number % 2}") for number in range(300)]
    database.write_sync(audit.seal)
    assert prune(database, aggregate_id="thg_1").pruned == 150
    (event,) = prunings(database)
    assert event.detail["events"] == [[one.id, one.id] for one in events[1::2]]
    report = database.read_sync(audit.verify)
    assert report.ok
    assert report.pruned == 150


def test_the_oldest_go_first_by_their_time_also_where_the_clock_was_set_back(database):
    database.clock = HeldClock()
    for hours in (0, 5, -4, 6):  # written at 0, 5, 1 and 7
        database.clock.advance(hours * 3600)
        record(database, f"after {hours}")
    database.write_sync(audit.seal)
    before = database.clock.now() - timedelta(hours=1)
    gone = []
    for _ in range(4):
        left = database.read_sync(audit.look, audit.Filter(organization_id=1, resource_type="thing"), 50).events
        database.write_sync(audit.prune, before, dry_run=False, limit=1)
        after = database.read_sync(audit.look, audit.Filter(organization_id=1, resource_type="thing"), 50).events
        gone += [one.resource_id for one in left if one.id not in {other.id for other in after}]
    assert gone == ["after 0", "after -4", "after 5"]
    assert database.read_sync(audit.verify).ok


def test_what_goes_is_found_by_an_index_however_many_events_are_newer(database):
    words = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}[database.dialect]
    scope = audit.Scope(before=database.clock.now())

    def plan(tx):
        if tx.dialect == "postgresql":
            for way in ("seqscan", "bitmapscan", "sort"):  # of so few rows every way is as good
                tx.connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        asked = text(f"{words} {GOING.text}").bindparams(bindparam("without", expanding=True, type_=BigInteger()))
        return [str(row[-1]) for row in tx.execute(asked, {**scope.values(), "limit": 1})]

    rows = database.read_sync(plan)
    assert any("ix_audit_events_at" in row for row in rows), rows
    assert not [row for row in rows if row.startswith("SCAN e")]
