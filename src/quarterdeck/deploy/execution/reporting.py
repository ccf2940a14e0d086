"""How the execution tells what it does: phases recorded before their effects, and log lines."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.faults import point


class Context(Protocol):
    """The part of a job's context that an execution uses (see `kernel.jobs`)."""

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


@dataclass(slots=True)
class Recorded:
    """What the body of a phase leaves: words for people, and what a later execution needs to go on from here."""

    detail: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


class Reporter:
    """Tells the phases of one attempt."""

    def __init__(self, context: Context, done: dict[str, dict[str, Any]]) -> None:
        self.context = context
        self.done = done
        self.phase_name = "detect"

    @contextlib.asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[Recorded]:
        """Record that the phase begins, run its body, record how it ended."""
        self.phase_name = name
        recorded = Recorded()
        point(f"{name}.begin")
        await self.context.record("phase", {"phase": name, "status": "running"})
        point(f"{name}.recorded")
        try:
            yield recorded
        except Problem as problem:
            for line in [
                problem.message,
                *problem.details.get("lastLines", [])[-20:],
                *([problem.hint] if problem.hint else []),
            ]:
                self.say(str(line), level="error")
            await self.context.record("phase", {"phase": name, "status": "failed", "detail": problem.message[:300]})
            raise
        point(f"{name}.done")
        await self.context.record(
            "phase",
            {"phase": name, "status": "succeeded", "detail": recorded.detail, "data": recorded.data or None},
        )
        point(f"{name}.kept")

    async def skip(self, name: str, detail: str) -> None:
        """Record a phase that this attempt has no need of."""
        self.phase_name = name
        await self.context.record("phase", {"phase": name, "status": "skipped", "detail": detail})

    def say(self, text: str, level: str = "info") -> None:
        """A line of ours in the deployment's log."""
        self.context.log([text], stream="system", source="quarterdeck", phase=self.phase_name, level=level)

    def application(self, lines: Sequence[str], stream: str) -> None:
        """Lines that the build or the application wrote."""
        self.context.log(lines, stream=stream, source="application", phase=self.phase_name)
