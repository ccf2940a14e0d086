"""One server that works on each PostgreSQL database; others stand beside it (see docs/adr/0039)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import text

from quarterdeck.kernel.db.address import libpq_url
from quarterdeck.kernel.db.failures import DatabaseUnavailable
from quarterdeck.kernel.errors import Conflict

if TYPE_CHECKING:
    import psycopg

    from quarterdeck.kernel.db.tx import Tx

SPACE = 4712
LOOK_SECONDS = 2.0
PATIENCE_SECONDS = 3.0
"""How long the backend of a server that was killed may take to see that its client is gone."""
NAME_BYTES = 63
# Both ends give a connection up that a dead network holds: we first, PostgreSQL (and with it the lock) later.
OURS = "connect_timeout=5 keepalives_idle=5 keepalives_interval=2 keepalives_count=3 tcp_user_timeout=10000"
THEIRS = "-c tcp_keepalives_idle=15 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
_HOLDS = text(
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = :space AND objid = 0 "
    "AND objsubid = 2 AND granted AND pid = :backend "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)
log = structlog.get_logger("quarterdeck.db")


class SoleServer:
    """An advisory lock of PostgreSQL on a connection of its own, which lasts as long as the process.

    `name` says to others who holds it (process and directory). `held` is false from the moment the connection is seen
    to be lost until the lock is had again: whoever takes work or answers a change asks it first, and what goes on by
    itself is done by `while_held`.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name.encode()[:NAME_BYTES].decode(errors="ignore")
        self._connection: psycopg.Connection | None = None
        self._ended = False
        self._changed = asyncio.Event()
        """Set when the lock is lost or held again; there is another one from then on."""
        self.problem: Conflict | DatabaseUnavailable | None = None

    @property
    def held(self) -> bool:
        return self._connection is not None

    def held_in(self, tx: Tx) -> bool:
        """Whether the database itself says so, in a unit of work: it knows before this process does."""
        connection = self._connection
        if connection is None or connection.closed:
            return False
        asked = {"space": SPACE, "backend": connection.info.backend_pid}
        return bool(tx.execute(_HOLDS, asked).scalar_one())

    def take(self, patience: float = PATIENCE_SECONDS) -> None:
        """Blocks. Raises `Conflict` (`database_in_use`) that names the holder, once it has held it for `patience`
        seconds more, and `DatabaseUnavailable`.
        """
        connection = self._connected()
        try:
            had = _had(connection, patience)
            refusal = None if had else _in_use(connection)
        except BaseException as error:
            connection.close()
            if _of_connection(error):
                raise _away() from None
            raise
        if refusal is not None:
            connection.close()
            raise refusal
        self._connection = connection
        if self._ended:  # meanwhile, by the thread that stops the server
            self.release()

    def release(self) -> None:
        """Give it free for good. Safe to call twice."""
        self._ended = True
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()

    async def keep(self, changed: Callable[[bool], None]) -> None:
        """Until canceled: see that the lock is still ours, else take it again; `changed(held)` hears of both at once,
        and `while_held` before it.
        """
        told = self.held
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for look in (self._ask, self._take_again):
                try:
                    await asyncio.to_thread(look)
                finally:
                    if self.held != told:
                        told = self.held
                        before, self._changed = self._changed, asyncio.Event()
                        before.set()
                        changed(told)
                        if told:
                            log.info("database_lock_regained")

    async def while_held(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do `work` while the lock is held: it is canceled when that is lost, and begun anew when it is held again.
        Returns when the work ends by itself, and raises what it raises. `keep` runs beside it.
        """
        while True:
            changed = self._changed
            if not self.held:
                await changed.wait()
                continue
            working, lost = asyncio.create_task(work()), asyncio.create_task(changed.wait())
            try:
                await asyncio.wait((working, lost), return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    return working.result()
            finally:
                working.cancel()
                lost.cancel()
                await asyncio.gather(working, lost, return_exceptions=True)

    def _ask(self) -> None:
        """Ask the connection once whether it is there. Blocks."""
        connection = self._connection
        if connection is None:
            return
        try:
            connection.execute("SELECT 1")
        except Exception as error:
            if not _of_connection(error):
                raise
            connection.close()
            self._connection = None
            self.problem = _away()
            log.warning(
                "database_lock_lost", hint="No job is begun and nothing is changed here until it is held again."
            )

    def _take_again(self) -> None:
        """Take the lock again where it is lost. Blocks, raises nothing."""
        if self._connection is not None or self._ended:
            return
        try:
            self.take(0)
        except (Conflict, DatabaseUnavailable) as problem:
            if self.problem is None or self.problem.code != problem.code:
                log.warning("database_lock_missing", code=problem.code, problem=problem.message, hint=problem.hint)
            self.problem = problem
        else:
            self.problem = None

    def _connected(self) -> psycopg.Connection:
        import psycopg
        from psycopg.conninfo import make_conninfo

        given = dict(word.split("=") for word in OURS.split())
        address = make_conninfo(libpq_url(self._url), application_name=self._name, options=THEIRS, **given)
        try:
            return psycopg.connect(address, autocommit=True)
        except psycopg.OperationalError:
            raise _away() from None


def _had(connection: psycopg.Connection, patience: float) -> bool:
    """Whether the lock came within `patience` seconds."""
    until = time.monotonic() + patience
    while not _one(connection, "SELECT pg_try_advisory_lock(%s, 0)", SPACE):
        if time.monotonic() >= until:
            return False
        time.sleep(0.1)
    return True


def _one(connection: psycopg.Connection, statement: str, *values: object) -> object:
    row = connection.execute(statement.encode(), values).fetchone()
    return None if row is None else row[0]


def _in_use(connection: psycopg.Connection) -> Conflict:
    row = connection.execute(
        b"SELECT a.application_name, host(a.client_addr), a.backend_start FROM pg_locks l "
        b"JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = 0 "
        b"AND l.objsubid = 2 AND l.granted "
        b"AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        [SPACE],
    ).fetchone()
    name, host, since = row or (None, None, None)
    holder = (
        (name or "another server") + (f" at {host}" if host else "") + (f" since {since:%F %T %Z}" if since else "")
    )
    return Conflict(
        f"The database is in use by {holder}.",
        code="database_in_use",
        hint="Only one server works on a database: stop that one, let this one stand beside it (--beside), or give "
        "this one a database of its own (--database-url).",
        holder=holder,
    )


def _of_connection(error: BaseException) -> bool:
    import psycopg

    return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))


def _away() -> DatabaseUnavailable:
    return DatabaseUnavailable(
        "The database does not answer.",
        hint="Check that PostgreSQL runs and that QUARTERDECK_DATABASE_URL reaches it.",
    )
