"""How the execution tells what it does: phases recorded before their effects, and log lines."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.storable import storable

APPLICATION_BYTES = 16 << 20
"""What one execution keeps of the lines that build and application write: the history of deployments stays for ever."""
LINE_BYTES = 64
"""What a line takes beside its text."""
STOPPED = frozenset({"job_fenced", "job_canceled"})
"""Codes with which the ledger says that an attempt may not go on: no failures of the phase."""


class Context(Protocol):
    """The part of a job's context that an execution uses (see `kernel.jobs`)."""

    canceled: asyncio.Event
    lost: bool
    """The lease is gone: another attempt may be at work, so nothing is undone."""

    async def record(self, kind: str, data: Any) -> Any:
        """Durable on the server before it returns; raises when this attempt may not go on."""
        ...

    def log(
        self,
        lines: Sequence[str],
        *,
        stream: str = "system",
        source: str = "quarterdeck",
        phase: str | None = None,
        level: str = "info",
    ) -> None: ...

    async def drain(self) -> None:
        """Wait until the server has caught up with the output."""


@dataclass(slots=True)
class Recorded:
    """What the body of a phase leaves: words for people, and what a later execution needs to go on from here."""

    detail: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


class Reporter:
    """Tells the phases of one attempt, and knows the results of those that are done."""

    def __init__(self, context: Context, done: dict[str, dict[str, Any]]) -> None:
        self.context = context
        self.done = done
        self.phase_name = "detect"
        self._left = APPLICATION_BYTES

    @contextlib.asynccontextmanager
    async def phase(self, name: str, *, final: bool = False) -> AsyncIterator[Recorded]:
        """Record that the phase begins, run its body, record how it ended.

        A `final` phase has changed the world when its body ends: a request to stop that comes then is too late, and
        the job's result tells what the record could not.
        """
        self.phase_name = name
        recorded = Recorded()
        point(f"{name}.begin")
        await self.context.record("phase", {"phase": name, "status": "running"})
        point(f"{name}.recorded")
        try:
            yield recorded
        except Problem as problem:
            if problem.code not in STOPPED:
                await self._failed(name, told(problem))
            raise
        point(f"{name}.done")
        self.done[name] = recorded.data
        try:
            await self.context.record(
                "phase",
                {
                    "phase": name,
                    "status": "succeeded",
                    "detail": storable(recorded.detail),
                    "data": storable(recorded.data) or None,
                },
            )
        except Problem as problem:
            if not final or problem.code not in STOPPED:
                raise
        point(f"{name}.kept")

    async def _failed(self, name: str, problem: Problem) -> None:
        for line in filter(None, (problem.message, problem.hint)):  # what the build said was logged as it came
            self.say(line, level="error")
        await self.context.record("phase", {"phase": name, "status": "failed", "detail": problem.message[:300]})

    async def skip(self, name: str, detail: str) -> None:
        """Record a phase that this attempt has no need of."""
        self.phase_name = name
        await self.context.record("phase", {"phase": name, "status": "skipped", "detail": storable(detail)})

    def say(self, text: str, level: str = "info") -> None:
        """A line of ours in the deployment's log."""
        self.context.log([storable(text)], stream="system", source="quarterdeck", phase=self.phase_name, level=level)

    async def caught_up(self) -> None:
        """For those who write much and can wait: what the server is far behind with would be dropped."""
        await self.context.drain()

    def application(self, lines: Sequence[str], stream: str) -> None:
        """Lines that the build or the application wrote; of those who write without end only the beginning."""
        if self._left <= 0:
            return
        self.context.log(storable(list(lines)), stream=stream, source="application", phase=self.phase_name)
        self._left -= sum(len(line) + LINE_BYTES for line in lines)
        if self._left <= 0:
            self.say(f"More than {APPLICATION_BYTES >> 20} MB were written: what follows is not kept.", level="warn")


def told(problem: Problem) -> Problem:
    """The problem with a message of one line, since its second line is read as the hint."""
    problem.message = " ".join(storable(problem.message).split())
    if problem.hint is not None:
        problem.hint = " ".join(storable(problem.hint).split())
    return problem
