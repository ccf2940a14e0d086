"""How a program ends that was not let to its end: interrupted, given its grace, killed with all its descendants."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any, Literal, Protocol

from quarterdeck.fleet.processes.supervisor import kin

Why = Literal["canceled", "time", "lost"]
KILL_SECONDS = 1.0
"""How long the killing may take, most of which the kernel waits for a disk."""


class Stopping(Protocol):
    """The part of a job's context that says when to stop."""

    canceled: asyncio.Event
    lost: bool


KILLED_SECONDS = 10.0


class Process(Protocol):
    """What leads a process group of its own; `returncode` is None until it has ended."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...


async def let_run(
    process: Process,
    working: asyncio.Task[Any],
    stopping: Stopping,
    seconds: float,
    grace: float,
    tell: Callable[[str], None],
    *,
    firm: bool = False,
) -> Why | None:
    """Wait until `working` is done, which it is once the program has ended. Answers why it was interrupted, None when
    it was not.

    Who lost the lease has everything killed at once. A task that is cancelled a second time gives no more grace. What
    is `firm` goes on although the job is to stop.
    """
    canceled = asyncio.create_task((asyncio.Event() if firm else stopping.canceled).wait())
    why: Why | None = None
    me = asyncio.current_task()
    try:
        try:
            await asyncio.wait({working, canceled}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return None
            why = "canceled" if canceled.done() else "time"
        except asyncio.CancelledError:
            why = "canceled"
            if me is not None:
                me.uncancel()
        if stopping.lost:
            why = "lost"
        else:
            tell(f"Interrupting terraform; it has {grace:g} seconds to end by itself.")
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGINT)
            if await _graceful(working, stopping, grace):
                return why
            if _is_lost(stopping):
                why = "lost"
            else:
                tell("Terraform did not end by itself: killing it.")
        end_all(process)
        await _killed(working)
        return why
    finally:
        canceled.cancel()


async def _killed(working: asyncio.Task[Any]) -> None:
    """Wait for what was killed, which is a moment unless the kernel holds it; no cancellation shortens that."""
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    until = loop.time() + KILLED_SECONDS
    while not working.done() and (left := until - loop.time()) > 0:
        try:
            await asyncio.wait({working}, timeout=left)
        except asyncio.CancelledError:
            if me is not None:
                me.uncancel()


def _is_lost(stopping: Stopping) -> bool:
    """Asked anew: it may be lost meanwhile."""
    return stopping.lost


async def _graceful(working: asyncio.Task[Any], stopping: Stopping, grace: float) -> bool:
    """Whether it ended within its grace. The first cancellation is that of the ledger's own, shorter grace."""
    loop, patience = asyncio.get_running_loop(), 1
    until = loop.time() + grace
    me = asyncio.current_task()
    while not working.done() and (left := until - loop.time()) > 0:
        try:
            await asyncio.wait({working}, timeout=left)
        except asyncio.CancelledError:
            if me is not None:
                me.uncancel()
            if stopping.lost or not patience:
                return False
            patience -= 1
    return working.done()


def end_all(process: Process) -> None:
    """Kill a program that `keeper` runs, its group and whatever else descends from it. What is left of one that has
    ended is in its group at most.
    """
    if process.returncode is None:
        kin.end_descendants(process.pid, KILL_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
