"""The host processes and releases of a machine as a deployment uses them, wherever that machine is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from quarterdeck.fleet.processes import listening, log, ports
from quarterdeck.fleet.processes.releases import Releases
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.fleet.processes.spec import ProcessSpec
from quarterdeck.fleet.processes.status import ProcessStatus
from quarterdeck.kernel.errors import Problem

INDEX = "index.html"


class HostProcesses(Protocol):
    """See `Processes` for what each does and raises; ports are handed out to containers, too."""

    async def port(self, instance: str, *, reserved: frozenset[int] = frozenset()) -> int: ...

    async def held_port(self, instance: str) -> int | None: ...

    async def is_free(self, port: int) -> bool:
        """Whether nobody listens on this port on any address of the host."""
        ...

    async def account(self, name: str) -> int | None: ...

    async def find(self, instance: str) -> ProcessStatus | None: ...

    async def list(self) -> Sequence[ProcessStatus]: ...

    async def placed_at(self, instance: str) -> datetime: ...

    async def start(self, spec: ProcessSpec, *, replace: bool = False) -> ProcessStatus: ...

    async def stop(self, instance: str, grace: float | None = None) -> ProcessStatus: ...

    async def remove(self, instance: str, grace: float | None = None) -> None: ...

    def follow_log(self, instance: str) -> AsyncIterator[Sequence[log.Line]]: ...

    async def heard(self, pid: int) -> set[tuple[int, bool]]:
        """(port, on loopback alone) of whatever a process and those that it started listen on."""
        ...

    async def listens(self, pid: int, port: int) -> bool:
        """Whether a process or one that it started listens on this port."""
        ...


class HostReleases(Protocol):
    """See `Releases` for what each does and raises."""

    async def is_complete(self, name: str) -> bool: ...

    async def lay_out(self, name: str, source: Path, excluded: Sequence[str], account: int | None) -> Path:
        """Copy a tree of this process's own machine there. Answers where it is then."""
        ...

    async def publish(self, name: str, directory: str, account: int | None) -> str: ...

    async def published(self, name: str, directory: str) -> str: ...

    async def complete(self, name: str) -> None: ...

    async def shortage(self, name: str, least_free: float, most: int) -> Problem | None: ...

    async def has_index(self, directory: str) -> bool:
        """Whether a published directory has a page of its own."""
        ...

    async def remove(self, name: str) -> None: ...


class LocalProcesses:
    """Those of this machine."""

    def __init__(self, root: Path) -> None:
        self._own = Processes(root)

    async def port(self, instance: str, *, reserved: frozenset[int] = frozenset()) -> int:
        return await asyncio.to_thread(self._own.port, instance, reserved=reserved)

    async def held_port(self, instance: str) -> int | None:
        return await asyncio.to_thread(self._own.held_port, instance)

    async def is_free(self, port: int) -> bool:
        return await asyncio.to_thread(ports.is_free, port)

    async def account(self, name: str) -> int | None:
        return self._own.account(name)

    async def find(self, instance: str) -> ProcessStatus | None:
        return await asyncio.to_thread(self._own.find, instance)

    async def list(self) -> Sequence[ProcessStatus]:
        return await asyncio.to_thread(self._own.list)

    async def placed_at(self, instance: str) -> datetime:
        return await asyncio.to_thread(self._own.placed_at, instance)

    async def start(self, spec: ProcessSpec, *, replace: bool = False) -> ProcessStatus:
        return await self._own.start(spec, replace=replace)

    async def stop(self, instance: str, grace: float | None = None) -> ProcessStatus:
        return await self._own.stop(instance, grace)

    async def remove(self, instance: str, grace: float | None = None) -> None:
        await self._own.remove(instance, grace)

    def follow_log(self, instance: str) -> AsyncIterator[Sequence[log.Line]]:
        return self._own.follow_log(instance)

    async def heard(self, pid: int) -> set[tuple[int, bool]]:
        return await asyncio.to_thread(listening.heard_of, pid)

    async def listens(self, pid: int, port: int) -> bool:
        return await asyncio.to_thread(listening.listens, pid, port)


class LocalReleases:
    """Those of this machine."""

    def __init__(self, root: Path) -> None:
        self._own = Releases(root)

    async def is_complete(self, name: str) -> bool:
        return await asyncio.to_thread(self._own.is_complete, name)

    async def lay_out(self, name: str, source: Path, excluded: Sequence[str], account: int | None) -> Path:
        await asyncio.to_thread(self._own.lay_out, name, source, excluded, account)
        return self._own.tree(name)

    async def publish(self, name: str, directory: str, account: int | None) -> str:
        return await asyncio.to_thread(self._own.publish, name, directory, account)

    async def published(self, name: str, directory: str) -> str:
        return self._own.published(name, directory)

    async def complete(self, name: str) -> None:
        self._own.complete(name)

    async def shortage(self, name: str, least_free: float, most: int) -> Problem | None:
        return await asyncio.to_thread(self._own.shortage, name, least_free, most)

    async def has_index(self, directory: str) -> bool:
        return await asyncio.to_thread((Path(directory) / INDEX).is_file)

    async def remove(self, name: str) -> None:
        await asyncio.to_thread(self._own.remove, name)
