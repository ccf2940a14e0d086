"""What we have left on a server behind SSH, and taking it away again.

What belongs to this installation is told by its marks: labels in the engine, references of deployments and resources
elsewhere. The edge, the programs and the directories are shared with other installations that use the same account, and
go with the last one of them. A volume is never touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace

import msgspec

from quarterdeck.fleet.docker import containers, images, networks, volumes
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.engines import removing
from quarterdeck.fleet.engines.running import Running
from quarterdeck.fleet.engines.seeing import look
from quarterdeck.fleet.processes import accounts
from quarterdeck.fleet.targets.engines import NoEngine, open_engine
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.kernel.errors import Conflict, Problem, ProviderFailure
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.unreadable import UNREADABLE

LABEL = "quarterdeck.instance"
OURS = ("deployments", "edge", "engine", "installations", "locks", "processes", "program", "releases")
REMOVE_SECONDS = 120.0
TRIES, DIRECTORY_TRIES = 15, 3
WORDS = 300  # of what the server's own commands say, at most
VOLUME = "Volumes hold data, and are never removed. On that machine: docker volume rm"
ASKED = f"Quarterdeck installed it. Add --engine to remove it, too. {removing.DATA}"
ENGINE, SILENT = "engine", "silent-engine"
UNSEEN = "Containers, networks and images may be left in it: uninstall again when Docker runs."
DATA = """
for one in /var/lib/docker "$HOME/.local/share/docker"; do
  [ -z "$(ls -A "$one/containers" 2>&-)" ] || exit 0
done
exit 1
"""
STAYS = (ENGINE, SILENT, "volume")
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
    unless it is asked for. An engine that is or was there and does not answer stands among it as one thing that stays
    (`SILENT`): nobody knows what it holds. Raises `Conflict` for a machine that runs a control plane in the same place.
    """
    await remote.refuse_control_plane()
    found = await _seen(remote, instance)
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
    found += (Left("directory", str(remote.root / name), kept=kept) for name in there.text.split())
    return [*found, *await _numbers(remote, kept)]


async def _numbers(remote: Remote, kept: str | None) -> list[Left]:
    """The host's book of user numbers, which stays as long as a directory of somebody else is in it (ADR 0047)."""
    said = await remote.host.run(["cat", str(accounts.PLACE)])
    if said.status != 0:
        return []
    try:
        places = list(msgspec.json.decode(said.stdout, type=accounts.Kept)["directories"])
    except UNREADABLE:
        return [Left("directory", str(accounts.PLACE.parent), kept=f"{accounts.PLACE.name} is damaged: look at it.")]
    home = (await remote.host.run(["readlink", "-f", str(remote.root)])).text.strip()
    others = [one for one in places if not one.startswith((f"{home}/", f"{remote.root}/"))]
    for one in others:
        if kept is None and (await remote.host.run(["test", "-e", one])).status == 0:
            kept = SHARED
    return [Left("directory", str(accounts.PLACE.parent), kept=kept)]


async def _seen(remote: Remote, instance: str) -> list[Left]:
    """What the engine has of ours, or that it could not be asked."""
    try:
        return await _in_engine(remote, instance)
    except NoEngine:
        if not await _had_engine(remote):
            return []
        why = "Docker is not installed there any more; what it held of ours still lies in its directory."
    except Problem as problem:
        if await remote.host.lost():
            raise
        why = f"It could not be looked at: {problem.message}"
    return [Left(SILENT, "Docker", kept=f"{why} {UNSEEN}")]


async def _had_engine(remote: Remote) -> bool:
    """Whether an engine that was removed has left its containers."""
    looked = await remote.host.run(["sh", "-c", DATA])
    return looked.status == 0


async def _installed(remote: Remote, instance: str, *, alone: bool, asked: bool) -> list[Left]:
    seen = await look(remote.host)
    if seen.mark is None:
        return []
    kept = await removing.why_kept(remote.host, seen, instance, LABEL) or (None if alone else SHARED)
    return [Left(ENGINE, f"{seen.mark.package} {seen.version or ''}".rstrip(), kept=kept or (None if asked else ASKED))]


