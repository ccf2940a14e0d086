"""What workers that were killed have left on this machine: ended and taken away, without waiting for the next job.

Everything that works in the directory of an attempt holds its lock file open, and that file says which worker made it.
So nothing is touched but what holds a lock whose worker is known to be gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from quarterdeck.fleet.processes.supervisor.identity import Identity, identify, is_alive, send
from quarterdeck.infra.execution import machine as machines
from quarterdeck.infra.execution.machine import LOCK, Machine

GRACE_SECONDS = 30.0
"""How long a terraform may take to end whose worker is gone: it writes its state meanwhile."""
LOOK_SECONDS, SOON = 60.0, 2.0
"""Between two looks; where something has to end yet, the next one is soon."""
AGAIN = 0.05
log = structlog.get_logger("quarterdeck.infra")


class Leftovers:
    """Of one machine. `look` is cheap where nothing is left."""

    def __init__(self, machine: Machine, grace: float = GRACE_SECONDS) -> None:
        self._machine = machine
        self._grace = grace
        self._since: dict[Path, float] = {}

    async def tend(self) -> None:
        """Look at once, and then for as long as the worker lives."""
        while True:
            try:
                soon = await self.look()
            except OSError as error:
                log.warning("leftovers_not_cleared", reason=error.strerror)
                soon = False
            await asyncio.sleep(SOON if soon else LOOK_SECONDS)

    async def look(self) -> bool:
        """Remove the directories that nobody works in, and end what still works in one whose worker is gone. Answers
        whether something has to end yet.
        """
        if not self._machine.work.is_dir():
            return False
        await machines.clear(self._machine)
        now = asyncio.get_running_loop().time()
        since = {place: self._since.get(place, now) for place in _orphaned(self._machine.work)}
        for place, first in since.items():
            if place not in self._since:
                log.info("orphan_ends", directory=place.name)
            elif now - first >= self._grace:
                log.warning("orphan_killed", directory=place.name)
                await asyncio.to_thread(_kill, place)
        self._since = since
        return bool(since)


def _orphaned(work: Path) -> Iterator[Path]:
    """Directories of attempts whose worker is gone. One that says no worker is left alone."""
    for place in work.iterdir():
        owner = machines.owner(place)
        if owner is not None and not is_alive(owner):
            yield place


def holders(place: Path) -> list[Identity]:
    """The processes that hold the lock file of an attempt open, this one left out, which tries the lock."""
    lock = str((place / LOCK).resolve())
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):  # it has just ended, or is somebody else's
            if any(str(each.readlink()) == lock for each in (process / "fd").iterdir()):
                who = identify(int(process.name))
                if who is not None:
                    found.append(who)
    return found


def _kill(place: Path) -> None:
    """Who holds it twice: what this process is just starting has its descriptors for a moment, too."""
    before = holders(place)
    time.sleep(AGAIN)
    for who in {*before} & {*holders(place)}:
        with contextlib.suppress(OSError):
            send(who, signal.SIGKILL)
