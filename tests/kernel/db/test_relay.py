"""Wake-ups between processes on one PostgreSQL database: what is heard, and what a lost connection costs."""

from __future__ import annotations

import asyncio
import contextlib

import psycopg
import pytest

from quarterdeck.kernel.bus import Bus, Concern
from quarterdeck.kernel.db import parcels, relay
from quarterdeck.kernel.db.relay import CHANNEL, Relay
from support.databases import fresh_database

SECONDS = 20


@contextlib.asynccontextmanager
async def related(url, name):
    """A bus whose relay runs."""
    bus = Bus()
    one = Relay(url, bus, sender=name, name=name)
    running = asyncio.create_task(one.run())
    try:
        await until(lambda: one.connected)
        yield bus, one
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(true):
    async with asyncio.timeout(SECONDS):
        while not true():
            await asyncio.sleep(0.02)


@pytest.fixture
def url(postgresql, tmp_path):
    with fresh_database("postgresql", tmp_path, postgresql) as address:
        yield str(address)


def count(connection):
    """The notifications that were heard on a connection of the test's own."""
    connection.execute("SELECT 1")
    return [one.payload for one in connection.notifies(timeout=0.5)]


@pytest.mark.postgresql
async def test_what_one_publishes_the_other_hears_once_and_itself_but_once(url):
    async with related(url, "a") as (near, first), related(url, "b") as (far, second):
        await until(lambda: first.accompanied and second.accompanied)
        payloads = [
            None, "word", 7, Concern(3, "task:1", "task-created"), frozenset({Concern(None, "a", "b")}),
            (5, "kind", {"x": 1}),
        ]  # fmt: skip
        with near.subscribe("t") as here, far.subscribe("t") as there:
            for payload in payloads:
                near.publish("t", payload)
            heard = [(await there.get(SECONDS)).payload for _ in payloads]
            assert heard == payloads
            far.publish("t", "back")
            own = [(await here.get(SECONDS)).payload for _ in range(len(payloads) + 1)]
            assert own == [*payloads, "back"]
            assert (await there.get(SECONDS)).payload == "back"
            assert await there.get(0.2) is None


@pytest.mark.postgresql
async def test_wake_ups_of_a_moment_travel_together_and_a_flood_as_one(url):
    async with related(url, "a") as (near, first), related(url, "b") as (far, _):
        await until(lambda: first.accompanied)
        with psycopg.connect(url, autocommit=True) as listener:
            listener.execute(f"LISTEN {CHANNEL}")
            with far.subscribe("t", "u") as there:
                for number in range(200):
                    near.publish("t", number % 10)
                    near.publish("job:7", "succeeded")  # nobody waits for it elsewhere
                assert [(await there.get(SECONDS)).payload for _ in range(10)] == list(range(10))
                (told,) = await asyncio.to_thread(count, listener)
                assert "job:7" not in told

                for number in range(3_000):
                    near.publish("t", f"{number} {'x' * 40}")
                near.publish("u", "y" * 9_000)
                assert await there.get(SECONDS) is None
                assert there.missed > 0
                assert len(await asyncio.to_thread(count, listener)) <= 3


@pytest.mark.postgresql
async def test_a_payload_that_is_too_large_wakes_those_of_its_topic(url):
    async with related(url, "a") as (near, first), related(url, "b") as (far, _):
        await until(lambda: first.accompanied)
        with far.subscribe("large") as there, far.subscribe("other") as other:
            near.publish("large", "z" * 10_000)
            assert await there.get(SECONDS) is None
            assert (there.missed, other.missed) == (1, 0)


@pytest.mark.postgresql
async def test_who_is_alone_tells_nothing(url, monkeypatch):
    monkeypatch.setattr(relay, "LOOK_SECONDS", 0.05)
    with psycopg.connect(url, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        async with related(url, "a") as (near, first):
            await until(lambda: first._listener and not first.accompanied)
            near.publish("t")
            heard = await asyncio.to_thread(count, listener)
    assert heard == [parcels.bare("a")]


@pytest.mark.postgresql
async def test_a_lost_connection_is_made_again_and_everybody_looks(url):
    async with related(url, "a") as (near, first), related(url, "b") as (far, second):
        await until(lambda: first.accompanied)
        with far.subscribe("t") as there:
            with psycopg.connect(url, autocommit=True) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            near.publish("t", "while nobody heard")
            await until(lambda: there.missed > 0)
            await until(lambda: first.connected and second.connected and first.accompanied)
            async with asyncio.timeout(SECONDS):
                while True:  # what tells may still be on its way back
                    near.publish("t", "again")
                    message = await there.get(0.2)
                    if message is not None and message.payload == "again":
                        break


def test_what_cannot_be_read_is_a_bare_wake_up():
    assert list(parcels.opened("not json", "a")) == [parcels.EVERYTHING]
    assert list(parcels.opened('["b",[]]', "a")) == [parcels.EVERYTHING]
    assert list(parcels.opened(parcels.bare("b"), "a")) == [parcels.EVERYTHING]
    assert list(parcels.opened(parcels.bare("a"), "a")) == []


@pytest.mark.parametrize("size", [1, 100, 3_000])
def test_no_notification_is_larger_than_postgresql_takes(size):
    spelt = [parcels.spelt(f"t{number}", "ü" * size) for number in range(40)]
    for parcel in parcels.packed("sender", spelt):
        assert len(parcel.encode()) < 8_000