async def _in_engine(remote: Remote, instance: str) -> list[Left]:
    mark = {LABEL: instance}
    async with await open_engine(remote.host) as engine:
        return [
            *(_container(row) for row in await containers.listed(engine, mark)),
            *(Left("network", row.name) for row in await networks.listed(engine, mark)),
            *(Left("image", row.id) for row in await images.listed(engine, mark)),
            *(Left("volume", row.name, kept=VOLUME) for row in await volumes.listed(engine, mark)),
        ]


def _container(row: containers.Listed) -> Left:
    """A service of a stack names its resource alone."""
    owner = row.labels.get("quarterdeck.deployment") or row.labels.get("quarterdeck.resource")
    return Left("container", (row.names or [row.id])[0].lstrip("/"), of=owner)


async def remove(remote: Remote, instance: str, found: Collection[Left]) -> list[Left]:
    """Take it away, one after the other. What cannot be removed stays with the reason; a repeat goes on from there."""
    done: list[Left] = []
    for one in found:
        if one.kept is not None:
            done.append(one)
            continue
        point("uninstall.remove")
        try:
            kept = await _remove(remote, instance, one)
        except Problem as problem:
            if await remote.host.lost():
                raise
            done.append(replace(one, kept=problem.message))
        else:
            done.append(replace(one, removed=kept is None, kept=kept))
        point("uninstall.removed")
    if not [one for one in done if one.kept is not None and one.kind not in STAYS]:
        # What is empty now goes too; nothing else is ours.
        await remote.host.run(["rmdir", "--ignore-fail-on-non-empty", str(remote.root), str(remote.root.parent)])
        remote.left()
    return done


async def _remove(remote: Remote, instance: str, one: Left) -> str | None:
    """Why it has to stay, which may have come meanwhile."""
    if one.kind == "route":
        await remote.edge.remove_route(one.name)
    elif one.kind == "process":
        await remote.processes.remove(one.name)
    elif one.kind == "release":
        await remote.releases.remove(one.name)
    elif one.kind == "edge":
        await remote.edge.stop()
    elif one.kind == ENGINE:
        running = Running(remote.host, remote.root / "engine", lambda _lines: None, asyncio.sleep)
        return await removing.remove(running, instance, LABEL)
    elif one.kind == "directory":
        await _remove_directory(remote, one.name)
    else:
        async with await open_engine(remote.host) as engine:
            if one.kind == "container":
                await _remove_container(engine, one.name)
            elif one.kind == "network":
                await _patiently(lambda: networks.remove(engine, one.name), TRIES)
            else:
                await _patiently(lambda: images.remove(engine, one.name, force=True), TRIES)
    return None


async def _patiently(remove: Callable[[], Awaitable[object]], tries: int) -> None:
    """Work that was accepted before we came ends at the same moment: what it still holds or clears is tried again."""
    for left in reversed(range(tries)):
        try:
            await remove()
        except (Conflict, ProviderFailure):
            if not left:
                raise
            await asyncio.sleep(1)
        else:
            return


async def _remove_directory(remote: Remote, path: str) -> None:
    async def once() -> None:
        ran = await remote.host.run(["rm", "-rf", "--", path], seconds=REMOVE_SECONDS)
        if ran.status != 0:
            raise ProviderFailure(
                f"{path} could not be removed whole: {ran.stderr.decode(errors='replace').strip()[-WORDS:]}",
                code="remote_file_refused",
                hint="Look there who owns what is left, remove it, and uninstall again.",
            )

    await _patiently(once, DIRECTORY_TRIES)


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


def unseen(found: Collection[Left]) -> Left | None:
    """The engine that could not be looked at, if so."""
    return next((one for one in found if one.kind == SILENT), None)


def is_whole(done: Collection[Left]) -> bool:
    """Whether all of ours went that could be: what others use and what is never removed aside."""
    return all(one.removed or one.kept == SHARED or one.kind in STAYS for one in done)
