"""The host that an order is carried out on: its engine (if one answers), its edge, its processes, its directories."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from quarterdeck.deploy.execution.order import TargetOrder
from quarterdeck.fleet.docker import system
from quarterdeck.fleet.docker.address import engine_address
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.kernel.errors import Problem


@dataclass(slots=True)
class Target:
    """Open one with `await Target.open(order, edges)`, or `async with`. `engine` is None where none answers; the edge
    is the process's own.
    """

    order: TargetOrder
    root: Path
    engine: Engine | None
    engine_problem: Problem | None
    edge: Edge | None
    processes: Processes

    @classmethod
    async def open(cls, order: TargetOrder, edges: Edges) -> Self:
        root = Path(order.root)
        _enter(root)
        engine, problem = None, None
        environment = {**os.environ, **({"DOCKER_HOST": order.docker_host} if order.docker_host else {})}
        try:
            engine = await Engine.connect(engine_address(environment))
        except Problem as error:
            problem = error
        edge = (
            edges.at(root, http_port=order.edge_http_port, https_port=order.edge_https_port)
            if order.edge_enabled
            else None
        )
        return cls(order, root, engine, problem, edge, Processes(root))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connection to the engine, nothing on the host."""
        if self.engine is not None:
            await self.engine.close()

    def work(self, deployment: str) -> Path:
        """The directory of one attempt."""
        return self.root / "deployments" / deployment

    async def named_ports(self) -> frozenset[int]:
        """Ports that the edge's upstream files name: nobody else may listen there, or strangers would be led to him."""
        if self.edge is None:
            return frozenset()
        upstreams = [await self.edge.upstream(route) for route in await self.edge.routes()]
        ports = (upstream.rpartition(":")[2] for upstream in upstreams if upstream and ":" in upstream)
        return frozenset(int(port) for port in ports if port.isdigit())

    def need_engine(self) -> Engine:
        """The engine, or the reason why there is none."""
        if self.engine is None:
            assert self.engine_problem is not None  # noqa: S101 - one of the two is set by `open`
            raise self.engine_problem
        return self.engine

    async def memory(self, *, contained: bool) -> int:
        """Bytes of memory of what runs applications: of the engine's host, or of this one."""
        if contained:
            return (await system.info(self.need_engine())).mem_total
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _enter(root: Path) -> None:
    """The directories that other users of the machine come by: applications may pass through to their own release,
    nobody may see which others there are, and nobody has anything to do with sources.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o711)
    for name, mode in (("releases", 0o711), ("deployments", 0o700)):
        directory = root / name
        directory.mkdir(exist_ok=True, mode=mode)
        if directory.stat().st_mode & 0o777 != mode:  # of an earlier version, or narrowed by a umask
            directory.chmod(mode)


def labels(order: TargetOrder, deployment: str, resource: str) -> dict[str, str]:
    """Marks of everything that we create in an engine, by which it is found again."""
    return {
        "quarterdeck.managed": "true",
        "quarterdeck.instance": order.instance,
        "quarterdeck.deployment": deployment,
        "quarterdeck.resource": resource,
    }
