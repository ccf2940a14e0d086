"""One execution of a deployment at a time on a host, and parts of it that are carried out to their end."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
PAUSE = 0.05


@contextlib.asynccontextmanager
async def turn(root: Path, deployment: str) -> AsyncIterator[None]:
    """Wait until no other process or task of this host works on the deployment.

    A worker that lost its lease may still be on its way to the end of a cut-over when the next attempt is assigned.
    """
    path = root / "locks" / f"{deployment}.lock"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    while (descriptor := _taken(path)) is None:  # noqa: ASYNC110 - who has it may be another process
        await asyncio.sleep(PAUSE)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _taken(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had it has removed the file: what we locked then excludes nobody.
        if os.fstat(descriptor).st_ino == path.stat().st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


@contextlib.asynccontextmanager
async def interrupted_by(stop: asyncio.Event) -> AsyncIterator[None]:
    """Interrupt the block as soon as `stop` is set, with a `CancelledError` that leaves it."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in a task

    async def watch() -> None:
        await stop.wait()
        task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    finally:
        watcher.cancel()


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Do all of it, also when this task is interrupted meanwhile: then the interruption is forgotten."""
    task = asyncio.create_task(work)
    me = asyncio.current_task()
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            if me is not None:
                me.uncancel()
    return task.result()


@contextlib.asynccontextmanager
async def beside(work: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """Do something while the block runs; the block awaits the task where it needs its result."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        if not task.done():
            task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # told by whoever awaited it, or of no interest any more
