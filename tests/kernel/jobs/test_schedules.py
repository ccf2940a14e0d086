"""What a schedule promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import msgspec
import pytest

from quarterdeck.kernel import jobs
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.jobs.dispatcher import chores
from quarterdeck.kernel.jobs.schedules import AGAIN, fire_due


class Nothing(msgspec.Struct):
    pass


jobs.kinds.register(jobs.JobKind("scheduled.work", Nothing))
REQUEST = jobs.Enqueue("scheduled.work", Nothing(), 1, subject="resource:res_1", max_attempts=3)


@pytest.fixture
def clock():
    return HeldClock(datetime(2026, 3, 28, 12, 0, tzinfo=UTC))


@pytest.fixture
def db(database_address, clock):
    opened = open_database(database_address, clock=clock)
    yield opened
    opened.close_sync()


def made(db):
    return db.read_sync(jobs.list_jobs, jobs.Filter(kind="scheduled.work"))


def test_a_due_time_fires_once_with_two_dispatchers(db, database_address, clock):
    db.write_sync(jobs.set_schedule, "nightly", jobs.Rhythm(every_seconds=60), REQUEST)
    other = open_database(database_address, clock=clock)
    try:
        for rounds in range(1, 4):
            clock.advance(60)
            with ThreadPoolExecutor(4) as threads:
                list(threads.map(lambda place: (db, other)[place % 2].write_sync(fire_due), range(8)))
            assert len(made(db)) == rounds
    finally:
        other.close_sync()
    assert (made(db)[0].subject, made(db)[0].max_attempts) == ("resource:res_1", 3)


def test_after_an_outage_the_latest_missed_time_fires_and_no_other(db, clock):
    db.write_sync(jobs.set_schedule, "minutely", jobs.Rhythm(cron="* * * * *"), REQUEST)
    clock.advance(600)
    db.write_sync(fire_due)
    db.write_sync(fire_due)
    assert len(made(db)) == 1
    clock.advance(60)
    db.write_sync(fire_due)
    assert len(made(db)) == 2


def test_an_hour_keeps_its_place_in_its_time_zone_when_clocks_change(db, clock):
    rhythm = jobs.Rhythm(cron="30 9 * * *", timezone="Europe/Berlin")
    first = rhythm.next_after(datetime(2026, 3, 28, 12, 0, tzinfo=UTC))
    assert first == datetime(2026, 3, 29, 7, 30, tzinfo=UTC)
    assert rhythm.next_after(datetime(2026, 3, 27, 12, 0, tzinfo=UTC)) == datetime(2026, 3, 28, 8, 30, tzinfo=UTC)


def test_a_disabled_or_removed_schedule_is_silent(db, clock):
    db.write_sync(jobs.set_schedule, "a", jobs.Rhythm(every_seconds=60), REQUEST, enabled=False)
    db.write_sync(jobs.set_schedule, "b", jobs.Rhythm(every_seconds=60), REQUEST)
    db.write_sync(jobs.remove_schedule, "b")
    clock.advance(120)
    assert db.write_sync(fire_due) == 0
    assert made(db) == []


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("kind", "scheduled.gone", "There is no kind of job named scheduled.gone."),
        ("payload", "{", "What it asks for cannot be read (DecodeError)."),
        ("timezone", "Mars/Olympus", "'* * * * *' in Mars/Olympus is not a schedule."),
    ],
)
def test_a_schedule_that_cannot_be_fired_is_told_of_and_keeps_nobody_else_waiting(db, clock, column, value, said):
    db.write_sync(jobs.set_schedule, "bad", jobs.Rhythm(cron="* * * * *"), REQUEST)
    db.write_sync(jobs.set_schedule, "good", jobs.Rhythm(cron="* * * * *"), REQUEST)
    assert db.read_sync(jobs.unfit) == []
    db.write_sync(lambda tx: tx.execute(f"UPDATE job_schedules SET {column} = :to WHERE name = 'bad'", {"to": value}))
    assert db.read_sync(jobs.unfit) == [jobs.Unfit("bad", said)]
    parked = db.write_sync(
        jobs.enqueue, msgspec.structs.replace(REQUEST, concurrency_key="key", run_at=clock.now() + AGAIN / 10)
    )
    clock.advance(60)
    assert db.write_sync(chores) == 3
    assert len(made(db)) == 2, "the other one fired"
    due = "SELECT due_at FROM jobs WHERE id = :id"
    assert db.read_sync(lambda tx: tx.execute(due, {"id": parked.id}).scalar()), "and what was parked is awake"
    assert db.write_sync(fire_due) == 0, "it is not tried again at once"
    db.write_sync(lambda tx: tx.execute("UPDATE job_schedules SET next_due_at = NULL WHERE name = 'good'"))
    clock.advance(AGAIN.total_seconds() - 1)
    assert db.write_sync(fire_due) == 0
    db.write_sync(jobs.set_schedule, "bad", jobs.Rhythm(cron="* * * * *"), REQUEST)
    clock.advance(60)
    assert (db.write_sync(fire_due), len(made(db))) == (1, 3)
    assert db.read_sync(jobs.unfit) == []


@pytest.mark.parametrize(
    "rhythm",
    [
        jobs.Rhythm(cron="61 * * * *"),
        jobs.Rhythm(cron="* * * * *", timezone="Mars/Olympus"),
        jobs.Rhythm(every_seconds=0),
        jobs.Rhythm(),
    ],
)
def test_a_rhythm_that_means_nothing_is_refused(rhythm):
    with pytest.raises(Invalid):
        rhythm.next_after(datetime(2026, 1, 1, tzinfo=UTC))
