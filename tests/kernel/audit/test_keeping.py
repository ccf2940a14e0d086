"""What keeps events from being pruned, and that copies stay what they were."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select

from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import archives, holds
from quarterdeck.kernel.audit.model import audit_archives
from quarterdeck.kernel.errors import Invalid, NotFound

from .conftest import ThingAction, record


@pytest.fixture
def trail(database):
    """Four sealed events of organization 1, two things each by two actions, and one of organization 2."""
    events = [
        database.write_sync(audit.record, action, organization_id=1, resource_type="thing", resource_id=f"thg_{number}")
        for number in range(2)
        for action in (ThingAction.MADE, ThingAction.READ)
    ]
    events.append(record(database, "thg_0", organization_id=2))
    database.write_sync(audit.seal)
    return events


def later(database):
    return database.clock.now() + timedelta(seconds=1)


def scope(database, **more):
    return audit.Scope(before=later(database), organization_id=1, **more)


def resources(database, **more):
    found = database.read_sync(audit.look, audit.Filter(organization_id=1, resource_type="thing", **more), 50)
    return [(event.resource_id, event.action) for event in found.events]


def test_a_hold_keeps_what_it_names_by_aggregate_action_and_span(database, trail):
    placed = {
        "by aggregate": {"aggregate_id": "thg_1"},
        "by action": {"action": "test-thing.read"},
        "by span": {"from_at": trail[3].at, "to_at": later(database)},
    }
    for name, what in placed.items():
        ref = database.write_sync(audit.hold, name, organization_id=1, **what)
        seen = database.read_sync(audit.survey, scope(database))
        assert ref in seen.holds, name
        assert "test-thing.read" in seen.held, name
        database.write_sync(audit.release, ref)
    assert database.read_sync(audit.survey, scope(database)).holds == []
    database.write_sync(audit.hold, "a claim", organization_id=1, action="test-thing.read")
    database.write_sync(audit.step, scope(database))
    assert resources(database) == [("thg_1", "test-thing.read"), ("thg_0", "test-thing.read")]
    assert database.read_sync(audit.verify).ok


def test_a_hold_of_one_organization_keeps_nothing_of_another(database, trail):
    database.write_sync(audit.hold, "a claim", organization_id=1)
    gone = database.write_sync(audit.step, audit.Scope(before=later(database)))
    assert gone == {"test-thing.made": 1}
    assert len(resources(database)) == 4


def test_a_pruning_may_leave_organizations_out(database, trail):
    gone = database.write_sync(audit.step, audit.Scope(before=later(database), without=(1,)))
    assert gone == {"test-thing.made": 1}


def test_releasing_a_hold_again_changes_and_tells_nothing(database, trail):
    ref = database.write_sync(audit.hold, "a claim", organization_id=1, requested_by="Counsel")
    first = database.write_sync(audit.release, ref, "settled", organization_id=1)
    again = database.write_sync(audit.release, ref, "once more", organization_id=1, released_by="Mallory")
    assert again == first
    assert (first.requested_by, first.release_reason, first.released_by) == ("Counsel", "settled", "quarterdeck")
    told = database.read_sync(audit.page, organization_id=1, action="legal-hold.released").events
    assert len(told) == 1
    with pytest.raises(NotFound):
        database.write_sync(audit.release, ref, organization_id=2)


def test_the_same_events_give_the_same_digest_and_a_copy_outlives_them(database, trail):
    wanted = audit.Filter(organization_id=1, aggregate_id="thg_0")
    made = [database.write_sync(audit.archive, wanted, f"number {number}") for number in range(2)]
    assert made[0].digest == made[1].digest
    assert made[0].item_count == 2
    database.write_sync(audit.step, scope(database))
    assert resources(database) == []
    kept = database.read_sync(archives.content, made[0].ref, organization_id=1)
    assert [(one.resource_id, one.action, one.ref) for one in kept] == [
        ("thg_0", "test-thing.read", trail[1].ref), ("thg_0", "test-thing.made", trail[0].ref),
    ]  # fmt: skip
    text = database.read_sync(lambda tx: tx.execute(select(audit_archives.c.content)).scalars().first())
    assert hashlib.sha256(text.encode()).hexdigest() == made[0].digest


def test_an_archive_of_more_than_its_limit_says_that_it_is_cut(database, trail):
    wanted = audit.Filter(organization_id=1, since=trail[0].at, until=later(database))
    made = database.write_sync(audit.archive, wanted, "the books", limit=3)
    assert (made.item_count, made.truncated) == (3, True)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, "audit_event_archive_scope_required"),
        ({"since": True}, "audit_event_archive_scope_required"),
        ({"since": True, "until": True}, "validation_error"),
    ],
)
def test_an_archive_of_nothing_in_particular_is_refused(database, trail, more, code):
    spans = dict.fromkeys(more, trail[0].at)
    with pytest.raises(Invalid) as refused:
        database.write_sync(audit.archive, audit.Filter(organization_id=1, **spans), "why not")
    assert refused.value.code == code


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_archives SET content = '[]'", "UPDATE audit_archives SET digest = ''"]
)
def test_a_copy_is_never_changed(database, trail, intruder, statement):
    database.write_sync(audit.archive, audit.Filter(organization_id=1, aggregate_id="thg_0"), "the books")
    with pytest.raises(Exception, match="append-only"):
        intruder.run(statement, triggers=True)


def test_truncating_is_refused_where_there_is_such_a_thing(database, database_kind, trail, intruder):
    for table in ("audit_events", "audit_seals", "audit_tombstones", "audit_archives"):
        statement = f"TRUNCATE {table} CASCADE" if database_kind == "postgresql" else f"DELETE FROM {table} WHERE 1"
        if database_kind == "sqlite" and table in {"audit_tombstones", "audit_archives"}:
            continue  # nothing stands there yet, and archives go by a pruning
        with pytest.raises(Exception, match="append-only"):
            intruder.run(statement, triggers=True)


def test_the_listed_pages_of_holds_and_archives(database, trail):
    refs = [database.write_sync(audit.hold, f"claim {number}", organization_id=1) for number in range(3)]
    database.write_sync(audit.release, refs[1])
    first, rest = database.read_sync(holds.listed, 1, limit=2)
    assert ([one.ref for one in first], rest is not None) == ([refs[2], refs[1]], True)
    second, end = database.read_sync(holds.listed, 1, limit=2, before=rest)
    assert ([one.ref for one in second], end) == ([refs[0]], None)
    assert [one.ref for one in database.read_sync(holds.listed, 1, status="released")[0]] == [refs[1]]
    assert database.read_sync(holds.listed, 2)[0] == []
    made = database.write_sync(audit.archive, audit.Filter(organization_id=1, aggregate_id="thg_0"), "the books")
    assert [one.ref for one in database.read_sync(archives.listed, 1, since=made.created_at)[0]] == [made.ref]
    assert database.read_sync(archives.listed, 1, until=made.created_at)[0] == []
    assert database.read_sync(archives.listed, 2)[0] == []


def test_a_failed_audit_insert_takes_the_hold_along(database, trail, intruder, database_kind):
    """One change is one transaction: without its event there is no hold."""
    refuse = (
        "CREATE TRIGGER no_more BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        if database_kind == "sqlite"
        else "CREATE FUNCTION no_more() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$; "
        "CREATE TRIGGER no_more BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION no_more()"
    )
    intruder.run(refuse, triggers=True)
    with pytest.raises(Exception, match="the disk is full"):
        database.write_sync(audit.hold, "a claim", organization_id=1)
    assert database.read_sync(holds.listed, 1)[0] == []
