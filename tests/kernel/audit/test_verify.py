from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from quarterdeck.kernel import audit, verifying
from quarterdeck.kernel.audit import Head, archives
from quarterdeck.kernel.errors import NotFound

from .conftest import record


@pytest.fixture
def trail(database):
    """Six sealed events of organization 1 and two of none, then one that waits."""
    events = [record(database, f"thg_{number}") for number in range(6)]
    events += [record(database, f"sys_{number}", organization_id=None) for number in range(2)]
    assert database.write_sync(audit.seal) == 8
    return [*events, record(database, "waits")]


def findings(database):
    return [(found.kind, found.event_id) for found in database.read_sync(audit.verify).findings]


def test_an_untouched_trail_is_proven_and_its_unsealed_tail_named(database, trail):
    report = database.read_sync(audit.verify)
    assert report.ok
    assert (report.sealed, report.pruned) == (8, 0)
    assert (report.unsealed.count, report.unsealed.first_event_id) == (1, trail[-1].id)
    assert report.unsealed.oldest == trail[-1].at
    assert {organization: head.position for organization, head in report.heads.items()} == {0: 2, 1: 6}


@pytest.mark.parametrize(
    "change",
    ["outcome = 'denied'", "detail = '{\"n\":2}'", "actor_label = 'bob'", "at = at + 1", "organization_id = 2"],
)
def test_the_first_altered_row_is_named(database, trail, intruder, change):
    intruder.run(f"UPDATE audit_events SET {change} WHERE id IN ({trail[4].id}, {trail[2].id})")
    report = database.read_sync(audit.verify)
    assert report.first is not None
    assert (report.first.kind, report.first.event_id, report.first.uid) == ("altered", trail[2].id, trail[2].uid)
    assert findings(database) == [("altered", trail[2].id), ("altered", trail[4].id)]


def test_deleted_rows_are_named_sealed_or_not(database, trail, intruder):
    intruder.run(f"DELETE FROM audit_events WHERE id IN ({trail[1].id}, {trail[-1].id})")
    assert findings(database) == [("deleted", trail[1].id), ("deleted", trail[-1].id)]


def test_an_inserted_row_is_named(database, trail, intruder):
    columns = (
        "organization_id, at, actor_kind, actor_id, actor_label, action, resource_type, resource_id, aggregate_id, "
        "outcome, request_id, correlation_id, address, detail"
    )
    intruder.run(
        f"INSERT INTO audit_events (id, uid, ref, {columns}) SELECT 5000, 'forged', 'aud_forged', {columns} "
        f"FROM audit_events WHERE id = {trail[0].id}",
        triggers=True,
    )
    database.write_sync(audit.seal)
    assert findings(database) == [("inserted", 5000)]


def test_altered_and_missing_seals_are_named(database, trail, intruder):
    intruder.run(f"UPDATE audit_seals SET digest = '{'0' * 64}' WHERE event_id = {trail[1].id}")
    assert ("seal-altered", trail[1].id) in findings(database)
    intruder.run(f"DELETE FROM audit_seals WHERE event_id = {trail[1].id}")
    assert findings(database) == [("inserted", trail[1].id), ("seal-missing", trail[2].id)]


def test_a_chain_cut_at_its_end_is_shown_by_an_anchor(database, trail, intruder):
    anchors = database.read_sync(audit.verify).heads
    intruder.run(
        f"DELETE FROM audit_seals WHERE event_id = {trail[5].id}", f"DELETE FROM audit_events WHERE id = {trail[5].id}"
    )
    assert database.read_sync(audit.verify).ok
    report = database.read_sync(audit.verify, anchors)
    assert report.first is not None
    assert report.first.kind == "seal-missing"
    assert not database.read_sync(audit.verify, {1: Head(3, "f" * 64)}).ok


def test_pruning_leaves_tombstones_that_still_prove_the_chain(database, trail, intruder):
    later = database.clock.now() + timedelta(seconds=1)
    dry = database.write_sync(audit.prune, later, organization_id=1)
    assert (dry.matched, dry.pruned, dry.kept, dry.unsealed) == (7, 6, 0, 1)
    assert database.read_sync(audit.verify).pruned == 0
    assert database.write_sync(audit.prune, later, organization_id=1, dry_run=False).pruned == 6
    report = database.read_sync(audit.verify)
    assert report.ok
    assert (report.sealed, report.pruned, report.prunings, report.unsealed.count) == (10, 6, 1, 0)
    intruder.run(f"UPDATE audit_tombstones SET digest = 'x' WHERE event_id = {trail[3].id}")
    assert findings(database) == [("altered", trail[3].id)]


