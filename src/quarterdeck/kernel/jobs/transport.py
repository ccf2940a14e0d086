"""How frames travel: a protocol, and the way through memory that the in-process worker uses."""

from __future__ import annotations

import asyncio
from typing import Protocol

from quarterdeck.kernel.jobs.frames import Frame


class Disconnected(Exception):
    """The other side is gone. `code` is the WebSocket close code."""

    def __init__(self, code: int = 1006, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class Transport(Protocol):
    """One connection; every call may raise `Disconnected`."""

    async def send(self, frame: Frame) -> None: ...

    async def receive(self) -> Frame: ...

    async def close(self, code: int = 1000, reason: str = "") -> None: ...


class MemoryTransport:
    """One end of a pair of queues."""

    def __init__(self) -> None:
        self._inbox: asyncio.Queue[Frame | Disconnected] = asyncio.Queue()
        self._closed: Disconnected | None = None
        self.peer: MemoryTransport | None = None

    async def send(self, frame: Frame) -> None:
        if self._closed is not None:
            raise self._closed
        assert self.peer is not None  # noqa: S101 - ends are made in pairs
        self.peer._inbox.put_nowait(frame)  # noqa: SLF001 - the two halves of one thing

    async def receive(self) -> Frame:
        if self._closed is not None and self._inbox.empty():
            raise self._closed
        frame = await self._inbox.get()
        if isinstance(frame, Disconnected):
            raise frame
        return frame

    async def close(self, code: int = 1000, reason: str = "") -> None:
        gone = Disconnected(code, reason)
        self._end(gone)
        if self.peer is not None:
            self.peer._end(gone)  # noqa: SLF001 - the two halves of one thing

    def _end(self, gone: Disconnected) -> None:
        if self._closed is None:
            self._closed = gone
            self._inbox.put_nowait(gone)


def memory_pair() -> tuple[MemoryTransport, MemoryTransport]:
    """Two connected ends: for the worker, for the server."""
    worker, server = MemoryTransport(), MemoryTransport()
    worker.peer, server.peer = server, worker
    return worker, server
