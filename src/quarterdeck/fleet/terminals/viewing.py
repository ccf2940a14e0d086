"""One person's view of a terminal: what waits to be sent to them, and what they may do."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from quarterdeck.fleet.terminals import frames
from quarterdeck.fleet.terminals.history import Replay, Size
from quarterdeck.kernel.db import Tx

WAITING = 1 << 20
"""Bytes that may wait for a viewer; beyond, everything is dropped and it is shown the screen anew (contract: §5)."""
SENT = 64 << 10
"""Bytes of one binary frame at most."""
COST = 100
"""What a frame of text counts for."""
Right = Literal["act", "view"]
Item = bytes | frames.Frame


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who comes. `controls`: their channel token was made for it. `asks` is asked again every second what they may:
    it answers nothing, or raises a `Problem`, once they may not even look.
    """

    user_id: int
    user: str
    right: Right
    controls: bool
    asks: Callable[[Tx], Right | None]


class Left(Exception):
    """The view is over; the socket closes with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Viewer:
    """`output` and `tell` never wait; `next` gives what they left to whoever sends it."""

    def __init__(self, session_id: str, visitor: Visitor, whole: Callable[[], Replay]) -> None:
        self.session_id = session_id
        self.visitor = visitor
        self.right: Right = visitor.right
        self._whole = whole
        self._queue: deque[Item] = deque()
        self._waiting = 0
        self._allowed = WAITING
        self._sent = 0
        """Bytes of the first in the queue that were sent."""
        self._behind = False
        self._over: Left | None = None
        self._arrived = asyncio.Event()

    @property
    def may_control(self) -> bool:
        return self.visitor.controls and self.right == "act"

    @property
    def holder(self) -> frames.Holder:
        return frames.Holder(session_id=self.session_id, user=self.visitor.user)

    @property
    def waiting(self) -> int:
        """Bytes that are kept for this viewer."""
        return self._waiting

    def output(self, data: bytes) -> None:
        self._put(data, len(data))

    def resized(self, size: Size) -> None:
        self._put(frames.Resized(cols=size.columns, rows=size.rows), COST)

    def tell(self, frame: frames.Frame) -> None:
        if self._waiting < 2 * self._allowed:  # who never reads is told no more
            self._queue.append(frame)
            self._waiting += COST
            self._arrived.set()

    def _put(self, item: Item, cost: int) -> None:
        if self._behind or self._over is not None:
            return
        if self._waiting + cost > self._allowed:
            self.show_anew()
            return
        self._queue.append(item)
        self._waiting += cost
        self._arrived.set()

    def show_anew(self) -> None:
        """Drop what was to be shown: it begins with the screen as it is when there is room again."""
        kept = [item for item in self._queue if not isinstance(item, bytes | frames.Resized | frames.ReplayBegin
                                                              | frames.ReplayEnd)]  # fmt: skip
        self._queue, self._sent = deque(kept), 0
        self._waiting = COST * len(kept)
        self._behind = True
        self._arrived.set()

    def show(self, replay: Replay) -> None:
        """Put a replay before everything else: what is live comes behind it, and the end last."""
        size = replay.size
        begin = frames.ReplayBegin(
            bytes=replay.length, cols=size.columns, rows=size.rows, offset=replay.offset, resumed=not replay.fresh
        )
        shown = (
            part if isinstance(part, bytes) else frames.Resized(cols=part.columns, rows=part.rows)
            for part in replay.parts
        )
        items: list[Item] = [begin, *shown, frames.ReplayEnd(offset=replay.offset)]
        self._queue.extendleft(reversed(items))
        cost = replay.length + COST * sum(not isinstance(item, bytes) for item in items)
        self._waiting += cost
        self._allowed = WAITING + cost
        self._arrived.set()

    def dismiss(self, code: int, reason: str, last: frames.Frame) -> None:
        """Over at once: of what waits nothing is sent any more but the last word."""
        self._queue.clear()
        self._behind, self._sent = False, 0
        self._queue.append(last)
        self._waiting = COST
        self.leave(code, reason)

    def leave(self, code: int, reason: str) -> None:
        """Over, once what waits has been sent."""
        self._over = self._over or Left(code, reason)
        self._arrived.set()

    async def next(self) -> Any:
        """What is to be sent next: bytes, or a frame. Raises `Left` at the end."""
        while True:
            if self._behind:
                self._behind = False
                self.show(self._whole())
            if self._queue:
                return self._taken()
            if self._over is not None:
                raise self._over
            self._arrived.clear()
            await self._arrived.wait()

    def _taken(self) -> Item:
        first = self._queue.popleft()
        if not isinstance(first, bytes):
            self._waiting -= COST
            if isinstance(first, frames.ReplayEnd):
                self._allowed = WAITING
            return first
        if len(first) - self._sent > SENT:
            part = first[self._sent : self._sent + SENT]
            self._sent += SENT
            self._waiting -= SENT
            self._queue.appendleft(first)
            return part
        parts, size = [first[self._sent :]], len(first) - self._sent
        self._sent = 0
        while self._queue and isinstance(following := self._queue[0], bytes) and size + len(following) <= SENT:
            parts.append(following)
            size += len(following)
            self._queue.popleft()
        self._waiting -= size
        return b"".join(parts)
