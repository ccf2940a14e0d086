"""What an application writes, line by line, wherever it runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import structlog

from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target
from quarterdeck.fleet.docker import logs
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.processes.hosted import HostProcesses
from quarterdeck.kernel.errors import Problem

LAST_WORDS = 0.3
log = structlog.get_logger("quarterdeck.execution")


@contextlib.asynccontextmanager
async def follow_application(target: Target, runtime: dict[str, Any], report: Reporter) -> AsyncIterator[None]:
    """Write the application's lines into the deployment's log while the body runs, and what is left at its end."""
    if runtime.get("kind") == "static":
        yield
        return
    task = asyncio.create_task(_copy(target, runtime, report))
    try:
        yield
    except BaseException:
        # What the application wrote last is what explains a failure: give it a moment to arrive.
        await asyncio.wait([task], timeout=LAST_WORDS)
        raise
    finally:
        # Once it serves, its lines go on in the log of the runtime.
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, Problem):
            log.warning("application_log_not_followed", reason=type(error).__name__)


async def _copy(target: Target, runtime: dict[str, Any], report: Reporter) -> None:
    async for _, stream, text in lines(target.engine, target.processes, runtime, since=""):
        report.application([text], stream)


async def lines(
    engine: Engine | None, processes: HostProcesses, runtime: dict[str, Any], *, since: str
) -> AsyncIterator[tuple[datetime | None, str, str]]:
    """`(time, stream, text)` as they come, until the runtime ends. `since` is a timestamp of the engine."""
    if runtime.get("kind") == "container" and engine is not None:
        async for line in logs.logs(engine, str(runtime["container"]), follow=True, since=since, timestamps=True):
            yield line.at, line.channel, line.text
    elif runtime.get("kind") == "process":
        async for batch in processes.follow_log(str(runtime["instance"])):
            for entry in batch:
                yield entry.at, "system" if entry.stream == "supervisor" else entry.stream, entry.text
