"""What we have left on a server behind SSH, and taking it away again.

What belongs to this installation is told by its marks: labels in the engine, references of deployments and resources
elsewhere. The edge, the programs and the directories are shared with other installations that use the same account, and
go with the last one of them. A volume is never touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace

from quarterdeck.fleet.docker import containers, images, networks, volumes
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.engines import removing
from quarterdeck.fleet.engines.running import Running
from quarterdeck.fleet.engines.seeing import look
from quarterdeck.fleet.targets.engines import open_engine
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.kernel.errors import Conflict, Problem, ProviderFailure
from quarterdeck.kernel.faults import point

LABEL = "quarterdeck.instance"
OURS = ("deployments", "edge", "engine", "installations", "locks", "processes", "program", "releases")
CONTROL_PLANE = "master.key"
REMOVE_SECONDS = 120.0
TRIES = 15
VOLUME = "Volumes hold data, and are never removed. On that machine: docker volume rm"
ASKED = f"Quarterdeck installed it. Add --engine to remove it, too. {removing.DATA}"
SHARED = "Another installation of Quarterdeck uses it."


@dataclass(frozen=True, slots=True)
class Left:
    """One thing that is there. `kept` says why it stays; `of` is the deployment or resource that it belongs to."""

    kind: str
    name: str
    removed: bool = False
    kept: str | None = None
    of: str | None = None


Known = Callable[[Collection[str]], Awaitable[frozenset[str]]]
"""Which of these references of deployments and resources are this installation's."""


async def find(remote: Remote, instance: str, known: Known, *, engine: bool = False) -> list[Left]:
    """All that is there and ours, in the order in which it can be removed; the engine, if we have installed it, stays
    unless it is asked for. Raises `Conflict` for a machine that runs a
    control plane in the same place, and the problem of an engine that is there and does not answer.
    """
    if (await remote.host.run(["test", "-e", str(remote.root.parent / CONTROL_PLANE)])).status == 0:
        raise Conflict(
            f"{remote.host.login.host} runs a control plane itself, from the same directory.",
            code="server_in_use",
            hint="Sign in to it as another account, or uninstall that control plane.",
        )
    found = await _in_engine(remote, instance)
    routes = list(await remote.edge.routes())
    processes = [status.instance for status in await remote.processes.list()]
    releases = list(await remote.files.list(remote.root / "releases"))
    ours = await known([name.split(".", 1)[0] for name in [*routes, *processes, *releases]])
    alone = not [one for one in await remote.installations() if one != instance]
    for kind, names in (("route", routes), ("process", processes), ("release", releases)):
        refs = {name: name.split(".", 1)[0] for name in names}
        found += [Left(kind, name, of=refs[name]) for name in names if alone or refs[name] in ours]
    kept = None if alone else SHARED
    if await remote.edge.answers():
        found.append(Left("edge", "Caddy", kept=kept))
    found += await _installed(remote, instance, alone=alone, asked=engine)
    there = await remote.host.run(["sh", "-c", 'cd "$1" && shift && ls -d "$@"', "ls", str(remote.root), *OURS])
    return [*found, *(Left("directory", str(remote.root / name), kept=kept) for name in there.text.split())]


async def _installed(remote: Remote, instance: str, *, alone: bool, asked: bool) -> list[Left]:
    seen = await look(remote.host)
    if seen.mark is None:
        return []
    kept = await removing.why_kept(remote.host, seen, instance, LABEL) or (None if alone else SHARED)
    return [
        Left("engine", f"{seen.mark.package} {seen.version or ''}".rstrip(), kept=kept or (None if asked else ASKED))
    ]


async def _in_engine(remote: Remote, instance: str) -> list[Left]:
    mark = {LABEL: instance}
    engine = await _engine(remote)
    if engine is None:
        return []
    async with engine:
        return [
            *(_container(row) for row in await containers.listed(engine, mark)),
            *(Left("network", row.name) for row in await networks.listed(engine, mark)),
            *(Left("image", row.id) for row in await images.listed(engine, mark)),
            *(Left("volume", row.name, kept=VOLUME) for row in await volumes.listed(engine, mark)),
        ]


def _container(row: containers.Listed) -> Left:
    """A service of a stack names its resource alone."""
    owner = row.labels.get("quarterdeck.deployment") or row.labels.get("quarterdeck.resource")
    return Left("container", row.names[0].lstrip("/"), of=owner)


async def _engine(remote: Remote) -> Engine | None:
    """None where there is none; one that does not answer may hold things of ours."""
    try:
        return await open_engine(remote.host)
    except Problem as problem:
        if problem.message.startswith("There is no Docker engine"):
            return None
        raise


async def remove(remote: Remote, found: Collection[Left]) -> list[Left]:
    """Take it away, one after the other. What cannot be removed stays with the reason; a repeat goes on from there."""
    done: list[Left] = []
    for one in found:
        if one.kept is not None:
            done.append(one)
            continue
        point("uninstall.remove")
        try:
            await _remove(remote, one)
        except Problem as problem:
            if await remote.host.lost():
                raise
            done.append(replace(one, kept=problem.message))
        else:
            done.append(replace(one, removed=True))
        point("uninstall.removed")
    if not [one for one in done if one.kept is not None and one.kind not in {"volume", "engine"}]:
        # What is empty now goes too; nothing else is ours.
        await remote.host.run(["rmdir", "--ignore-fail-on-non-empty", str(remote.root), str(remote.root.parent)])
        remote.left()
    return done


async def _remove(remote: Remote, one: Left) -> None:
    if one.kind == "route":
        await remote.edge.remove_route(one.name)
    elif one.kind == "process":
        await remote.processes.remove(one.name)
    elif one.kind == "release":
        await remote.releases.remove(one.name)
    elif one.kind == "edge":
        await remote.edge.stop()
    elif one.kind == "engine":
        await removing.remove(Running(remote.host, remote.root / "engine", lambda _lines: None, asyncio.sleep))
    elif one.kind == "directory":
        ran = await remote.host.run(["rm", "-rf", "--", one.name], seconds=REMOVE_SECONDS)
        if ran.status != 0:
            raise ProviderFailure(
                f"{one.name} could not be removed whole.",
                code="remote_file_refused",
                hint="Look there who owns what is left, remove it, and uninstall again.",
            )
    else:
        engine = await _engine(remote)
        if engine is None:
            return
        async with engine:
            if one.kind == "container":
                await _remove_container(engine, one.name)
            elif one.kind == "network":
                await networks.remove(engine, one.name)
            else:
                await images.remove(engine, one.name, force=True)


async def _remove_container(engine: Engine, name: str) -> None:
    """What is cleared away by somebody else at the same moment is waited for."""
    for _ in range(TRIES):
        try:
            await containers.remove(engine, name)
        except Conflict:
            await asyncio.sleep(1)
        if await containers.find(engine, name) is None:
            return
    raise Conflict(f"Docker does not remove {name}.", hint="Look at it there: docker inspect", code="docker_conflict")
