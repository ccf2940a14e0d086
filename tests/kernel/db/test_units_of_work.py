"""What a unit of work promises, on both databases."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import String, event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from quarterdeck.kernel.db import Database, Identified, Tx, open_database
from quarterdeck.kernel.errors import NotFound, Unavailable
from quarterdeck.kernel.principal import SYSTEM, Context, current


class Own(DeclarativeBase):
    """Tables of these tests alone: they are in no migration."""


class Note(Identified, Own):
    __tablename__ = "test_notes"

    text: Mapped[str] = mapped_column(String(50), unique=True)


@pytest.fixture
def notes(database: Database) -> Database:
    def create(tx: Tx) -> None:
        Note.__table__.create(tx.connection)

    database.write_sync(create)
    return database


def put(tx: Tx, text: str) -> int:
    return tx.add(Note(uid=tx.ids.uid(), text=text)).id


def texts(tx: Tx) -> list[str]:
    return sorted(note.text for note in tx.scalars(select(Note)))


async def test_a_read_sees_every_change_that_a_write_has_answered(notes):
    for number in range(20):
        await notes.write(put, f"note {number:02}")
        assert len(await notes.read(texts)) == number + 1


async def test_a_verb_that_raises_leaves_nothing_behind_and_takes_no_neighbour_along(notes):
    def half(tx: Tx) -> None:
        put(tx, "half")
        tx.execute("INSERT INTO test_notes (uid, text) VALUES ('x', 'other half')")
        raise NotFound("gone")

    outcomes = await asyncio.gather(
        notes.write(put, "before"), notes.write(half), notes.write(put, "after"), return_exceptions=True
    )
    assert isinstance(outcomes[1], NotFound)
    assert await notes.read(texts) == ["after", "before"]


async def test_a_conflict_inside_the_session_does_not_poison_the_units_beside_it(notes):
    def twice(tx: Tx) -> None:
        put(tx, "same")
        put(tx, "same")

    outcomes = await asyncio.gather(
        *[notes.write(put, f"note {n}") for n in range(5)],
        notes.write(twice),
        *[notes.write(put, f"note {n}") for n in range(5, 10)],
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [IntegrityError]
    assert len(await notes.read(texts)) == 10


async def test_text_statements_see_what_the_session_holds_back(notes):
    def mixed(tx: Tx) -> int:
        tx.session.add(Note(uid=tx.ids.uid(), text="pending"))
        return tx.execute("SELECT count(*) FROM test_notes").scalar_one()

    assert await notes.write(mixed) == 1


async def test_callbacks_run_after_the_commit_and_not_for_a_unit_that_failed(notes):
    called: list[str] = []

    def good(tx: Tx) -> None:
        put(tx, "good")
        tx.after_commit(lambda: called.append("good"))

    def bad(tx: Tx) -> None:
        tx.after_commit(lambda: called.append("bad"))
        raise NotFound("no")

    await asyncio.gather(notes.write(good), notes.write(bad), return_exceptions=True)
    await asyncio.sleep(0.05)
    assert called == ["good"]


async def test_a_caller_that_goes_away_does_not_undo_what_was_taken(notes):
    task = asyncio.create_task(notes.write(put, "kept"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for _ in range(100):
        if await notes.read(texts):
            break
        await asyncio.sleep(0.02)
    assert await notes.read(texts) == ["kept"]


async def test_the_circumstances_of_the_caller_reach_the_verb(notes):
    token = current.set(Context(principal=SYSTEM, request_id="req_1", address="192.0.2.1"))
    try:
        seen = await notes.write(lambda tx: (tx.context.request_id, tx.context.address))
    finally:
        current.reset(token)
    assert seen == ("req_1", "192.0.2.1")


async def test_units_that_name_one_key_never_interleave(notes):
    def increment(tx: Tx) -> None:
        tx.lock("counter")
        rows = list(tx.scalars(select(Note)))
        put(tx, f"{len(rows):03}")

    await asyncio.gather(*[notes.write(increment) for _ in range(40)])
    assert await notes.read(texts) == [f"{n:03}" for n in range(40)]


def test_threads_without_a_loop_write_and_read(notes):
    threads = [threading.Thread(target=notes.write_sync, args=(put, f"thread {n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(notes.read_sync(texts)) == 8


async def test_a_reader_cannot_change_anything(notes, database_kind):
    if database_kind == "sqlite":
        with pytest.raises(Exception, match="readonly"):
            await notes.read(put, "smuggled")
    else:
        await notes.read(put, "rolled back")
    assert await notes.read(texts) == []


async def test_a_closed_database_refuses_with_an_instruction(database_address):
    database = open_database(database_address)
    await database.close()
    with pytest.raises((Unavailable, RuntimeError)):
        await database.write(lambda tx: tx.execute("SELECT 1").scalar())


async def test_after_a_commit_that_failed_the_next_change_is_kept(notes):
    broken = [True]

    @event.listens_for(notes.engine, "commit")
    def full(_connection) -> None:
        if broken:
            broken.clear()
            raise OSError("No space left on device")

    with pytest.raises((Unavailable, OSError)):
        await notes.write(put, "lost")
    await notes.write(put, "kept")
    assert await notes.read(texts) == ["kept"]
