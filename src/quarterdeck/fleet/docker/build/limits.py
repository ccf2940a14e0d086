"""What a build may take, and how far that can be held.

The classic builder honours memory and CPU itself. BuildKit ignores both and runs every step under one control group,
`docker/buildkit`; on the engine's own host, as root, that parent is limited here. The limit is then shared by all
builds of that engine that run at the same time, and it stays until the next build writes another. It cannot be
limited from afar over TCP, for a rootless engine, or where the engine keeps its groups elsewhere (a systemd cgroup
driver may): `BuildResult.unenforced` names what was not held.

Time is held by dropping the connection, which makes the engine cancel the build. Disk has no quota in either builder:
the growth of used space on the engine's disk (local) or of its build cache (remote) is watched every two seconds, so a
fast writer can pass the mark by what it writes in that time. On a local disk others write too: before a
build is ended for it, the layers that the engine has only since then are measured, where we may look at them.
Tasks (processes and threads) are limited in BuildKit's parent group like memory, and not at all by the classic builder.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from quarterdeck.fleet.docker import system
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import ProviderFailure, Timeout

T = TypeVar("T")
PERIOD = 100_000
WATCH_SECONDS = 2.0
CGROUPS = Path("/sys/fs/cgroup")
Probe = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class BuildLimits:
    seconds: float = 1800
    memory_bytes: int | None = None
    cpus: float | None = None
    tasks: int | None = None
    disk_bytes: int | None = None

    @property
    def by_group(self) -> set[str]:
        """The limits that are set and that BuildKit is held to from outside."""
        groups = {"memory": self.memory_bytes, "cpus": self.cpus, "tasks": self.tasks}
        return {name for name, value in groups.items() if value}


@dataclass(frozen=True, slots=True)
class GroupSetting:
    """One value of a control group: what it bounds, the file below the hierarchy's root, and the text to write."""

    bounds: str
    file: str
    text: str


def parent_settings(limits: BuildLimits, *, unified: bool) -> tuple[GroupSetting, ...]:
    """What to write so that BuildKit's parent group holds the limits; unset limits are lifted, not left over."""
    quota = str(round(limits.cpus * PERIOD)) if limits.cpus else None
    memory = str(limits.memory_bytes) if limits.memory_bytes else None
    tasks = str(limits.tasks or "max")
    if unified:
        return (
            GroupSetting("memory", "docker/buildkit/memory.max", memory or "max"),
            GroupSetting("cpus", "docker/buildkit/cpu.max", f"{quota or 'max'} {PERIOD}"),
            GroupSetting("tasks", "docker/buildkit/pids.max", tasks),
        )
    return (
        GroupSetting("memory", "memory/docker/buildkit/memory.limit_in_bytes", memory or "-1"),
        GroupSetting("cpus", "cpu/docker/buildkit/cpu.cfs_period_us", str(PERIOD)),
        GroupSetting("cpus", "cpu/docker/buildkit/cpu.cfs_quota_us", quota or "-1"),
        GroupSetting("tasks", "pids/docker/buildkit/pids.max", tasks),
    )


def limit_parent(limits: BuildLimits, root: Path = CGROUPS) -> tuple[str, ...]:
    """Limit BuildKit's parent group on this host; returns which of the wanted limits could not be held."""
    wanted = limits.by_group
    unified = (root / "cgroup.controllers").exists()
    failed = set()
    for setting in parent_settings(limits, unified=unified):
        place = root / setting.file
        try:
            # An engine that never built has no such group yet; without its own parent it is not this host's engine.
            place.parent.mkdir(exist_ok=True)
            place.write_text(setting.text)
        except OSError:
            failed.add(setting.bounds)
    return tuple(sorted(wanted & failed))


async def disk_probe(engine: Engine) -> Probe:
    """Bytes that builds take, as well as they can be seen: the engine's own disk if it is here, else its cache."""
    root = (await system.info(engine)).docker_root_dir if engine.local else ""

    async def used_here() -> int:
        return (await asyncio.to_thread(shutil.disk_usage, root)).used

    async def build_cache() -> int:
        return (await system.disk_usage(engine)).build_cache_bytes

    here = bool(root) and await asyncio.to_thread(lambda: Path(root).is_dir())
    return used_here if here else build_cache


async def new_layers(engine: Engine) -> Probe | None:
    """Bytes in layers of a local engine that were not there when this was called: a step's among them, which the engine
    itself counts only at its end. None where they cannot be seen.
    """
    if not engine.local:
        return None
    place = Path((await system.info(engine)).docker_root_dir) / "overlay2"
    if not await asyncio.to_thread(os.access, place, os.R_OK | os.X_OK):
        return None
    # By name: what takes an older layer down touches it, so its time of change says nothing.
    before = await asyncio.to_thread(lambda: set(place.iterdir()))

    def measured() -> int:
        return sum(trees.size(layer / "diff") for layer in place.iterdir() if layer not in before)

    async def written() -> int:
        return await asyncio.to_thread(measured)

    return written


async def watch_disk(probe: Probe, allowed: int, written: Probe | None = None) -> None:
    """Returns never; raises when the space taken has grown by more than `allowed`, and `written` says the same."""
    before = await probe()
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        taken = await probe()
        if taken - before <= allowed:
            continue
        ours = await written() if written is not None else taken - before
        before = taken - min(ours, allowed)  # what others wrote does not count from here on
        if ours > allowed:
            raise ProviderFailure(
                f"The build was ended because it took more than {allowed:,} bytes of disk",
                code="image_build_disk_exceeded",
                hint="Make the build smaller, or raise QUARTERDECK_BUILD_DISK.",
            )


async def bounded(work: Coroutine[Any, Any, T], watch: Coroutine[Any, Any, None] | None, seconds: float) -> T:
    """The result of `work`, unless `watch` raises or the time is over first; what is left is canceled."""
    main = asyncio.ensure_future(work)
    guard = asyncio.ensure_future(watch) if watch else None
    try:
        running = {main, guard} if guard else {main}
        done, _ = await asyncio.wait(running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if main in done:
            return main.result()
        if guard in done and guard is not None:
            guard.result()
        raise Timeout(
            f"The build did not end within {seconds:g} s and was ended",
            code="image_build_timeout",
            hint="Look for the slow step in the build's log, or raise QUARTERDECK_BUILD_SECONDS.",
        )
    finally:
        for task in (main, guard):
            if task is not None and not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task
