"""What earlier sessions of this worker left running, ended before new work is taken (contract: tasks §4.5)."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from quarterdeck.fleet.processes.supervisor import cgroups, identity, kin
from quarterdeck.fleet.processes.supervisor.identity import Identity
from quarterdeck.fleet.processes.supervisor.record import read_json

GRACE = 5.0


def reap(directory: Path, grace: float = GRACE) -> int:
    """End every process that a record in `directory` tells of: SIGTERM, `grace` seconds, SIGKILL; answers how many
    there were. Blocks. A process that has another start time or boot is somebody else's and is left alone.
    """
    records = [(path, read_json(path)) for path in sorted(directory.glob("*.json"))]
    known = [(path, record) for path, record in records if record is not None]
    living = {who for _, record in known for who in _living(record)}
    for who in living:
        identity.send(who, signal.SIGTERM)
    until = time.monotonic() + grace
    while time.monotonic() < until and any(identity.is_alive(who) for who in living):
        time.sleep(0.02)
    for path, record in known:
        group = cgroups.Group.load(record.get("group"))
        group.kill()
        for who in _living(record):
            identity.send(who, signal.SIGKILL)
        kin.end_marked(str(record.get("marker")))
        group.remove()
        path.unlink(missing_ok=True)
    for path, unread in records:
        if unread is None:
            path.unlink(missing_ok=True)
    return len(living)


async def reaped(directory: Path, grace: float = GRACE) -> int:
    """`reap` without blocking the loop."""
    return await asyncio.to_thread(reap, directory, grace)


def _living(record: dict[str, Any]) -> set[Identity]:
    named = {who for who in (_who(record.get("keeper")), _who(record.get("program"))) if identity.is_alive(who)}
    pids = cgroups.Group.load(record.get("group")).members() | kin.marked(str(record.get("marker")))
    below: Iterable[int] = {pid for who in named if who is not None for pid in kin.descendants(who.pid)}
    found = {who for pid in {*pids, *below} - {os.getpid()} if (who := identity.identify(pid)) is not None}
    return {who for who in {*named, *found} if who is not None and identity.is_alive(who)}


def _who(value: Any) -> Identity | None:
    try:
        pid, start, boot = value
        return Identity(int(pid), int(start), str(boot))
    except (TypeError, ValueError):
        return None
