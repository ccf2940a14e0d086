"""PostgreSQL 15 and later: psycopg on a thread pool, a transaction for each unit."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError, OperationalError

from quarterdeck.kernel.db.address import sqlalchemy_url
from quarterdeck.kernel.db.base import Database
from quarterdeck.kernel.db.failures import DatabaseUnavailable
from quarterdeck.kernel.faults import point

R = TypeVar("R")
CONNECTIONS = 12
ATTEMPTS = 4
AGAIN = {"40001", "40P01"}  # serialization_failure, deadlock_detected


class PostgresqlDatabase(Database):
    """The growing database. Units run under READ COMMITTED; rules that must not interleave take `tx.lock`."""

    dialect = "postgresql"

    def __init__(self, url: str, **services: Any) -> None:
        super().__init__(**services)
        self.url = url
        self.engine = create_engine(
            sqlalchemy_url(url),
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_pre_ping=True,
            pool_timeout=10,
            hide_parameters=True,
        )
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="db")

    async def write(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        self._loop = asyncio.get_running_loop()
        return await asyncio.shield(self._on_thread(self.write_sync, verb, *args, **kwargs))

    async def read(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        return await self._on_thread(self.read_sync, verb, *args, **kwargs)

    def _on_thread(
        self, door: Callable[..., R], verb: Callable[..., R], *args: Any, **kwargs: Any
    ) -> asyncio.Future[R]:
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._threads, lambda: context.run(door, verb, *args, **kwargs))

    def write_sync(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.engine.begin() as connection:
                    tx = self.unit(connection)
                    try:
                        outcome = verb(tx, *args, **kwargs)
                    except BaseException:
                        tx.finish(keep=False)
                        raise
                    tx.finish(keep=True)
                    point("commit.before")
                point("commit.after")
            except (DBAPIError, psycopg.Error) as error:
                state = getattr(getattr(error, "orig", error), "sqlstate", None)
                if state in AGAIN and attempt < ATTEMPTS:
                    continue
                if isinstance(error, (OperationalError, psycopg.OperationalError)) and _away(state):
                    raise _unreachable() from error
                raise
            self._deliver(tx.callbacks)
            return outcome
        raise AssertionError

    def read_sync(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        try:
            with self.engine.connect() as connection:
                tx = self.unit(connection)
                try:
                    return verb(tx, *args, **kwargs)
                finally:
                    tx.finish(keep=False)
        except (OperationalError, psycopg.OperationalError) as error:
            if _away(getattr(getattr(error, "orig", error), "sqlstate", None)):
                raise _unreachable() from error
            raise

    def _deliver(self, callbacks: list[Callable[[], None]]) -> None:
        if not callbacks:
            return
        loop = self._loop
        if loop is not None and loop.is_running():
            loop.call_soon_threadsafe(self.call_back, callbacks)
        else:
            self.call_back(callbacks)

    @property
    def waiting(self) -> int:
        return self._threads._work_queue.qsize()  # noqa: SLF001 - the pool has no other way to say it

    async def close(self) -> None:
        await asyncio.to_thread(self.close_sync)

    def close_sync(self) -> None:
        self._threads.shutdown(wait=True)
        self.engine.dispose()


def _away(state: str | None) -> bool:
    """Whether a connection was not made, broke, or was ended by a server that stops (classes 08 and 57P)."""
    return state is None or state.startswith(("08", "57P"))


def _unreachable() -> DatabaseUnavailable:
    return DatabaseUnavailable(
        "The database does not answer.",
        hint="Check that PostgreSQL runs and that QUARTERDECK_DATABASE_URL reaches it. Nothing was changed.",
    )
