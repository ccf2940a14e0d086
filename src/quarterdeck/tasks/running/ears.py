"""Everything that may happen to an attempt while it waits, behind one event."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

from quarterdeck.kernel.jobs import JobContext
from quarterdeck.kernel.jobs.refusals import canceled, fenced
from quarterdeck.tasks.running.calls import Call

MOST_CALLS = 200


class Ears:
    """`ring` says that something happened; `wait` returns when it did. What happened is read from the things
    themselves, so nothing is lost where several happen at once.
    """

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._bell = asyncio.Event()
        self.calls: deque[Call] = deque(maxlen=MOST_CALLS)
        self.gate_told = False
        self.message_told = False
        self._tasks = [asyncio.create_task(self._told()), asyncio.create_task(self._canceled())]

    def ring(self) -> None:
        self._bell.set()

    def hear(self, call: Call) -> None:
        self.calls.append(call)
        self.ring()

    async def wait(self, seconds: float | None) -> None:
        """Until something happens, `seconds` at most. Raises `Canceled` or `Fenced` when the attempt shall stop."""
        self.check()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        self._bell.clear()
        self.check()

    def check(self) -> None:
        if self._context.lost:
            raise fenced(self._context.job.id, self._context.job.fence)
        if self._context.canceled.is_set():
            raise canceled(self._context.job.id)

    async def _told(self) -> None:
        while True:
            kind, _ = await self._context.told.get()
            if kind == "gate":
                self.gate_told = True
            elif kind == "message":
                self.message_told = True
            self.ring()

    async def _canceled(self) -> None:
        await self._context.canceled.wait()
        self.ring()

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
