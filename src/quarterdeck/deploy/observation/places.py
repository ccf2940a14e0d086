"""Where runtimes are watched: this machine, or a server at the end of a connection."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from quarterdeck.fleet.docker.address import own_engine
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.processes.hosted import HostProcesses, LocalProcesses
from quarterdeck.fleet.targets import refusals
from quarterdeck.fleet.targets.engines import open_engine
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.kernel.errors import Problem


class Place(Protocol):
    @property
    def processes(self) -> HostProcesses: ...

    async def engine(self) -> Engine | None:
        """The engine, kept open between looks; None while none answers."""
        ...

    async def leave_engine(self) -> None:
        """It did not answer: the next look opens it anew."""
        ...

    async def check(self) -> None:
        """Raise the problem of a machine that is not reached any more: then nothing is known of its engine."""
        ...


class _Kept:
    """An engine that is opened at first need."""

    def __init__(self, opened: Callable[[], Awaitable[Engine]]) -> None:
        self._opened = opened
        self._engine: Engine | None = None

    async def engine(self) -> Engine | None:
        if self._engine is None:
            with contextlib.suppress(Problem):
                self._engine = await self._opened()
        return self._engine

    async def leave_engine(self) -> None:
        if self._engine is not None:
            await self._engine.close()
            self._engine = None


class LocalPlace(_Kept):
    def __init__(self, root: Path, docker_host: str | None) -> None:
        super().__init__(lambda: Engine.connect(own_engine(docker_host)))
        self.processes: HostProcesses = LocalProcesses(root)

    async def check(self) -> None:
        """We are here."""


class RemotePlace(_Kept):
    def __init__(self, remote: Remote) -> None:
        super().__init__(lambda: open_engine(remote.host))
        self.processes: HostProcesses = remote.processes
        self._host = remote.host

    async def check(self) -> None:
        if await self._host.lost():
            raise refusals.cut(self._host.login)
