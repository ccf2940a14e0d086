"""The host that an order is carried out on: its engine (if one answers), its edge, its processes, its directories.

Which kind of host it is nobody needs to know who has one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from quarterdeck.deploy.execution.order import TargetOrder
from quarterdeck.deploy.execution.turns import turn
from quarterdeck.deploy.stacks.containers import ATTEMPT, SERVICE
from quarterdeck.fleet.docker import system
from quarterdeck.fleet.docker.address import own_engine
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.transport import dialed_transport
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.processes.hosted import HostProcesses, HostReleases, LocalProcesses, LocalReleases
from quarterdeck.fleet.targets.engines import NoEngine, not_to_be_used, open_engine
from quarterdeck.fleet.targets.host import Host, LocalHost
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.kernel import disk
from quarterdeck.kernel.answers import whole
from quarterdeck.kernel.errors import Problem, Unavailable

UNIX = "unix://"
PASSABLE, OWN = 0o711, 0o700
ENGINE_PAUSE = 1.0


@dataclass(slots=True)
class Target:
    """`async with opened(order, edges)` makes one. `root` is the target directory on the host, `workspace` where this
    process keeps sources for it. `engine` is None where none answers; the edge is the process's own.
    """

    order: TargetOrder
    root: Path
    workspace: Path
    host: Host
    engine: Engine | None
    engine_problem: Problem | None
    edge: Edge | None
    processes: HostProcesses
    releases: HostReleases
    remote: Remote | None = None

    def work(self, deployment: str) -> Path:
        """The directory of one attempt in the workspace."""
        return self.workspace / "deployments" / deployment

    @contextlib.asynccontextmanager
    async def turn(self, deployment: str) -> AsyncIterator[None]:
        """One execution of a deployment at a time, whichever process it is in."""
        async with contextlib.AsyncExitStack() as turns:
            await turns.enter_async_context(turn(self.workspace, deployment))
            if self.remote is not None:
                await turns.enter_async_context(self.remote.turn(deployment))
            yield

    async def lost(self) -> bool:
        """Whether the host cannot be spoken to any more over the connection that there was."""
        return self.remote is not None and await self.remote.host.lost()

    def reach(self, address: str, port: int) -> httpx.AsyncBaseTransport | None:
        """The way of HTTP requests to a place as the host sees it; None is the plain one."""
        return None if self.remote is None else dialed_transport(self.host.dialer, _place(address, port))

    async def accepts(self, address: str, port: int) -> bool:
        """Whether somebody takes a connection at a place as the host sees it."""
        try:
            _, writer = await self.host.dialer.open(_place(address, port))
        except OSError:
            return False
        writer.close()
        return True

    async def named_ports(self) -> frozenset[int]:
        """Ports that the edge's upstream files name: nobody else may listen there, or strangers would be led to him."""
        if self.edge is None:
            return frozenset()
        upstreams = [await self.edge.upstream(route) for route in await self.edge.routes()]
        ports = (upstream.rpartition(":")[2] for upstream in upstreams if upstream and ":" in upstream)
        return frozenset(number for port in ports if (number := whole(port)) is not None)

    @property
    def engine_is_there(self) -> bool:
        """Whether the engine is on the host itself, so that the addresses of its containers can be reached from it."""
        return self.engine is not None and self.engine.address.startswith(UNIX)

    @property
    def patience(self) -> float:
        """Seconds that a connection to a place of the host may take."""
        return 1.0 if self.remote is None else 5.0

    def need_engine(self) -> Engine:
        """The engine, or the reason why there is none."""
        if self.engine is None:
            assert self.engine_problem is not None  # noqa: S101 - one of the two is set by `opened`
            raise self.engine_problem
        return self.engine

    @property
    def engine_refusal(self) -> Problem | None:
        """Why nothing new may be put into the engine; what is in it is still stopped, followed and cleared away."""
        return not_to_be_used(self.order.engine_refused) if self.order.engine_refused else self.engine_problem

    async def need_processes(self) -> None:
        """Raise `ProviderFailure` (`remote_python_missing`) where no host process can be looked after."""
        if self.remote is not None:
            await self.remote.steward.check()

    @property
    def search_path(self) -> str:
        """Where the host looks for programs."""
        if self.remote is not None:
            return self.remote.machine.path
        return os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")

    async def has_program(self, name: str) -> bool:
        if self.remote is None:
            return shutil.which(name) is not None
        return (await self.host.run(["sh", "-c", 'command -v "$1"', "look", name])).status == 0

    async def memory(self, *, contained: bool) -> int:
        """Bytes of memory of what runs applications: of the engine's host, or of the host itself."""
        if contained:
            return (await system.info(self.need_engine())).mem_total
        if self.remote is not None:
            return await self.remote.memory()
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    async def require_room(self, least_free: float) -> None:
        """Refuse what needs new room on a disk that is nearly full, before the database on it suffers."""
        disk.require(self.workspace, least_free)
        if self.remote is None:
            return
        free = await self.remote.free()
        low = disk.shortage(self.root, free, least_free) if free is not None else None
        if low is not None:
            raise Unavailable(f"{self.remote.host.login.called}: {low.message}", code=low.code, hint=low.hint)


