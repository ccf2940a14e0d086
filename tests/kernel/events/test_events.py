from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from quarterdeck.kernel import events
from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.events import Event, Gap, Subscriber, subscriptions
from support.databases import fresh_database
from support.promptness import best

STREAM = "deployment:dep_1"


def streams(tx) -> list[str]:
    return list(tx.execute("SELECT stream FROM event_streams ORDER BY stream").scalars())


def append(database, count: int = 1, stream: str = STREAM, type_: str = "made") -> list[int]:
    return [database.write_sync(events.append, stream, type_, {"n": number}) for number in range(count)]


def test_events_are_numbered_from_one_within_their_stream(database):
    assert append(database, 3) == [1, 2, 3]
    assert append(database, 1, "deployment:dep_2") == [1]
    read = database.read_sync(events.read, STREAM, 1)
    assert [(event.sequence, event.data) for event in read] == [(2, {"n": 1}), (3, {"n": 2})]
    assert database.read_sync(events.head, STREAM) == 3
    assert database.read_sync(events.head, "deployment:none") == 0


def test_an_event_is_lost_with_its_change_and_leaves_no_hole(database):
    def refused(tx):
        events.append(tx, STREAM, "made")
        raise ValueError

    append(database)
    with pytest.raises(ValueError):  # noqa: PT011 - the unit's own
        database.write_sync(refused)
    assert append(database) == [2]


