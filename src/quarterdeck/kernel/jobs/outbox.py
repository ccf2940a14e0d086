"""What a worker has to say: in order, and again over the next connection until it is acknowledged. Output that waits is
bounded in bytes, since a server may be away for long, or slower than a program that writes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quarterdeck.kernel.jobs import frames

if TYPE_CHECKING:
    from quarterdeck.kernel.jobs.attempt import Attempt

MOST = 16 << 20
"""Bytes of output that wait to be acknowledged; beyond them the oldest is dropped."""
WINDOW = 2 << 20
"""Bytes of output on their way: more is not sent before the server has stored some of it."""
BATCH = 1024
"""What a batch takes beside its lines: who writes many short ones fills memory as well."""


@dataclass(slots=True)
class Pending:
    """A frame that is sent until it is acknowledged. `size` is counted for output alone."""

    frame: Any
    attempt: Attempt | None = None
    answer: asyncio.Future[frames.Ack] | None = None
    size: int = 0
    sent: bool = False


class Outbox:
    def __init__(self) -> None:
        self._pending: dict[str, Pending] = {}
        self._turn: deque[str] = deque()
        self._once: deque[Any] = deque()
        self._waiting = self._on_their_way = 0
        self._moved = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()

    def connect(self) -> None:
        """A new connection: everything that is not acknowledged is said again."""
        self._once.clear()
        self._turn = deque(self._pending)
        self._on_their_way = 0
        for pending in self._pending.values():
            pending.sent = False
        self._moved.set()

    def once(self, frame: Any) -> None:
        """Say something that is not worth repeating, before what waits: a heartbeat is late behind output."""
        self._once.append(frame)
        self._moved.set()

    def keep(self, pending: Pending) -> None:
        """Say something until it is acknowledged."""
        self._pending[pending.frame.id] = pending
        self._turn.append(pending.frame.id)
        self._waiting += pending.size
        if pending.size:
            self._make_room(pending)
        self._moved.set()

    def _make_room(self, newest: Pending) -> None:
        if self._waiting > MOST:
            # What is on its way will be acknowledged soon; dropped is what could not even be sent.
            outputs = [one for one in self._pending.values() if one.size and not one.sent and one is not newest]
            for oldest in outputs:
                self._remove(oldest)
                if self._waiting <= MOST * 3 // 4:  # not one by one, or each batch would look at all of them
                    break
        if self._waiting > MOST // 2:
            self._roomy.clear()

    def settle(self, ref: str) -> Pending | None:
        """It was acknowledged."""
        pending = self._pending.get(ref)
        if pending is not None:
            self._remove(pending)
        return pending

    def forget(self, attempt: Attempt) -> list[Pending]:
        """Drop all that an attempt had to say, but for its end."""
        mine = [pending for pending in self._pending.values() if pending.attempt is attempt]
        gone = [pending for pending in mine if not isinstance(pending.frame, frames.JobResult)]
        for pending in gone:
            self._remove(pending)
        return gone

    def _remove(self, pending: Pending) -> None:
        del self._pending[pending.frame.id]
        self._waiting -= pending.size
        if pending.sent:
            self._on_their_way -= pending.size
        if self._waiting <= MOST // 2:
            self._roomy.set()
        self._moved.set()

    def results(self) -> Iterator[frames.JobResult]:
        return (one.frame for one in self._pending.values() if isinstance(one.frame, frames.JobResult))

    async def room(self) -> None:
        """Wait until less than half of the output that may wait does."""
        await self._roomy.wait()

    async def next(self) -> Any:
        """The next frame to send."""
        while True:
            if self._once:
                return self._once.popleft()
            while self._turn and self._turn[0] not in self._pending:
                self._turn.popleft()
            pending = self._pending[self._turn[0]] if self._turn else None
            if pending is not None and (not pending.size or self._on_their_way < WINDOW):
                self._turn.popleft()
                pending.sent = True
                self._on_their_way += pending.size
                return pending.frame
            self._moved.clear()
            await self._moved.wait()
