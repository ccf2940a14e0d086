"""Where runtimes are watched: this machine, or a server at the end of a connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from quarterdeck.deploy.execution.operating import built_images
from quarterdeck.deploy.observation.observations import Served
from quarterdeck.fleet.docker import images, system
from quarterdeck.fleet.docker.address import own_engine
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.processes.hosted import HostProcesses, LocalProcesses
from quarterdeck.fleet.processes.releases import Releases
from quarterdeck.fleet.targets import refusals
from quarterdeck.fleet.targets.engines import open_engine
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.kernel.bus import Subscription
from quarterdeck.kernel.errors import Problem

log = structlog.get_logger("quarterdeck.observation")
CHANGES = ("create", "start", "restart", "die", "stop", "kill", "oom", "pause", "unpause", "destroy", "health_status")
"""What may happen to a container that changes how it is: neither commands that run in it nor who looks at it."""


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

    async def holds(self, one: Served) -> bool:
        """Whether something there shows that a runtime was put there, when none of its containers does."""
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
    """The server's own machine, with the target directory `root`. With `restored_since`, which says whether a backup
    was restored here at or after an instant, servers of other machines may work on the same database, one after the
    other: what they have put on theirs is not here, though it is on "this machine" in their words, too (docs/adr/0039).
    """

    def __init__(
        self, root: Path, docker_host: str | None, restored_since: Callable[[datetime], bool] | None = None
    ) -> None:
        super().__init__(lambda: Engine.connect(own_engine(docker_host)))
        self.processes: HostProcesses = LocalProcesses(root)
        self._releases = Releases(root)
        self._restored_since = restored_since

    async def check(self) -> None:
        """We are here."""

    async def holds(self, one: Served) -> bool:
        """By its process's record, its release, an image that was built for it; or because a backup that was restored
        here puts this directory in the place of the one that it was deployed from.
        """
        if self._restored_since is None or (one.asked_at is not None and self._restored_since(one.asked_at)):
            return True
        if one.runtime.get("kind") == "container":
            return await self._has_built(one)
        if await self.processes.find(str(one.runtime.get("instance") or one.deployment)) is not None:
            return True
        name = Path(str(one.artifact.get("directory") or one.deployment)).name
        return await asyncio.to_thread(self._releases.directory(name).exists)

    async def _has_built(self, one: Served) -> bool:
        engine = await self.engine()
        if engine is None:
            return False
        return any([await images.find(engine, name) is not None for name in built_images(one.artifact)])


class RemotePlace(_Kept):
    """A server. What happens to containers there is told by its engine, so that nobody has to ask all the time."""

    def __init__(self, remote: Remote) -> None:
        super().__init__(lambda: open_engine(remote.host))
        self.processes: HostProcesses = remote.processes
        self.stirred = asyncio.Event()
        """Set when something has happened there, or when nobody would tell any more."""
        self._host = remote.host
        self._listening: asyncio.Task[None] | None = None

    @property
    def told(self) -> bool:
        """Whether what happens to containers is told."""
        return self._listening is not None and not self._listening.done()

    async def engine(self) -> Engine | None:
        found = await super().engine()
        if found is not None and not self.told:
            self._listening = asyncio.create_task(self._listen(found))
        return found

    async def leave_engine(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None
        await super().leave_engine()

    async def _listen(self, engine: Engine) -> None:
        try:
            happening = system.events(engine, {"quarterdeck.managed": "true"}, type="container", event=list(CHANGES))
            async with contextlib.aclosing(happening) as told:
                async for _ in told:
                    self.stirred.set()
        except Problem as problem:
            log.info("engine_tells_nothing", code=problem.code)
        finally:
            self.stirred.set()

    async def pause(self, inbox: Subscription, seconds: float) -> bool:
        """Wait until a wake-up comes, something happens there, or so many seconds have passed. Answers whether one of
        the first two was it.
        """
        told, stirred = asyncio.create_task(inbox.get(max(seconds, 0))), asyncio.create_task(self.stirred.wait())
        try:
            await asyncio.wait((told, stirred), return_when=asyncio.FIRST_COMPLETED)
            return stirred.done() or (told.done() and told.result() is not None)
        finally:
            for one in (told, stirred):
                one.cancel()
            await asyncio.gather(told, stirred, return_exceptions=True)
            self.stirred.clear()

    async def check(self) -> None:
        if await self._host.lost():
            raise refusals.cut(self._host.login)

    async def holds(self, one: Served) -> bool:
        return True
