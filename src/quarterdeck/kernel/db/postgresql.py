"""PostgreSQL 15 and later: psycopg on a thread pool, a transaction for each unit."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError

from quarterdeck.kernel.db.address import sqlalchemy_url
from quarterdeck.kernel.db.base import Database
from quarterdeck.kernel.db.failures import DatabaseUnavailable
from quarterdeck.kernel.faults import point

R = TypeVar("R")
WRITERS, READERS = 8, 4
"""Threads, and connections, of each: changes that wait for a lock leave the reads alone."""
LOCK_SECONDS, STATEMENT_SECONDS = 10.0, 60.0
"""How long a unit waits for what another session holds, and for one statement. Migrations have connections of their
own, without these; see `Tx.take_time` for prunes and the like.
"""
ATTEMPTS = 4
LOCKED, CANCELED = "55P03", "57014"  # lock_not_available, query_canceled
AGAIN = {"40001", "40P01"}  # serialization_failure, deadlock_detected


class PostgresqlDatabase(Database):
    """The growing database. Units run under READ COMMITTED; rules that must not interleave take `tx.lock`."""

    dialect = "postgresql"

    def __init__(self, url: str, **services: Any) -> None:
        super().__init__(**services)
        self.url = url
        self.engine = create_engine(
            sqlalchemy_url(url),
            pool_size=WRITERS + READERS,
            max_overflow=0,
            pool_pre_ping=True,
            pool_timeout=10,
            hide_parameters=True,
        )
        event.listen(self.engine, "connect", _limit)
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="db-write")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="db-read")

    async def write(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        self._loop = asyncio.get_running_loop()
        return await asyncio.shield(self._on_thread(self._writers, self.write_sync, verb, *args, **kwargs))

    async def read(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        return await self._on_thread(self._readers, self.read_sync, verb, *args, **kwargs)

    @staticmethod
    def _on_thread(
        threads: ThreadPoolExecutor, door: Callable[..., R], verb: Callable[..., R], *args: Any, **kwargs: Any
    ) -> asyncio.Future[R]:
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(threads, lambda: context.run(door, verb, *args, **kwargs))

    def write_sync(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.engine.begin() as connection:
                    tx = self.unit(connection)
                    try:
                        outcome = verb(tx, *args, **kwargs)
                        tx.close()
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
                if isinstance(error, (OperationalError, psycopg.OperationalError)):
                    _tell(state, error)
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
            _tell(getattr(getattr(error, "orig", error), "sqlstate", None), error)
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
        # The pools have no other way to say it.
        return self._writers._work_queue.qsize() + self._readers._work_queue.qsize()  # noqa: SLF001

    async def close(self) -> None:
        await asyncio.to_thread(self.close_sync)

    def close_sync(self) -> None:
        self._writers.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self.engine.dispose()


def _limit(connection: Any, _record: Any) -> None:
    lock, statement = round(LOCK_SECONDS * 1000), round(STATEMENT_SECONDS * 1000)
    connection.execute(f"SET lock_timeout = {lock}; SET statement_timeout = {statement}")
    connection.commit()


def _tell(state: str | None, error: Exception) -> None:
    """Raise what a person can act on, where the driver's error is such a thing."""
    if _away(state):
        raise _unreachable() from error
    if state == LOCKED:
        raise DatabaseUnavailable(
            f"Another session of the database held a lock on what this needs for {LOCK_SECONDS:g} seconds. "
            "Nothing was changed.",
            code="database_locked",
            hint="Try again. If it stays so, pg_stat_activity shows who holds the lock (pg_blocking_pids); "
            "let it end, or end it with pg_terminate_backend.",
        ) from error
    if state == CANCELED:
        raise DatabaseUnavailable(
            "The database did not finish a statement in the time that it has. Nothing was changed.",
            code="database_slow",
            hint="Try again. If it stays so, look at the load of PostgreSQL's machine and at pg_stat_activity.",
        ) from error


def _away(state: str | None) -> bool:
    """Whether a connection was not made, broke, or was ended by a server that stops (classes 08 and 57P)."""
    return state is None or state.startswith(("08", "57P"))


def _unreachable() -> DatabaseUnavailable:
    return DatabaseUnavailable(
        "The database does not answer.",
        hint="Check that PostgreSQL runs and that QUARTERDECK_DATABASE_URL reaches it. Nothing was changed.",
    )
