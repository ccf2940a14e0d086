"""Wake-ups of the bus between the servers on one PostgreSQL database, by LISTEN and NOTIFY (see docs/adr/0039).

Nothing relies on them: who listens looks for itself every second or few. What was published while a connection was
away is made up for by one bare wake-up, upon which every subscriber counts a miss.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import structlog

from quarterdeck.kernel.bus import Bus
from quarterdeck.kernel.db import parcels
from quarterdeck.kernel.db.address import libpq_url
from quarterdeck.kernel.db.sole import NAME_BYTES, OURS, THEIRS

if TYPE_CHECKING:
    import psycopg

CHANNEL = "quarterdeck"
SPACE = 4713
"""Of the advisory locks by which servers know of each other: one for each server that listens."""
GATHER = 0.02
"""Seconds for which wake-ups are gathered into one notification."""
BARE_SECONDS = 0.5
"""A flood is told as bare wake-ups no more often than this."""
LOOK_SECONDS = 5.0
"""How often it is looked whether anybody else listens; who begins to says so as well."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
WAITING = 5_000
"""Wake-ups that may wait to be sent; beyond it everybody is woken instead."""
UNHEARD = ("job:",)
"""Topics that begin so are not sent: who waits for the end of a job does so where it was asked for."""
_OTHERS = (
    b"SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted "
    b"AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> %s)"
)
log = structlog.get_logger("quarterdeck.db")


class Relay:
    """The bus's carrier. `run` lives beside the server, with two connections of its own: one listens, one tells.

    `sender` marks what this process tells, `name` is shown in pg_stat_activity. A server that is alone tells nothing.
    """

    def __init__(self, url: str, bus: Bus, *, sender: str, name: str) -> None:
        self._url = url
        self._bus = bus
        self._sender = sender
        self._name = name.encode()[:NAME_BYTES].decode(errors="ignore")
        self._lock = threading.Lock()
        self._waiting: dict[str, None] = {}
        self._flooded = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = asyncio.Event()
        self._listener = 0
        self._heard_before = False
        self._told_bare = float("-inf")
        self.accompanied = False
        """Whether another server listens."""
        self.connected = False
        """Whether what others publish is heard here."""

    def carry(self, topic: str, payload: Any) -> None:
        """See `kernel.bus.Carrier`."""
        loop = self._loop
        if not self.accompanied or loop is None or topic.startswith(UNHEARD):
            return
        spelt = parcels.spelt(topic, payload)
        with self._lock:
            first = not self._waiting and not self._flooded
            if len(self._waiting) >= WAITING:
                self._waiting.clear()
                self._flooded = True
            elif not self._flooded:
                self._waiting[spelt] = None
        if first and not loop.is_closed():
            with contextlib.suppress(RuntimeError):  # closed meanwhile
                loop.call_soon_threadsafe(self._due.set)

    async def run(self) -> None:
        """Until canceled. A lost connection is made again, after longer and longer pauses."""
        self._loop = asyncio.get_running_loop()
        self._bus.carrier = self
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._again_and_again(self._listen))
                group.create_task(self._again_and_again(self._tell))
        finally:
            self._bus.carrier = None
            self.accompanied = self.connected = False

    async def _again_and_again(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        import psycopg

        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE
        while True:
            began = loop.time()
            try:
                await work()
            except (psycopg.Error, OSError) as error:
                if pause == FIRST_PAUSE:
                    log.warning("wake_ups_interrupted", reason=type(error).__name__)
            if loop.time() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _listen(self) -> None:
        async with self._connection() as connection:
            await connection.execute(f"LISTEN {CHANNEL}".encode())
            self._listener = connection.info.backend_pid
            await connection.execute(b"SELECT pg_advisory_lock_shared(%s, %s)", [SPACE, 0])
            await connection.execute(b"SELECT pg_notify(%s, %s)", [CHANNEL, parcels.bare(self._sender)])
            try:
                self.connected = True
                if self._heard_before:
                    self._bus.rouse()  # what was told meanwhile is not known
                self._heard_before = True
                async for heard in connection.notifies():
                    self._hear(heard.payload)
            finally:
                self.connected = False

    def _hear(self, parcel: str) -> None:
        for topic, payload in parcels.opened(parcel, self._sender):
            if not self.accompanied:
                self.accompanied = True
                self._due.set()
            if payload is parcels.UNKNOWN:
                self._bus.rouse(topic)
            elif topic:
                self._bus.deliver(topic, payload)
            else:
                self._bus.rouse()

    async def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._connection() as connection:
            looked = float("-inf")
            while True:
                if loop.time() - looked >= LOOK_SECONDS:
                    looked = loop.time()
                    row = await (await connection.execute(_OTHERS, [SPACE, self._listener])).fetchone()
                    self.accompanied = bool(row and row[0])
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(looked + LOOK_SECONDS - loop.time(), 0.01)):
                        await self._due.wait()
                if not self._due.is_set():
                    continue
                self._due.clear()
                await asyncio.sleep(GATHER)
                await self._send(connection)

    async def _send(self, connection: psycopg.AsyncConnection) -> None:
        loop = asyncio.get_running_loop()
        bare = parcels.bare(self._sender)
        with self._lock:
            told = [bare] if self._flooded else parcels.packed(self._sender, self._waiting)
            self._waiting.clear()
            self._flooded = False
        try:
            if told == [bare]:
                await asyncio.sleep(max(self._told_bare + BARE_SECONDS - loop.time(), 0))
                self._told_bare = loop.time()
                with self._lock:
                    self._waiting.clear()  # it stands for these, too
                    self._flooded = False
            for parcel in told:
                await connection.execute(b"SELECT pg_notify(%s, %s)", [CHANNEL, parcel])
        except BaseException:
            with self._lock:
                self._flooded = True  # what was lost with the connection is made up for by waking everybody
            self._due.set()
            raise

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection]:
        import psycopg
        from psycopg.conninfo import make_conninfo

        given = dict(word.split("=") for word in OURS.split())
        address = make_conninfo(libpq_url(self._url), application_name=self._name, options=THEIRS, **given)
        connection = await psycopg.AsyncConnection.connect(address, autocommit=True)
        try:
            yield connection
        finally:
            await connection.close()
