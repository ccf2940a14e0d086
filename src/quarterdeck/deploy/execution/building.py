"""Where images are built, and how they come to where they run: out of one engine into the other, through us, and on no
disk on the way. What arrives has to be what was built.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target, opened
from quarterdeck.fleet.docker import images, system
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.targets.engines import not_to_be_used
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.errors import Invalid, Problem, ProviderFailure
from quarterdeck.kernel.faults import point

T = TypeVar("T")
PATIENCE_SECONDS = 300.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
STALE_SECONDS = 30.0
"""Within so many seconds a kept connection whose other end is gone is known to be dead, and a new one is tried."""
MEGABYTE = 1_000_000
AWAY = frozenset({"ssh_connection_lost", "ssh_unreachable", "docker_unavailable"})


@dataclass(slots=True)
class Yard:
    """`engine` builds, `home` runs; both are one unless the order names a build server. `moved` are the names of what
    was built elsewhere.
    """

    engine: Engine
    home: Engine
    name: str = ""
    moved: list[str] = field(default_factory=list)

    @property
    def elsewhere(self) -> bool:
        return self.engine is not self.home

    async def bring(self, image: dict[str, Any], report: Reporter) -> dict[str, Any]:
        """Have a built image where it runs. Answers it as that engine knows it; raises `ProviderFailure`
        (`image_moved_differs`) when something else arrived.
        """
        if not self.elsewhere:
            return image
        ident, reference = str(image["image"]), str(image["reference"])
        self.moved.append(reference)
        if await images.find(self.home, ident) is None:
            report.say(f"Bringing {reference} from {self.name}, {int(image['size']) / MEGABYTE:.0f} MB")
            point("image.move")
            await images.load(self.home, images.save(self.engine, reference))
            point("image.moved")
        arrived = await images.find(self.home, ident)
        if arrived is None:
            # Another kind of image store names the same image by another digest: what it holds decides.
            arrived = await images.find(self.home, reference)
            same = arrived is not None and await self._same(ident, arrived.id)
            if arrived is None or not same:
                raise ProviderFailure(
                    f"What arrived as {reference} is not what {self.name} has built.",
                    code="image_moved_differs",
                    hint="Deploy again. If it happens again, compare `docker version` of both servers.",
                )
        return {**image, "image": arrived.id}

    async def _same(self, built: str, arrived: str) -> bool:
        return await images.content(self.engine, built) == await images.content(self.home, arrived)

    async def tidy(self) -> None:
        """Nothing but its build cache stays where it was built. What cannot be removed now carries our marks."""
        for reference in self.moved:
            with contextlib.suppress(Problem):
                point("image.leave")
                await images.remove(self.engine, reference, force=True)
                point("image.left")


@contextlib.asynccontextmanager
async def yard(target: Target, order: DeploymentOrder, edges: Edges) -> AsyncIterator[Yard]:
    """Raises the problem of a build server that cannot be signed in to or has no engine, and `Invalid`
    (`build_architecture_differs`).
    """
    home = target.need_engine()
    if order.build is None:
        yield Yard(home, home)
        return
    if order.build.engine_refused:
        raise not_to_be_used(order.build.engine_refused)
    async with opened(order.build, edges) as builder:
        engine = builder.need_engine()
        name = order.build_name or "the build server"
        made_for, runs_on = [(await system.info(one)).architecture for one in (engine, home)]
        if made_for != runs_on:
            raise Invalid(
                f"{name} builds for {made_for}, and the application runs on {runs_on}.",
                code="build_architecture_differs",
                hint="Build on a server of the same architecture, or where it runs.",
            )
        place = Yard(engine, home, name)
        try:
            yield place
        except Problem as problem:
            # An engine that goes away in the middle and a connection that does are told apart by the connection.
            if problem.code in AWAY and await builder.lost():
                raise ProviderFailure(
                    f"The connection to {name} was cut.",
                    code="ssh_connection_lost",
                    hint="Deploy again when it can be reached.",
                ) from problem
            raise
        finally:
            await place.tidy()


async def patiently(
    work: Callable[[Yard], Awaitable[T]],
    target: Target,
    order: DeploymentOrder,
    edges: Edges,
    report: Reporter,
    clock: Clock | None = None,
) -> T:
    """What `work` makes in a yard, begun anew when the connection to the build server is cut and comes back. A server
    that was away before anything began there is not waited for.
    """
    clock, pause = clock or SystemClock(), FIRST_PAUSE
    came = clock.monotonic()
    since: float | None = None
    begun = False
    while True:
        try:
            async with yard(target, order, edges) as place:
                begun = True
                return await work(place)
        except Problem as problem:
            if order.build is None or problem.code not in AWAY:
                raise
            if await target.lost():
                raise  # whoever waits for the server itself begins anew
            now, cut = clock.monotonic(), problem.code == "ssh_connection_lost"
            if since is None and (not cut or (not begun and now - came > STALE_SECONDS)):
                raise  # it was never there
            if since is not None and now - since > PATIENCE_SECONDS:
                raise
            if since is None and begun:
                since = now
                report.say(f"{order.build_name} was cut off: building again when it is back.", level="warn")
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
