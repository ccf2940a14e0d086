"""Everything that may happen to an attempt while it waits, behind one event."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import structlog

from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.jobs import Canceled, Fenced, JobContext
from quarterdeck.kernel.jobs.refusals import canceled, fenced
from quarterdeck.tasks.orders import CHECK
from quarterdeck.tasks.running.calls import Call

MOST_CALLS = 200
ASK_AGAIN = 20.0
"""Seconds: what the server tells is a wake-up, and may get lost."""
Heard = Callable[[Any], Coroutine[Any, Any, None]]
log = structlog.get_logger("quarterdeck.worker")


class Ears:
    """`ring` says that something happened; `wait` returns when it did. What happened is read from the things
    themselves, so nothing is lost where several happen at once.
    """

    def __init__(self, context: JobContext, *, again: float = ASK_AGAIN) -> None:
        self._context, self._again = context, again
        self._bell = asyncio.Event()
        self.calls: deque[Call] = deque(maxlen=MOST_CALLS)
        self.gate_told = False
        self.message_told = False
        self._listeners: Mapping[str, Heard] = {}
        self._others: set[asyncio.Task[None]] = set()
        self._tasks = [asyncio.create_task(self._told()), asyncio.create_task(self._canceled())]

    def listen(self, listeners: Mapping[str, Heard]) -> None:
        """Who else hears what is told, by its kind; what may not have arrived is asked for every `again` seconds."""
        self._listeners = listeners
        self._tasks += [asyncio.create_task(self._asks(kind)) for kind in listeners]

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
            kind, data = await self._context.told.get()
            if kind == "gate":
                self.gate_told = True
            elif kind == "message":
                self.message_told = True
            elif kind in self._listeners:
                self._hand(kind, data)
            self.ring()

    def _hand(self, kind: str, data: Any) -> None:
        task = asyncio.create_task(self._listeners[kind](data), name=f"told-{kind}")
        self._others.add(task)
        task.add_done_callback(self._heard)

    async def _asks(self, kind: str) -> None:
        while True:
            await asyncio.sleep(self._again)
            try:
                reply = await self._context.record(f"{kind}{CHECK}", {})
            except (Canceled, Fenced):
                return
            except Problem as problem:
                log.info("asked_in_vain", what=kind, code=problem.code)
                continue
            if reply is not None:
                self._hand(kind, reply)

    def _heard(self, task: asyncio.Task[None]) -> None:
        self._others.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("told_in_vain", what=task.get_name(), reason=type(error).__name__)

    async def _canceled(self) -> None:
        await self._context.canceled.wait()
        self.ring()

    async def close(self) -> None:
        tasks = [*self._tasks, *self._others]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
