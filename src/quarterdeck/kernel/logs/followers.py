"""Handing new lines to whoever follows a stream. Everything here happens on the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from quarterdeck.kernel.logs.line import Batch

LAG = 10_000  # lines that may wait for one follower


class Follower:
    """An inbox of batches. When it is full the oldest go, and `passed_over` says up to which number."""

    def __init__(self, stream: str, lag: int = LAG) -> None:
        self.stream = stream
        self.passed_over = 0
        self.ended = False
        self._lag = lag
        self._waiting: deque[Batch] = deque()
        self._lines = 0
        self._arrived = asyncio.Event()

    def offer(self, batch: Batch) -> None:
        self._waiting.append(batch)
        self._lines += len(batch.lines)
        while self._lines > self._lag and len(self._waiting) > 1:
            dropped = self._waiting.popleft()
            self._lines -= len(dropped.lines)
            self.passed_over = dropped.last
        self._arrived.set()

    def end(self) -> None:
        self.ended = True
        self._arrived.set()

    async def next(self) -> Batch | None:
        """The oldest waiting batch; None at the end."""
        while not self._waiting:
            if self.ended:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        batch = self._waiting.popleft()
        self._lines -= len(batch.lines)
        return batch


class Followers:
    """Who follows which stream, and the last number that they were offered."""

    def __init__(self) -> None:
        self._by_stream: dict[str, set[Follower]] = {}
        self.offered: dict[str, int] = {}

    def __contains__(self, stream: str) -> bool:
        return stream in self._by_stream

    def streams(self) -> list[str]:
        return list(self._by_stream)

    def join(self, stream: str, lag: int = LAG) -> Follower:
        follower = Follower(stream, lag)
        self._by_stream.setdefault(stream, set()).add(follower)
        return follower

    def leave(self, follower: Follower) -> None:
        group = self._by_stream.get(follower.stream)
        if group is not None:
            group.discard(follower)
            if not group:
                del self._by_stream[follower.stream]
                self.offered.pop(follower.stream, None)

    def offer(self, batches: Iterable[Batch], ended: Iterable[str] = ()) -> None:
        for batch in batches:
            self.offered[batch.stream] = max(batch.last, self.offered.get(batch.stream, 0))
            for follower in self._by_stream.get(batch.stream, ()):
                follower.offer(batch)
        for stream in ended:
            for follower in self._by_stream.get(stream, ()):
                follower.end()

    def end_all(self) -> None:
        for group in self._by_stream.values():
            for follower in group:
                follower.end()
