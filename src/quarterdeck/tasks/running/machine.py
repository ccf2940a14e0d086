"""What a worker brings to every attempt: made once, when the worker starts."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarterdeck.fleet.terminals.uplink import Uplink
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.jobs import JobContext
from quarterdeck.tasks.agents import configuration, probing
from quarterdeck.tasks.agents.configuration import Configuration
from quarterdeck.tasks.agents.probing import Found
from quarterdeck.tasks.orders import TaskOrder
from quarterdeck.tasks.running import calls, orphans
from quarterdeck.tasks.running.account import Account
from quarterdeck.tasks.running.uplink import LogOnly
from quarterdeck.tasks.running.worktrees import Workspaces, Worktree

RUNNING = "running"
"""The directory of what runs, below the worker's own."""
OpenUplink = Callable[[JobContext, TaskOrder], Coroutine[Any, Any, Uplink]]
"""The terminal of an attempt towards its viewers."""
OpenWorkspaces = Callable[[Account], Workspaces]
"""Worktrees that belong to an account."""


Listener = Callable[[JobContext, TaskOrder, Worktree, Any], Coroutine[Any, Any, None]]
"""What another room does when the server says something to a running attempt; it is ended with the attempt."""


async def nobody_watches(_context: JobContext, _order: TaskOrder) -> Uplink:
    return LogOnly()


@dataclass
class Machine:
    """`directory` is the worker's data directory, which others may pass through but not read."""

    directory: Path
    workspaces: OpenWorkspaces
    uplink: OpenUplink = nobody_watches
    configuration: Configuration = field(default_factory=Configuration)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: Clock = field(default_factory=SystemClock)
    ids: Ids = field(default_factory=Ids)
    listeners: Mapping[str, Listener] = field(default_factory=dict)
    """By the kind of what is told, such as `tunnel`; `gate` and `message` are the runner's own."""
    found: dict[str, Found] = field(default_factory=dict)

    @property
    def records(self) -> Path:
        return self.directory / RUNNING

    @property
    def hooks(self) -> str:
        """How the names of the directories begin that hooks of this worker's attempts have."""
        mark = hashlib.sha256(str(self.directory.resolve()).encode(errors="surrogateescape")).hexdigest()[:12]
        return f"qd-hook-{mark}-"

    async def begin(self) -> frozenset[str]:
        """Before the first task: read the configuration, end what an earlier session of this worker left running, and
        look which agent programs are there; answers the capabilities of the worker's offer. Raises `Invalid`.
        """
        self.configuration = configuration.load(self.directory)
        self.records.mkdir(parents=True, exist_ok=True, mode=0o700)
        await orphans.reaped(self.records)
        await asyncio.to_thread(calls.forget, self.hooks)
        found = await probing.probe_all(self.configuration, self.environment.get("PATH"))
        self.found = {one.type: one for one in found}
        return probing.capabilities(found)