@contextlib.asynccontextmanager
async def opened(
    order: TargetOrder, edges: Edges, *, comes_up: Callable[[], bool] = lambda: False
) -> AsyncIterator[Target]:
    """The host, for as long as the block lasts; nothing on it ends with the block. Raises the problem of a server that
    cannot be signed in to. For as long as it `comes_up`, an engine behind SSH that does not answer is asked again: a
    server that boots lets one sign in before its engine is there.
    """
    async with _over_ssh(order, edges, comes_up) if order.ssh is not None else _here(order, edges) as target:
        try:
            yield target
        finally:
            if target.engine is not None:
                await target.engine.close()


@contextlib.asynccontextmanager
async def _here(order: TargetOrder, edges: Edges) -> AsyncIterator[Target]:
    root = Path(order.root)
    _enter(root, {"releases": PASSABLE, "deployments": OWN})
    engine, problem = None, None
    try:
        engine = await Engine.connect(own_engine(order.docker_host))
    except Problem as error:
        problem = error
    edge = None
    if order.edge_enabled:
        edge = edges.at(root, http_port=order.edge_http_port, https_port=order.edge_https_port)
    yield Target(order, root, root, LocalHost(), engine, problem, edge, LocalProcesses(root), LocalReleases(root))


@contextlib.asynccontextmanager
async def _over_ssh(order: TargetOrder, edges: Edges, comes_up: Callable[[], bool]) -> AsyncIterator[Target]:
    assert order.ssh is not None  # noqa: S101 - asked by the caller
    workspace = edges.workspace
    _enter(workspace, {"deployments": OWN})
    async with edges.over(order.ssh.login()) as remote:
        await remote.enter(order.instance)
        engine, problem = None, None
        while engine is None:
            try:
                engine = await open_engine(remote.host)
            except Problem as error:
                if await remote.host.lost():
                    raise
                problem = error
                if isinstance(error, NoEngine) or not comes_up():
                    break
                await asyncio.sleep(ENGINE_PAUSE)
        edge = remote.edge if order.edge_enabled else None
        yield Target(
            order, remote.root, workspace, remote.host, engine, problem, edge, remote.processes, remote.releases,
            remote
        )  # fmt: skip


def _enter(root: Path, directories: dict[str, int]) -> None:
    """The directories that other users of the machine come by: applications may pass through to their own release,
    nobody may see which others there are, and nobody has anything to do with sources.
    """
    root.mkdir(parents=True, exist_ok=True, mode=PASSABLE)
    for name, mode in directories.items():
        directory = root / name
        directory.mkdir(exist_ok=True, mode=mode)
        if directory.stat().st_mode & 0o777 != mode:  # of an earlier version, or narrowed by a umask
            directory.chmod(mode)


def _place(address: str, port: int) -> str:
    return f"tcp://[{address}]:{port}" if ":" in address else f"tcp://{address}:{port}"


def labels(order: TargetOrder, deployment: str, resource: str) -> dict[str, str]:
    """Marks of everything that we create in an engine, by which it is found again. Those of a stack's services are
    empty: a container inherits from its image, which may come from anywhere, what it does not say itself.
    """
    return {
        "quarterdeck.managed": "true",
        "quarterdeck.instance": order.instance,
        "quarterdeck.deployment": deployment,
        "quarterdeck.resource": resource,
        SERVICE: "",
        ATTEMPT: "",
    }
