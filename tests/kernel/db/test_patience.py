"""What a foreign lock in PostgreSQL, or a statement without end, may do to us: nothing but a refusal."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from quarterdeck.kernel.db import DatabaseUnavailable, open_database
from quarterdeck.kernel.db import postgresql as door
from support.databases import fresh_database

PUT = "UPDATE event_subscribers SET failures = 0"


@pytest.fixture
def opened(postgresql, tmp_path, monkeypatch):
    monkeypatch.setattr(door, "LOCK_SECONDS", 1.0)
    monkeypatch.setattr(door, "STATEMENT_SECONDS", 2.0)
    with fresh_database("postgresql", tmp_path, postgresql) as address:
        database = open_database(address)
        yield database, address
        database.close_sync()


async def test_a_foreign_lock_refuses_changes_by_name_and_leaves_reads_alone(opened):
    database, address = opened
    with psycopg.connect(address) as foreign:
        foreign.execute("LOCK TABLE event_subscribers IN ACCESS EXCLUSIVE MODE")
        for _ in range(5):  # a busy machine may need longer for a read than the writers wait
            writing = [asyncio.create_task(database.write(lambda tx: tx.execute(PUT))) for _ in range(20)]
            await asyncio.sleep(0.2)
            assert await database.read(lambda tx: tx.execute("SELECT count(*) FROM jobs").scalar()) == 0
            beside = not any(one.done() for one in writing)
            refused = (await asyncio.gather(*writing, return_exceptions=True))[0]
            if beside:
                break
        assert beside
        foreign.rollback()
    assert isinstance(refused, DatabaseUnavailable)
    assert (refused.kind, refused.code) == ("unavailable", "database_locked")
    assert "pg_stat_activity" in refused.hint
    await database.write(lambda tx: tx.execute(PUT))


async def test_a_statement_without_end_is_ended_unless_its_unit_takes_time(opened):
    database, _ = opened

    def long(tx):
        tx.execute("SELECT pg_sleep(3)")

    def longer(tx):
        tx.take_time()
        long(tx)
        return "done"

    with pytest.raises(DatabaseUnavailable) as refused:
        await database.read(long)
    assert refused.value.code == "database_slow"
    assert await database.read(longer) == "done"
    with pytest.raises(DatabaseUnavailable):  # it was that unit's alone
        await database.write(long)