def test_concurrent_units_on_one_stream_get_following_numbers(database):
    threads = [threading.Thread(target=append, args=(database, 10)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.sequence for event in database.read_sync(events.read, STREAM)] == list(range(1, 41))


def test_a_cursor_leads_back_to_its_place_and_to_no_other_stream(database):
    append(database, 2)
    second = database.read_sync(events.read, STREAM)[1]
    assert len(second.cursor) == 32
    assert database.read_sync(events.locate, STREAM, second.cursor) == 2
    assert database.read_sync(events.locate, "deployment:dep_2", second.cursor) is None


async def test_a_follower_gets_the_past_and_then_is_woken(database):
    await database.write(events.append, STREAM, "made")
    following = events.follow(database.bus, database, STREAM)
    assert (await anext(following)).sequence == 1
    waiting = asyncio.create_task(anext(following))
    await asyncio.sleep(0.05)
    await database.write(events.append, STREAM, "made")
    assert (await asyncio.wait_for(waiting, 60)).sequence == 2

    async def next_one() -> None:
        coming = asyncio.create_task(anext(following))
        await asyncio.sleep(0)
        await database.write(events.append, STREAM, "made")
        await asyncio.wait_for(coming, 60)

    assert await best(next_one, 0.5) <= 0.5, "it looks by itself only every few seconds"
    await following.aclose()


async def test_a_follower_without_a_wake_up_looks_by_itself(database):
    from quarterdeck.kernel.bus import Bus

    following = events.follow(Bus(), database, STREAM)
    waiting = asyncio.create_task(anext(following))
    await asyncio.sleep(0.05)
    await database.write(events.append, STREAM, "made")
    assert (await asyncio.wait_for(waiting, 60)).sequence == 1
    await following.aclose()


async def test_what_was_pruned_shows_as_a_gap_and_numbers_go_on(database):
    for _ in range(3):
        await database.write(events.append, STREAM, "made")
    third = (await database.read(events.read, STREAM))[2]
    dry = await database.write(events.prune, third.at)
    assert (dry.matched, dry.pruned) == (2, 2)
    assert await database.read(events.watermark, STREAM) == 0
    assert (await database.write(events.prune, third.at, dry_run=False)).pruned == 2
    assert await database.read(events.watermark, STREAM) == 2
    following = events.follow(database.bus, database, STREAM)
    assert await anext(following) == Gap(STREAM, 0, 2)
    assert (await anext(following)).sequence == 3
    await following.aclose()
    assert (await database.write(events.prune, third.at + timedelta(seconds=1), dry_run=False)).pruned == 1
    assert await database.write(events.append, STREAM, "made") == 4


async def test_a_stream_that_is_erased_goes_and_one_that_begins_anew_is_followed_from_its_beginning(database):
    for _ in range(5):
        await database.write(events.append, STREAM, "made")
    following = events.follow(database.bus, database, STREAM, 4)
    assert (await anext(following)).sequence == 5
    waiting = asyncio.create_task(anext(following))
    assert await database.write(events.erase, STREAM) == 5
    assert await database.read(streams) == []
    assert await database.write(events.append, STREAM, "made") == 1
    assert (await asyncio.wait_for(waiting, 60)).sequence == 1
    await following.aclose()


async def test_a_stream_that_holds_events_is_not_dropped(database):
    for stream in (STREAM, "grant:1"):
        await database.write(events.append, stream, "made")
    later = database.clock.now() + timedelta(seconds=1)
    await database.write(events.prune, later, spare=("deployment:",), dry_run=False)
    assert await database.read(events.empty, "", 10) == ["grant:1"]
    assert await database.read(events.empty, "grant:1", 10) == []
    assert await database.read(events.holding, "deployment:", "", 10) == [STREAM]
    assert await database.read(events.holding, "grant:", "", 10) == []
    assert await database.write(events.drop, [STREAM, "grant:1", "none:1"]) == 1
    assert await database.read(streams) == [STREAM]


async def test_a_stream_that_is_erased_before_its_events_were_delivered_goes_afterwards(database, counter):
    await events.deliver_all(database)
    await database.write(events.append, STREAM, "made", {"n": 0})
    assert await database.write(events.erase, STREAM) == 0
    assert await database.read(streams) == [STREAM]
    await events.deliver_all(database)
    assert await database.write(events.erase, STREAM) == 1
    assert await database.read(streams) == ["seen"]


async def test_pruning_in_parts_takes_what_pruning_at_once_takes(database):
    """The end of a part may lie anywhere in the streams; what is spared or blocked holds nobody up."""
    for number in range(30):
        await database.write(events.append, f"{('resource', 'deployment', 'server')[number % 3]}:{number % 5}", "made")
    await database.write(events.append, "resource:late", "made")
    await database.write(events.append, "resource:late", "made")
    before = database.clock.now() + timedelta(seconds=1)
    await database.write(
        lambda tx: tx.execute(
            "UPDATE domain_events SET at = :later WHERE stream = 'resource:late' AND sequence = 1",
            {"later": micros(before)},
        )
    )
    whole = await database.write(events.prune, before, spare=("deployment:",))
    assert (whole.matched, whole.pruned, whole.rest) == (21, 20, None)
    parts, rest = [], (-1, -1)
    while rest is not None:
        part = await database.write(events.prune, before, dry_run=False, spare=("deployment:",), limit=4, after=rest)
        assert part.matched <= 4
        rest = part.rest
        parts.append(part.pruned)
    assert sum(parts) == whole.pruned
    assert len(parts) > 5
    left = await database.read(lambda tx: tx.execute("SELECT stream FROM domain_events").scalars().all())
    assert {stream for stream in left if not stream.startswith("deployment:")} == {"resource:late"}
    assert len(left) == 12
    assert await database.read(events.watermark, "resource:late") == 0


async def test_the_work_of_pruning_grows_with_what_goes_and_not_with_its_square(tmp_path):
    """Told by the steps of SQLite's machine; the statements are the same on PostgreSQL."""

    def fill(tx, name, number):
        row = {"stream": name, "at": 1, "n": 0}
        tx.execute("INSERT INTO event_streams (stream, head, watermark) VALUES (:stream, :n, 0)", row | {"n": number})
        tx.execute(
            'INSERT INTO domain_events (stream, sequence, cursor, type, data, at, correlation_id, "transaction") '
            "VALUES (:stream, :n, :cursor, 'made', '{}', :at, '-', 0)",
            [row | {"n": n + 1, "at": n + 1, "cursor": f"{name}{n}"} for n in range(number)],
        )

    def steps(tx):
        counted = []
        tx.raw.set_progress_handler(lambda: counted.append(1) and None, 1000)
        try:
            gone = events.prune(tx, tx.now, dry_run=False).pruned
        finally:
            tx.raw.set_progress_handler(None, 0)
        return gone, len(counted)

    used = []
    with fresh_database("sqlite", tmp_path, None) as address:
        database = open_database(address)
        for number in (1000, 4000):
            await database.write(fill, f"resource:{number}", number)
            gone, taken = await database.write(steps)
            assert gone == number
            used.append(taken)
        await database.close()
    assert used[1] < 6 * used[0]


class Counter:
    """A subscriber that keeps what it saw where its transaction does."""

    def __init__(self) -> None:
        self.fails_on: int | None = None
        self.subscriber = Subscriber("test.counter", frozenset({"made"}), self.take)

    def take(self, tx, event: Event) -> None:
        if event.data["n"] == self.fails_on:
            raise RuntimeError
        events.append(tx, "seen", "seen", {"n": event.data["n"]})

    def seen(self, database) -> list[int]:
        return [event.data["n"] for event in database.read_sync(events.read, "seen")]


@pytest.fixture
def counter(monkeypatch) -> Counter:
    made = Counter()
    monkeypatch.setattr("quarterdeck.kernel.events.subscriptions._REGISTERED", {"test.counter": made.subscriber})
    return made


async def test_a_subscriber_sees_each_event_of_its_types_once(database, counter):
    for number in range(5):
        await database.write(events.append, STREAM, "made", {"n": number})
        await database.write(events.append, STREAM, "other", {"n": -1})
    assert await events.deliver_all(database) == 5
    assert await events.deliver_all(database) == 0
    await database.write(events.append, STREAM, "made", {"n": 5})
    assert await events.deliver_all(database) == 1
    assert counter.seen(database) == [0, 1, 2, 3, 4, 5]


async def test_a_failing_event_is_tried_again_and_none_passes_it(database, counter, monkeypatch):
    for number in range(4):
        await database.write(events.append, STREAM, "made", {"n": number})
    counter.fails_on = 2
    await events.deliver_all(database)
    assert counter.seen(database) == [0, 1]
    counter.fails_on = None
    assert await events.deliver_all(database) == 0
    later = database.clock.now() + timedelta(seconds=10)
    monkeypatch.setattr(database.clock, "now", lambda: later)
    assert await events.deliver_all(database) == 2
    assert counter.seen(database) == [0, 1, 2, 3]


async def test_a_subscriber_that_an_event_stops_for_long_is_named(database, counter, monkeypatch):
    for number in range(2):
        await database.write(events.append, STREAM, "made", {"n": number})
    counter.fails_on = 1
    await events.deliver_all(database)
    for _ in range(subscriptions.PATIENCE - 1):
        await database.write(subscriptions.fail, "test.counter", "RuntimeError")
    assert await database.read(events.stuck) == []
    await database.write(subscriptions.fail, "test.counter", "RuntimeError")
    (found,) = await database.read(events.stuck)
    failing = (await database.read(events.read, STREAM))[1]
    assert found == events.Stuck("test.counter", 4, "RuntimeError", "made", failing.at)
    counter.fails_on = None
    later = database.clock.now() + timedelta(seconds=60)
    monkeypatch.setattr(database.clock, "now", lambda: later)
    assert await events.deliver_all(database) == 1
    assert await database.read(events.stuck) == []


async def test_events_that_no_subscriber_wants_are_pruned(database, counter):
    await database.write(events.append, STREAM, "made", {"n": 0})
    await events.deliver_all(database)
    await database.write(events.append, "deployment:dep_2", "other")
    later = database.clock.now() + timedelta(seconds=1)
    await database.write(events.prune, later, dry_run=False)
    assert await database.read(events.read, "deployment:dep_2") == []
    assert await database.read(events.watermark, "deployment:dep_2") == 1


async def test_events_that_a_subscriber_has_not_seen_are_not_pruned(database, counter):
    await database.write(events.append, STREAM, "made", {"n": 0})
    await events.deliver_all(database)
    await database.write(events.append, STREAM, "made", {"n": 1})
    later = database.clock.now() + timedelta(seconds=1)
    result = await database.write(events.prune, later, dry_run=False)
    kept = [event.data["n"] for event in await database.read(events.read, STREAM)]
    assert kept == [1]
    assert result.guarded >= 1
    await events.deliver_all(database)
    assert counter.seen(database)[-1] == 1


async def test_a_waiting_event_becomes_one_delivery_job(database, counter):
    from quarterdeck.kernel import jobs
    from quarterdeck.kernel.events.jobs import KIND, demand, keep_delivering

    assert not await database.write(demand)
    keeping = asyncio.create_task(keep_delivering(database))
    await asyncio.sleep(0.05)
    for _ in range(3):
        await database.write(events.append, STREAM, "made", {"n": 1})
    wanted = jobs.Filter(kind=KIND)
    async with asyncio.timeout(3):
        while not await database.read(jobs.count, wanted):
            await asyncio.sleep(0.02)
    assert not await database.write(demand)
    assert await database.read(jobs.count, wanted) == 1
    keeping.cancel()


@pytest.mark.postgresql
async def test_a_subscriber_does_not_step_over_a_transaction_that_commits_later(postgresql, tmp_path, counter):
    from quarterdeck.kernel.db import open_database
    from support.databases import fresh_database

    with fresh_database("postgresql", tmp_path, postgresql) as address:
        database = open_database(address)
        begun, go = threading.Event(), threading.Event()

        def slow(tx):
            events.append(tx, "deployment:slow", "made", {"n": 1})
            begun.set()
            assert go.wait(10)

        slowly = asyncio.create_task(database.write(slow))
        await asyncio.to_thread(begun.wait)
        await database.write(events.append, STREAM, "made", {"n": 2})
        await events.deliver_all(database)
        assert counter.seen(database) == []
        go.set()
        await slowly
        await events.deliver_all(database)
        assert counter.seen(database) == [1, 2]
        await database.close()
