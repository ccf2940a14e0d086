"""The uplink of a worker on another machine: a WebSocket, dialled again, that neither loses nor doubles a byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidProxy, InvalidURI

from quarterdeck.fleet.terminals import frames
from quarterdeck.fleet.terminals.history import History, Size
from quarterdeck.fleet.terminals.uplink import Ended, Resize, UplinkEvent, event_of
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.ids import Entropy, SystemEntropy
from quarterdeck.kernel.unreadable import UNREADABLE

KEPT = 1 << 20
"""Bytes that are kept for a server that is away."""
SENT = 32 << 10
LARGEST = 1 << 20
SHORTEST, LONGEST = 0.5, 15.0
CLOSING = 10.0
"""Seconds in which the end is told."""
FINAL = frozenset({frames.FORBIDDEN, frames.GONE, frames.SUPERSEDED, 1000})
"""Close codes after which nobody dials again: this attempt has no terminal any more."""
log = structlog.get_logger("quarterdeck.terminals")


@dataclass(frozen=True, slots=True)
class Place:
    """Whose terminal it is, and where. `credential` is the worker's own token at the time of each dialling,
    `fresh_token` asks for a channel token through the control channel; `first_token` is the one that came along.
    """

    server_url: str
    task_id: int
    credential: Callable[[], str]
    fresh_token: Callable[[], Awaitable[str]]
    first_token: str | None = None

    @property
    def url(self) -> str:
        """Raises `Invalid` for what is no address of a server."""
        parts = urlsplit(self.server_url)
        scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme)
        if scheme is None or not parts.netloc:
            raise Invalid(f"{self.server_url} is not a server address.", code="server_url_invalid")
        path = f"{parts.path.rstrip('/')}/api/workers/pty/{self.task_id}"
        return urlunsplit((scheme, parts.netloc, path, "", ""))


class _Over(Exception):
    """The server wants no more of it."""


class SocketUplink:
    """Use it as a context: leaving it ends the dialling, whatever was told."""

    def __init__(
        self, place: Place, columns: int, rows: int, *, pid: int | None = None, entropy: Entropy | None = None
    ) -> None:
        self._place, self._pid = place, pid
        self._url = place.url
        self._token = place.first_token
        self._entropy = entropy or SystemEntropy()
        self._history = History(Size(columns, rows), KEPT)
        self._events: asyncio.Queue[UplinkEvent | None] = asyncio.Queue()
        self._moved = asyncio.Event()
        self._sent = self._acked = 0
        self._exit: frames.Exit | None = None
        self._exit_sent = False
        self._dialling: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._dialling = asyncio.create_task(self._keep(), name="terminal-uplink")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._dialling is not None:
            self._dialling.cancel()
            await asyncio.gather(self._dialling, return_exceptions=True)
        self._events.put_nowait(None)

    def output(self, data: bytes) -> None:
        self._history.add(data)
        self._moved.set()

    async def events(self) -> AsyncIterator[UplinkEvent]:
        while (event := await self._events.get()) is not None:
            yield event

    async def close(self, exit_code: int | None) -> None:
        self._exit = frames.Exit(code=exit_code)
        self._moved.set()
        if self._dialling is not None:
            await asyncio.wait([self._dialling], timeout=CLOSING)
            self._dialling.cancel()
            await asyncio.gather(self._dialling, return_exceptions=True)
        self._events.put_nowait(None)

    async def _keep(self) -> None:
        pause = SHORTEST
        while True:
            try:
                token, self._token = self._token or await self._place.fresh_token(), None
                async with connect(
                    self._url,
                    max_size=LARGEST,
                    open_timeout=10,
                    ping_interval=20,
                    ping_timeout=40,
                    proxy=True,  # what the environment names, as for the control channel
                    compression=None,  # of single keystrokes it costs more than it saves
                ) as connection:
                    began = asyncio.get_running_loop().time()
                    try:
                        await self._serve(connection, token)
                    finally:
                        if asyncio.get_running_loop().time() - began > LONGEST:
                            pause = SHORTEST
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
                if code in FINAL:
                    self._events.put_nowait(Ended(closed.rcvd.reason if closed.rcvd else ""))
                    return
                log.info("terminal_disconnected", task=self._place.task_id, code=code)
            except _Over:
                return
            except (OSError, TimeoutError, InvalidHandshake, InvalidProxy, InvalidURI) as error:
                log.info("terminal_unreachable", task=self._place.task_id, reason=type(error).__name__)
            except UNREADABLE:
                log.warning("terminal_unreadable", task=self._place.task_id)
            except Exception as error:  # noqa: BLE001 - whoever asks for tokens may fail in any way; the PTY goes on
                log.warning("terminal_token_missing", task=self._place.task_id, reason=repr(error)[:200])
            await asyncio.sleep(pause * (0.5 + self._entropy.randbits(16) / (1 << 17)))
            pause = min(pause * 2, LONGEST)

    async def _serve(self, connection: ClientConnection, token: str) -> None:
        """Until the connection ends (`ConnectionClosed`) or everything has been told."""
        await connection.send(
            frames.encoded(frames.WorkerAuth(worker_jwt=self._place.credential(), channel_token=token))
        )
        ready = frames.at_worker(str(await connection.recv()))
        if not isinstance(ready, frames.WorkerReady):
            await connection.close(frames.BAD_FRAME)
            return
        await self._resume(connection, ready)
        hearing = asyncio.create_task(self._hear(connection))
        telling = asyncio.create_task(self._tell(connection, ready.window))
        try:
            done, _ = await asyncio.wait({hearing, telling}, return_when=asyncio.FIRST_COMPLETED)
            if telling in done and telling.exception() is None:
                await hearing  # everything is told: the server says goodbye
            for task in done:
                task.result()
        finally:
            for task in (hearing, telling):
                task.cancel()
            await asyncio.gather(hearing, telling, return_exceptions=True)

    async def _resume(self, connection: ClientConnection, ready: frames.WorkerReady) -> None:
        """Say where the output goes on."""
        history = self._history
        kept = history.since(ready.offset)
        self._sent = self._acked = ready.offset if kept is not None else history.base
        size = history.size
        opened = frames.PtyOpen(cols=size.columns, rows=size.rows, pid=self._pid, offset=self._sent)
        await connection.send(frames.encoded(opened))
        if kept is None and self._sent > 0:
            await self._show_anew(connection)
        elif (before := history.since(self._sent)) is not None and before.size != size:
            await connection.send(_resized(before.size))

    async def _show_anew(self, connection: ClientConnection) -> None:
        """What is not kept any more is made good for by a picture of the screen."""
        history = self._history
        whole, following = history.whole(), history.since(history.base)
        self._sent = self._acked = history.base
        picture = whole.parts[0]
        assert isinstance(picture, bytes)  # noqa: S101 - a fresh replay begins with it
        size, offset = whole.size, self._sent
        begin = frames.ReplayBegin(bytes=len(picture), cols=size.columns, rows=size.rows, offset=offset)
        await connection.send(frames.encoded(begin))
        for start in range(0, len(picture), SENT):
            await connection.send(picture[start : start + SENT])
        await connection.send(frames.encoded(frames.ReplayEnd(offset=offset)))
        if following is not None and following.size != size:
            await connection.send(_resized(following.size))

    async def _tell(self, connection: ClientConnection, window: int) -> None:
        history = self._history
        while True:
            self._moved.clear()
            if self._sent < history.base:  # more came than is kept, while the server did not keep up
                await self._show_anew(connection)
                continue
            room = window - (self._sent - self._acked)
            replay = history.since(self._sent) if room > 0 else None
            for part in replay.parts if replay is not None else ():
                if isinstance(part, Size):
                    await connection.send(_resized(part))
                    continue
                piece = part[:room]
                for start in range(0, len(piece), SENT):
                    await connection.send(piece[start : start + SENT])
                self._sent += len(piece)
                room -= len(piece)
                if len(piece) < len(part):
                    break
            if self._sent < history.head and room > 0:
                continue
            if self._sent == history.head and self._exit is not None:
                await connection.send(frames.encoded(self._exit))
                self._exit_sent = True
                return
            await self._moved.wait()

    async def _hear(self, connection: ClientConnection) -> None:
        while True:
            said = await connection.recv()
            item = said if isinstance(said, bytes) else frames.at_worker(said)
            if isinstance(item, frames.Ack):
                self._acked = min(max(self._acked, item.offset), self._sent)
                self._moved.set()
            elif isinstance(item, frames.Ping):
                await connection.send(frames.encoded(frames.Pong()))
            elif isinstance(item, frames.Exit):
                if not self._exit_sent:
                    self._events.put_nowait(Ended(item.reason))
                with suppress(ConnectionClosed):
                    await connection.close()
                raise _Over
            elif (event := event_of(item)) is not None:
                if isinstance(event, Resize):
                    self._history.resize(Size(event.columns, event.rows))
                    self._moved.set()
                self._events.put_nowait(event)


def _resized(size: Size) -> str:
    return frames.encoded(frames.Resized(cols=size.columns, rows=size.rows))
