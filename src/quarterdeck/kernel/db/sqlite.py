"""SQLite: one writer thread with group commit, and a pool of readers."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, RootTransaction, create_engine, event
from sqlalchemy.pool import NullPool

from quarterdeck.kernel.db.base import Database
from quarterdeck.kernel.db.failures import DatabaseUnavailable
from quarterdeck.kernel.faults import point

R = TypeVar("R")
BATCH = 256
READERS = 4
BUSY_SECONDS = 5


@dataclass(slots=True)
class _Unit:
    verb: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    context: contextvars.Context
    future: Future[Any] | asyncio.Future[Any]
    outcome: Any = None
    failure: BaseException | None = None
    callbacks: list[Callable[[], None]] | None = None


def open_engine(path: Path, *, synchronous: str = "FULL", read_only: bool = False) -> Engine:
    """An engine over one file with the measured settings; transactions begin where we say so."""
    engine = create_engine(
        f"sqlite:///{path}", poolclass=NullPool, connect_args={"check_same_thread": False}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _settings(raw: Any, _record: Any) -> None:
        raw.isolation_level = None
        raw.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
        write_ahead(raw)
        for pragma in (
            f"synchronous={synchronous}",
            "cache_size=-32768",
            "temp_store=MEMORY",
            "journal_size_limit=67108864",
            "foreign_keys=ON",
            *(["query_only=ON"] if read_only else []),
        ):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def write_ahead(raw: sqlite3.Connection, seconds: float = BUSY_SECONDS) -> None:
    """Switch the file to write-ahead logging, however many do so at the same moment.

    The switch of a new file wants the file for itself, and SQLite does not wait for that: whoever comes second hears
    `database is locked` at once, whatever the busy timeout.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


class SqliteDatabase(Database):
    """The default database: a file, one writer, answers only after the COMMIT that carries them is durable."""

    dialect = "sqlite"

    def __init__(self, path: Path, **services: Any) -> None:
        super().__init__(**services)
        self.path = path
        self.engine = open_engine(path)
        self._read_engine = open_engine(path, read_only=True)
        self._queue: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._local = threading.local()
        self._reader_connections: list[Connection] = []
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="db-read")
        self._closed = False
        self._writer = threading.Thread(target=self._write_loop, name="db-write", daemon=True)
        self._writer.start()

    # -- the two doors

    def _submit(self, unit: _Unit) -> None:
        if self._closed:
            raise DatabaseUnavailable("The database is closing.", code="database_closed", hint="Try again in a moment.")
        self._queue.put(unit)

    async def write(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        self._loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = self._loop.create_future()
        self._submit(_Unit(verb, args, kwargs, contextvars.copy_context(), future))
        # Shielded: a caller that goes away does not undo what the writer has already taken.
        return await asyncio.shield(future)

    def write_sync(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        future: Future[R] = Future()
        self._submit(_Unit(verb, args, kwargs, contextvars.copy_context(), future))
        return future.result()

    async def read(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, lambda: context.run(self.read_sync, verb, *args, **kwargs))

    def read_sync(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._read_engine.connect()
            self._reader_connections.append(connection)
        transaction = connection.begin()
        tx = self.unit(connection)
        try:
            return verb(tx, *args, **kwargs)
        finally:
            tx.finish(keep=False)
            transaction.rollback()

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    # -- the writer

    def _write_loop(self) -> None:
        with self.engine.connect() as connection:
            while True:
                unit = self._queue.get()
                if unit is None:
                    return
                batch = [unit]
                stop = self._write_batch(connection, batch)
                if stop:
                    return

    def _write_batch(self, connection: Connection, batch: list[_Unit]) -> bool:
        """Run everything that waits, each unit in a savepoint of its own, and commit once."""
        stop = False
        done = 0
        try:
            transaction = connection.begin()
            try:
                while True:
                    self._run(connection, batch[done])
                    done += 1
                    if done == len(batch):
                        if done >= BATCH:
                            break
                        try:
                            following = self._queue.get_nowait()
                        except queue.Empty:
                            break
                        if following is None:
                            stop = True
                            break
                        batch.append(following)
                point("commit.before")
                transaction.commit()
                point("commit.after")
            except BaseException:
                self._abandon(connection, transaction)
                raise
        except Exception as error:  # noqa: BLE001 - every waiting caller must hear of it
            problem = DatabaseUnavailable(
                "The database could not keep the change.",
                hint="Check free space and permissions of the data directory, then try again.",
                reason=type(error).__name__,
            )
            problem.__cause__ = error
            for unit in batch:
                unit.failure, unit.callbacks = problem, None
        self._answer(batch)
        return stop

    @staticmethod
    def _abandon(connection: Connection, transaction: RootTransaction) -> None:
        """Roll back in any case: a COMMIT that failed (disk full) counts as ended here while SQLite still holds it, and
        the next batch could not begin.
        """
        try:
            transaction.rollback()
        finally:
            raw: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
            if raw.in_transaction:
                raw.rollback()

    def _run(self, connection: Connection, unit: _Unit) -> None:
        raw: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        raw.execute("SAVEPOINT unit")
        tx = unit.context.run(self.unit, connection)
        try:
            unit.outcome = unit.context.run(unit.verb, tx, *unit.args, **unit.kwargs)
            tx.close()
            tx.finish(keep=True)
        except BaseException as error:
            tx.finish(keep=False)
            if not raw.in_transaction:
                raise  # SQLite gave up the whole transaction (disk full, I/O error)
            raw.execute("ROLLBACK TO unit")
            raw.execute("RELEASE unit")
            unit.failure = error
            return
        raw.execute("RELEASE unit")
        unit.callbacks = tx.callbacks

    def _answer(self, batch: list[_Unit]) -> None:
        """Blocked threads are answered here, coroutines by one call into the loop for the whole batch."""
        loop = self._loop
        on_loop: list[_Unit] = []
        for unit in batch:
            if isinstance(unit.future, Future):
                self._settle(unit)
            else:
                on_loop.append(unit)
        # A loop that stands still for a moment goes on later, and its coroutines with it.
        if loop is not None and not loop.is_closed() and (on_loop or loop.is_running()):
            loop.call_soon_threadsafe(self._deliver, on_loop, batch)
        else:
            self._deliver([], batch)

    def _deliver(self, on_loop: list[_Unit], batch: list[_Unit]) -> None:
        for unit in on_loop:
            self._settle(unit)
        for unit in batch:
            if unit.failure is None:
                self.call_back(unit.callbacks)

    @staticmethod
    def _settle(unit: _Unit) -> None:
        if unit.future.cancelled():
            return
        if unit.failure is not None:
            unit.future.set_exception(unit.failure)
        else:
            unit.future.set_result(unit.outcome)

    async def close(self) -> None:
        await asyncio.to_thread(self.close_sync)

    def close_sync(self) -> None:
        """End the writer after what it has taken, then the readers. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._loop = None
        self._queue.put(None)
        self._writer.join(timeout=30)
        self._readers.shutdown(wait=True)
        for connection in self._reader_connections:
            connection.close()
        self.engine.dispose()
        self._read_engine.dispose()
