"""From a worker's output to the log store."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Protocol

from quarterdeck.kernel.clock import instant
from quarterdeck.kernel.jobs.frames import LogLine
from quarterdeck.kernel.logs import Line, Logs

PTY = "pty"
"""What a terminal shows is kept as output."""


class LogSink(Protocol):
    """Where lines of output go; they are stored when it returns."""

    def __call__(self, stream: str, lines: Sequence[LogLine], /) -> Awaitable[None]: ...


async def nowhere(_stream: str, _lines: Sequence[LogLine]) -> None:
    """For ledgers without a log store."""


def into(logs: Logs) -> LogSink:
    """A sink that stores lines under the job's subject (`deployment:dep_…`)."""

    async def store(stream: str, lines: Sequence[LogLine]) -> None:
        await logs.store(stream, [_line(line) for line in lines])

    return store


def _line(line: LogLine) -> Line:
    channel = "stdout" if line.stream == PTY else line.stream
    return Line(
        time=instant(line.time),
        source="quarterdeck" if line.source == "quarterdeck" else "application",
        stream=channel if channel in {"stdout", "stderr"} else "system",  # type: ignore[arg-type]
        phase=line.phase,
        level=line.level,
        message=line.message,
    )