def test_one_chain_is_proven_without_a_look_at_the_others(database, trail, intruder):
    theirs = record(database, "theirs", organization_id=2)
    assert database.write_sync(audit.seal) == 2

    def chain(organization):
        report = database.read_sync(audit.verify_chain, organization)
        return list(report.heads), report.sealed, report.unsealed.count, [one.event_id for one in report.findings]

    assert [chain(one) for one in (0, 1, 2)] == [([0], 2, 0, []), ([1], 7, 0, []), ([2], 1, 0, [])]
    gone = record(database, "gone")
    assert [chain(one)[2] for one in (0, 1, 2)] == [0, 1, 0]
    # One row altered in each, one beside each, one that vanished: it is nobody's.
    intruder.run(
        f"UPDATE audit_events SET outcome = 'denied' WHERE id IN ({trail[0].id}, {trail[6].id}, {theirs.id})",
        f"DELETE FROM audit_seals WHERE event_id IN ({trail[5].id}, {trail[7].id})",
        f"DELETE FROM audit_events WHERE id = {gone.id}",
    )
    whole = {finding.event_id: finding.organization_id for finding in database.read_sync(audit.verify).findings}
    alone = {one: chain(one)[3] for one in (0, 1, 2)}
    assert {event for some in alone.values() for event in some} == whole.keys()
    for organization, some in alone.items():
        assert {whole[event] for event in some} == {organization}
    assert alone[2] == [theirs.id]


async def test_the_job_reads_one_organization_in_a_unit(database, trail):
    record(database, "theirs", organization_id=2)
    database.write_sync(audit.seal)
    units = []

    class Units:
        async def read(self, verb, *given):
            units.append((verb, given))
            return database.read_sync(verb, *given)

        async def write(self, verb, *given):
            return database.write_sync(verb, *given)

    context = SimpleNamespace(read=lambda _kind: verifying.Task(2, "ada"))
    proof = await verifying.run(context, SimpleNamespace(db=Units()))
    assert units == [(audit.verify_chain, (0,)), (audit.verify_chain, (2,))]
    assert (proof.position, proof.findings, proof.by) == (1, 0, "ada")


def test_the_cutoff_itself_stays(database, trail):
    assert database.write_sync(audit.prune, trail[0].at, organization_id=1, dry_run=False).pruned == 0


def test_a_hold_keeps_events_until_it_is_released(database, trail):
    later = database.clock.now() + timedelta(seconds=1)
    held = database.write_sync(audit.hold, "a claim", organization_id=1, aggregate_id="thg_2")
    result = database.write_sync(audit.prune, later, organization_id=1, dry_run=False)
    assert (result.pruned, result.kept) == (5, 1)
    assert [event.resource_id for event in database.read_sync(audit.page, organization_id=1).events] == [
        "*",
        held,
        "waits",
        "thg_2",
    ]
    database.write_sync(audit.release, held)
    assert database.write_sync(audit.prune, later, organization_id=1, dry_run=False).pruned == 3
    actions = [event.action for event in database.read_sync(audit.page, organization_id=1).events]
    assert actions == ["audit.pruned", "legal-hold.released", "audit.pruned"]


def test_an_archive_that_retains_keeps_its_events_until_it_goes(database, trail):
    later = database.clock.now() + timedelta(seconds=1)
    wanted = audit.Filter(organization_id=1, since=trail[0].at, until=later)
    copied = database.write_sync(audit.archive, wanted, "the books")
    kept = database.write_sync(audit.archive, wanted, "the books", retain=True)
    assert (copied.item_count, copied.truncated) == (7, False)
    assert database.write_sync(audit.prune, later, organization_id=1, dry_run=False).kept == 8
    assert database.write_sync(archives.prune, later, organization_id=1, dry_run=False).matched == 2
    database.write_sync(audit.seal)
    assert database.write_sync(audit.prune, later, organization_id=1, dry_run=False).pruned == 10
    assert database.read_sync(audit.verify).ok
    with pytest.raises(NotFound, match=kept.ref):
        database.read_sync(archives.find, kept.ref, organization_id=1)
