"""Watching servers behind SSH goes on, whatever fails meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from quarterdeck.deploy.observation import distant
from quarterdeck.deploy.observation.distant import Distant
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.errors import Unavailable


async def test_a_database_that_is_away_ends_no_watching(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    async def away(_self: Distant, server: int, _problem: object) -> None:
        tried.append(server)
        if len(tried) < 3:
            raise Unavailable("The database is away.", code="database_unavailable")

    monkeypatch.setattr(Distant, "_unknown", away)
    monkeypatch.setattr(distant, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(distant, "LONGEST_PAUSE", 0.01)
    async with Edges() as edges:
        watching = Distant(database, None, edges, log_bytes=0)  # type: ignore[arg-type] - nothing is followed
        task = asyncio.create_task(watching._watch(7))
        async with asyncio.timeout(60):
            while len(tried) < 5:
                assert not task.done()
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_watcher_that_ended_is_begun_anew(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    began: list[int] = []

    async def ends(_self: Distant, server: int) -> None:
        began.append(server)
        raise MemoryError

    monkeypatch.setattr(Distant, "_watch", ends)
    async with Edges() as edges:
        watching = Distant(database, None, edges, log_bytes=0)  # type: ignore[arg-type] - nothing is followed
        for _ in range(3):
            watching._begin({7})
            await asyncio.sleep(0.01)
        watching._begin(set())
    assert began == [7, 7, 7]
