"""Measuring a machine: disks, inodes, memory, processors, what Docker keeps, what we keep. Nothing is changed.

What cannot be measured is left out and said so; it never fails the whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from quarterdeck.fleet.capacity import reading
from quarterdeck.fleet.capacity.values import Capacity, Container, Directory, Engine, Warned, Workspace
from quarterdeck.fleet.docker import system
from quarterdeck.fleet.docker.address import EngineAddress
from quarterdeck.fleet.docker.engine import total
from quarterdeck.fleet.targets.engines import open_engine
from quarterdeck.fleet.targets.host import Host
from quarterdeck.kernel.errors import Problem

PART_SECONDS = 15.0
SIZE_SECONDS = 10.0
MOST_WORKSPACES = 100
HIGH_PERCENT, FULL_PERCENT = 85.0, 95.0
MANAGED = "quarterdeck.managed"


@dataclass(frozen=True, slots=True)
class Places:
    """Our directories on a machine."""

    runtime: str
    state: str
    workspaces: str

    @classmethod
    def at(cls, root: str) -> Self:
        """Those of a server behind SSH with this target directory."""
        return cls(root, str(PurePosixPath(root).parent), f"{root}/deployments")


REMOTE = Places.at("/var/lib/quarterdeck/runtime")


async def measure(host: Host, places: Places, engine: EngineAddress | None) -> Capacity:
    found = Capacity()
    parts: dict[str, Callable[[], Awaitable[None]]] = {
        "disk": lambda: _disks(host, places, found),
        "memory": lambda: _memory(host, found),
        "cpu": lambda: _cpu(host, found),
        "docker": lambda: _engine(host, engine, found),
        "appaloft-runtime": lambda: _directories(host, places, found),
    }
    await asyncio.gather(*(_part(name, work, found) for name, work in parts.items()))
    judge(found)
    return found


def unreached(problem: Problem) -> Capacity:
    """What is known of a machine that cannot be signed in to."""
    hint = f" {problem.hint}" if problem.hint else ""
    return Capacity(warnings=[Warned("partial-diagnostic", f"{problem.message}{hint}")], partial=True)


async def _part(name: str, work: Callable[[], Awaitable[None]], found: Capacity) -> None:
    try:
        async with asyncio.timeout(PART_SECONDS):
            await work()
    except TimeoutError:
        found.warnings.append(Warned("timeout", f"Measuring took longer than {PART_SECONDS:g} s.", resource=name))
        found.partial = True
    except (ValueError, ArithmeticError, LookupError):
        found.warnings.append(Warned("partial-diagnostic", "The machine's answer cannot be read.", resource=name))
        found.partial = True
    except Problem as problem:
        code = "docker-unavailable" if name == "docker" else "partial-diagnostic"
        code = "timeout" if problem.code == "command_timeout" else code
        hint = f" {problem.hint}" if problem.hint else ""
        found.warnings.append(Warned(code, f"{problem.message}{hint}", resource=name))
        found.partial = True


async def _disks(host: Host, places: Places, found: Capacity) -> None:
    async def one(path: str) -> None:
        sizes, counts = await asyncio.gather(host.run(["df", "-Pk", path]), host.run(["df", "-Pi", path]))
        disk, inodes = reading.disk(path, sizes.text), reading.inodes(path, counts.text)
        # One row for each file system, by the first path that lies on it.
        if disk is not None and disk.mount not in {row.mount for row in found.disk}:
            found.disk.append(disk)
        if inodes is not None and inodes.mount not in {row.mount for row in found.inodes}:
            found.inodes.append(inodes)

    for path in dict.fromkeys(("/", places.runtime, "/var/lib/docker")):
        await one(path)
    if not found.disk:
        found.warnings.append(Warned("partial-diagnostic", "The machine's df cannot be read.", resource="disk"))
        found.partial = True


async def _memory(host: Host, found: Capacity) -> None:
    found.memory = reading.memory((await host.run(["cat", "/proc/meminfo"])).text)
    if found.memory.total is None:
        found.warnings.append(Warned("partial-diagnostic", "/proc/meminfo cannot be read.", resource="memory"))
        found.partial = True


async def _cpu(host: Host, found: Capacity) -> None:
    cores, load = await asyncio.gather(host.run(["nproc"]), host.run(["cat", "/proc/loadavg"]))
    found.cpu = reading.cpu(cores.text, load.text)
    if found.cpu.load is None or found.cpu.logical_cores is None:
        found.warnings.append(Warned("partial-diagnostic", "/proc/loadavg or nproc cannot be read.", resource="cpu"))
        found.partial = True


async def _engine(host: Host, address: EngineAddress | None, found: Capacity) -> None:
    async with await open_engine(host, address) as engine:
        found.engine = engine_usage(await system.disk_usage(engine))


def engine_usage(usage: system.DiskUsage) -> Engine:
    images = usage.images or []
    unused = [image for image in images if image.containers == 0]
    return Engine(
        images=usage.layers_size,
        reclaimable_images=total(image.own_bytes for image in unused),
        dangling=total(image.own_bytes for image in unused if image.nameless),
        build_cache=usage.build_cache_bytes,
        reclaimable_build_cache=total(record.size for record in usage.build_cache or [] if not record.in_use),
        containers=usage.container_bytes,
        volumes=usage.volume_bytes,
        ours=tuple(
            Container(
                id=one.id,
                name=(one.names or [one.id])[0].lstrip("/"),
                running=one.state == "running",
                status=one.status or one.state,
                writable_bytes=one.size_rw,
                deployment=(one.labels or {}).get("quarterdeck.deployment"),
                resource=(one.labels or {}).get("quarterdeck.resource"),
            )
            for one in usage.containers or []
            if (one.labels or {}).get(MANAGED) == "true"
        ),
    )


async def _directories(host: Host, places: Places, found: Capacity) -> None:
    named = {"runtime": places.runtime, "state": places.state, "workspaces": places.workspaces}
    for name, path in named.items():
        exists = (await host.run(["test", "-d", path])).status == 0
        found.roots[name] = Directory(path, await _size(host, path, found) if exists else None, exists)
    if not found.roots["workspaces"].exists:
        return
    listed = (await host.run(["ls", "-1", places.workspaces])).text.splitlines()
    for name in [one for one in listed if one.startswith("dep_")][:MOST_WORKSPACES]:
        path = str(PurePosixPath(places.workspaces) / name)
        found.workspaces.append(Workspace(name, path, await _size(host, path, found)))


async def _size(host: Host, path: str, found: Capacity) -> int | None:
    try:
        # Files that are not ours to read are left out of the sum: its status is not looked at.
        return reading.size((await host.run(["du", "-sk", path], seconds=SIZE_SECONDS)).text)
    except Problem as problem:
        if problem.code != "command_timeout":
            raise
        found.warnings.append(Warned("timeout", problem.message, path=path, resource="appaloft-runtime"))
        found.partial = True
        return None


def judge(found: Capacity) -> None:
    """Say what is full and what soon will be."""
    for disk in found.disk:
        if disk.use_percent >= FULL_PERCENT:
            text = f"{disk.mount} is full ({disk.use_percent:g} %): deployments will fail."
            found.warnings.append(Warned("full-disk", text, disk.path, disk.mount, "disk"))
        elif disk.use_percent >= HIGH_PERCENT:
            text = f"{disk.mount} is {disk.use_percent:g} % full."
            found.warnings.append(Warned("high-disk-usage", text, disk.path, disk.mount, "disk"))
    for inodes in found.inodes:
        if inodes.use_percent >= HIGH_PERCENT:
            text = f"{inodes.mount} has used {inodes.use_percent:g} % of its inodes."
            found.warnings.append(Warned("high-inode-usage", text, inodes.path, inodes.mount, "inode"))
