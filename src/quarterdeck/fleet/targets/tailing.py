"""Following the log of a host process over SFTP: a command for each would take all sessions that a connection has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from quarterdeck.fleet.processes import log
from quarterdeck.fleet.processes.supervisor.output import numbered, segment
from quarterdeck.fleet.targets.files import SshFiles

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 1.0
FIRST_LOOK, LONGEST_LOOK = 1.0, 10.0


async def follow(
    files: SshFiles, directory: Path, live: Callable[[], Awaitable[bool]]
) -> AsyncIterator[Sequence[log.Line]]:
    """Batches of lines as they come; ends when the process is not `live` and everything was read. Who is quiet is
    looked at less often.
    """
    position, over = log.Position(), False
    pause, look, loop = FIRST_PAUSE, FIRST_LOOK, asyncio.get_running_loop()
    due = loop.time() + look
    while True:
        lines = await _some(files, directory, position)
        if lines:
            position, pause, look = lines[-1].position, FIRST_PAUSE, FIRST_LOOK
            yield lines
            continue
        if over:
            return
        if loop.time() >= due:
            over = not await live()
            look = min(look * 1.5, LONGEST_LOOK)
            due = loop.time() + look
        if not over:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)


async def _some(files: SshFiles, directory: Path, after: log.Position) -> list[log.Line]:
    for number in numbered(await files.list(directory)):
        if number < after.segment:
            continue
        offset = after.offset if number == after.segment else 0
        data = await files.read_from(segment(directory, number), offset, log.CHUNK)
        *lines, _ = (data or b"").split(b"\n")
        found = []
        for raw in lines:
            offset += len(raw) + 1
            found.append(log.parse(raw, log.Position(number, offset)))
        if found:
            return found
    return []
