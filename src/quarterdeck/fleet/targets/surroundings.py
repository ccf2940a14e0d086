"""What else goes on at a machine: its edge, containers that are not ours, other installations. Nothing is changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from quarterdeck.fleet.docker import containers
from quarterdeck.fleet.docker.address import EngineAddress
from quarterdeck.fleet.edge.edge import Edge, EdgeStatus
from quarterdeck.fleet.targets.engines import open_engine
from quarterdeck.fleet.targets.host import Host
from quarterdeck.fleet.targets.uninstalling import LABEL
from quarterdeck.kernel.errors import Problem

MOST = 50


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A container that runs there without our mark; `state` is the engine's word."""

    name: str
    image: str
    state: str


@dataclass(slots=True)
class Surroundings:
    """`engine` says whether one answered, `ours` counts the containers with our mark, `further` those of others that do
    not run or that are too many to name. `problems` say in sentences what could not be looked at.
    """

    edge: EdgeStatus | None = None
    engine: bool = False
    ours: int = 0
    neighbours: list[Neighbour] = field(default_factory=list)
    further: int = 0
    installations: int = 0
    problems: list[str] = field(default_factory=list)


async def look(
    host: Host, edge: Edge, engine: EngineAddress | None, instance: str, installations: Sequence[str] = ()
) -> Surroundings:
    """`instance` is the mark of this installation, `installations` those that have worked there with this account."""
    found = Surroundings(installations=len([one for one in installations if one != instance]))

    async def look_at_edge() -> None:
        found.edge = await edge.status()

    async def look_at_engine() -> None:
        async with await open_engine(host, engine) as there:
            rows = await containers.listed(there)
        found.engine = True
        others = [row for row in rows if row.labels.get(LABEL) != instance]
        found.ours = len(rows) - len(others)
        running = [row for row in others if row.state == "running"]
        found.neighbours = [Neighbour(_name(row), row.image, row.state) for row in running[:MOST]]
        found.further = len(others) - len(found.neighbours)

    await _part(found, look_at_edge)
    await _part(found, look_at_engine)
    return found


async def _part(found: Surroundings, work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except Problem as problem:
        found.problems.append(f"{problem.message} {problem.hint or ''}".strip())


def unreached(problem: Problem) -> Surroundings:
    """What is known of a machine that cannot be signed in to."""
    return Surroundings(problems=[f"{problem.message} {problem.hint or ''}".strip()])


def _name(row: containers.Listed) -> str:
    return row.names[0].lstrip("/") if row.names else row.id[:12]
