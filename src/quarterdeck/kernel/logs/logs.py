"""The line store as the rest of the program sees it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from quarterdeck.kernel.bus import Bus
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.errors import Unavailable
from quarterdeck.kernel.logs.followers import LAG, Followers
from quarterdeck.kernel.logs.line import Batch, Gap, Line
from quarterdeck.kernel.logs.store import Pruned, State, Store
from quarterdeck.kernel.logs.writer import Entry, Writer, promise
from quarterdeck.kernel.vault.secret import Secret

R = TypeVar("R")
POLL = 1.0
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
PAGE = 500
STORED = "lines"
"""The topic, between processes alone, that names a stream of which lines were stored, or which was closed."""
log = structlog.get_logger("quarterdeck.logs")


class Logs:
    """Streams of lines (`deployment:dep_…`, `runtime:res_…`): numbered from 1, masked before they are stored."""

    def __init__(self, address: str | Path, *, clock: Clock | None = None, bus: Bus | None = None) -> None:
        self._bus = bus or Bus()
        self._clock = clock or SystemClock()
        self._store = Store(address)
        self._followers = Followers()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._poller: asyncio.Task[None] | None = None
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="log-read")
        self._local = threading.local()
        self._connections: list[Connection] = []
        self._writer = Writer(self._store, self._clock, self._publish)
        self._closed = False

    @property
    def alive(self) -> bool:
        """Whether lines can be stored: without its writer all work waits for ever."""
        return self._writer.alive

    # -- writing

    def append(self, stream: str, lines: Sequence[Line]) -> None:
        """Take lines for storing within 200 ms. From any thread; never waits. Drops, and says so, when far behind."""
        if not lines or self._closed:
            return
        self._writer.put(Entry(stream, lines, None, droppable=True))

    async def store(self, stream: str, lines: Sequence[Line]) -> int:
        """Store lines and answer when a crash of this process can no longer lose them: the number of the last one."""
        return await asyncio.wrap_future(self.store_later(stream, lines))

    def store_later(self, stream: str, lines: Sequence[Line]) -> Future[int]:
        """As `store`, for threads without a loop."""
        future = promise()
        self._require_open()
        self._writer.put(Entry(stream, lines, future))
        return future

    def mask(self, stream: str, values: Iterable[str | Secret[str]]) -> None:
        """Register secret values of a stream; they are masked in every line stored after this call, until `close`.

        Masked are values of at least 4 characters, plain, spread over lines, as base64, in JSON and in URLs.
        """
        self._writer.mask(stream, [value.reveal() if isinstance(value, Secret) else value for value in values])

    def hidden(self, stream: str) -> Sequence[str]:
        """The texts that are masked in the lines of a stream, the longest first: for what is kept beside them."""
        return self._writer.hidden(stream)

    async def close(self, stream: str) -> None:
        """Say that a stream is complete: followers end when they have everything; its masks are forgotten."""
        await asyncio.wrap_future(self.close_later(stream))

    def close_later(self, stream: str) -> Future[int]:
        """`close` from any thread, without waiting for it."""
        future = promise()
        if self._closed:
            future.set_exception(_closing())
        else:
            self._writer.put(Entry(stream, (), future, closing=True))
        return future

    async def prune(
        self,
        stream: str | None = None,
        *,
        before: datetime | None = None,
        keep_bytes: int | None = None,
        dry_run: bool = False,
        spare: tuple[str, ...] = (),
    ) -> Pruned:
        """Drop the oldest lines of one stream or all: what is older than `before`, and what exceeds `keep_bytes` in a
        stream, counting text and 64 bytes for each line. Numbers are never given again; readers from before see a gap.
        Without a stream, those that begin with one of `spare` are left alone.
        """
        names = [stream] if stream is not None else await self._read(self._store.names)
        names = [name for name in names if stream is not None or not name.startswith(spare)]
        lines = size = 0
        for name in names:
            self._require_open()
            run = partial(self._store.prune, name=name, before=before, keep_bytes=keep_bytes, dry_run=dry_run)
            done = await asyncio.wrap_future(self._writer.call(run))
            lines, size = lines + done.lines, size + done.bytes
        return Pruned(lines, size)

    async def forget(self, stream: str) -> int:
        """Drop every line of a stream whose subject is gone. Answers how many that were."""
        return (await self.prune(stream, before=END_OF_TIME)).lines

    async def empty(self, before: datetime, after: str, limit: int) -> list[str]:
        """Names above `after`, in order, of streams that hold no line and were given none since `before`."""
        return await self._read(self._store.empty, before, after, limit)

    async def drop(self, streams: Sequence[str], before: datetime) -> int:
        """Forget those of the streams that `empty` still means. Lines that come afterwards are numbered from 1 again,
        so ask for none whose numbers somebody may still hold. Answers how many went.
        """
        self._require_open()
        if not streams:
            return 0
        return await asyncio.wrap_future(self._writer.call(partial(self._store.drop, names=streams, before=before)))

    async def older(self, prefix: str, before: datetime) -> list[str]:
        """Streams whose names begin so and that hold lines from before an instant."""
        return await self._read(self._store.older, prefix, before)

    # -- reading

    async def read(
        self,
        stream: str,
        after: int = 0,
        limit: int | None = None,
        tail: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
    ) -> list[Line]:
        """Lines with numbers above `after` and below `before`, in order, at most `limit`, a page where nothing is said;
        with `tail` the newest so many of them.
        """
        if limit is None:
            limit = PAGE if tail is None else tail
        return await self._read(
            self._store.read, stream, after, limit, tail=tail, since=since, until=until, before=before
        )

    async def pages(self, stream: str) -> AsyncIterator[list[Line]]:
        """Every line that the stream holds now, a page at a time, however many there are."""
        position, head = 0, (await self.state(stream)).head
        while position < head and (page := await self.read(stream, position, min(PAGE, head - position))):
            position = page[-1].number
            yield [line for line in page if line.number <= head]

    async def state(self, stream: str) -> State:
        """Head, watermark (last pruned number), closed, bytes."""
        return await self._read(self._store.state, stream)

    async def heads(self, streams: Sequence[str]) -> dict[str, int]:
        """How many lines each of the streams has had, in one look; those that have none are missing."""
        return await self._read(self._store.heads, streams) if streams else {}

    async def follow(self, stream: str, after: int = 0, *, lag: int = LAG) -> AsyncIterator[Batch | Gap]:
        """Batches of a stream from `after` on, then as they are stored; ends when the stream or the store is closed.

        A follower that lets more than `lag` lines wait is passed over and gets a `Gap`. It never holds back a writer.
        """
        self._loop = asyncio.get_running_loop()
        follower = self._followers.join(stream, lag)
        if self._store.shared and self._poller is None:
            self._poller = self._loop.create_task(self._poll())
        position = after
        try:
            state = await self.state(stream)
            self._followers.offered.setdefault(stream, state.head)
            if self._closed or (state.closed and state.head <= after):
                return
            if position < state.watermark:
                yield Gap(stream, position + 1, state.watermark, "pruned")
                position = state.watermark
            while position < state.head:
                page = await self.read(stream, position, min(PAGE, state.head - position))
                if not page:
                    break
                position = page[-1].number
                yield Batch(stream, page)
            if state.closed:
                return
            while (batch := await follower.next()) is not None:
                if batch.last <= position:
                    continue
                if position < follower.passed_over < batch.first:
                    yield Gap(stream, position + 1, follower.passed_over, "lagging")
                    position = follower.passed_over
                while position + 1 < batch.first:  # stored by another process, which does not wake us
                    page = await self.read(stream, position, min(PAGE, batch.first - 1 - position))
                    if not page:
                        break
                    position = page[-1].number
                    yield Batch(stream, page)
                rest = batch.after(position)
                position = rest.last
                yield rest
        finally:
            self._followers.leave(follower)

    def _publish(self, batches: list[Batch], ended: set[str]) -> None:
        """Called by the writer thread after the commit. Followers in other processes are told where to look."""
        if self._store.shared:
            for stream in {*ended, *(batch.stream for batch in batches)}:
                self._bus.elsewhere(STORED, stream)
        loop = self._loop
        wanted = [batch for batch in batches if batch.stream in self._followers]
        finished = [stream for stream in ended if stream in self._followers]
        if loop is not None and (wanted or finished) and not loop.is_closed():
            loop.call_soon_threadsafe(self._followers.offer, wanted, finished)

    async def _poll(self) -> None:
        """Look for what other processes store: where they say so, and everywhere once a second."""
        loop = asyncio.get_running_loop()
        with self._bus.subscribe(STORED) as inbox:
            looked = loop.time()
            while True:
                first = await inbox.get(max(looked + POLL - loop.time(), 0.01))
                followed = self._followers.streams()
                if first is not None:
                    told = {first.payload, *(message.payload for message in inbox.drain())}
                    followed = [stream for stream in followed if stream in told]
                else:
                    looked = loop.time()
                for stream in followed:
                    await self._look(stream)

    async def _look(self, stream: str) -> None:
        try:
            state = await self.state(stream)
            offered = self._followers.offered.get(stream, state.head)
            while offered < state.head:
                page = await self.read(stream, offered)
                if not page:
                    break
                offered = page[-1].number
                self._followers.offer([Batch(stream, page)])
            if state.closed:
                self._followers.offer((), (stream,))
        except Exception:
            log.exception("log_poll_failed", stream=stream)

    async def _read(self, door: Callable[..., R], *args: object, **kwargs: object) -> R:
        self._require_open()
        return await asyncio.get_running_loop().run_in_executor(
            self._readers, lambda: self._on_reader(door, *args, **kwargs)
        )

    def _on_reader(self, door: Callable[..., R], *args: object, **kwargs: object) -> R:
        if self._store.shared:
            with self._store.reader() as connection:
                return door(connection, *args, **kwargs)
        own: Connection | None = getattr(self._local, "connection", None)
        if own is None:
            own = self._local.connection = self._store.reader()
            self._connections.append(own)
        transaction = own.begin()
        try:
            return door(own, *args, **kwargs)
        finally:
            transaction.rollback()

    def _require_open(self) -> None:
        if self._closed:
            raise _closing()

    # -- the end

    async def shut(self) -> None:
        """Store what was taken, end all followers, close the files."""
        if self._poller is not None:
            self._poller.cancel()
        await asyncio.to_thread(self.shut_sync)
        self._followers.end_all()

    def shut_sync(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._writer.stop()
        self._readers.shutdown(wait=True)
        for connection in self._connections:
            connection.close()
        self._store.dispose()


def _closing() -> Unavailable:
    return Unavailable("The log store is closing.", code="logs_closed", hint="Try again in a moment.")
