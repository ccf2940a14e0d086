"""What attempts and resources have left on a host, as values, and taking one of it away. Nothing is decided here.

Engines keep the marks of this installation on what they hold. Elsewhere a name is all that tells whose a thing is: the
reference of an attempt or a resource.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from quarterdeck.deploy.execution import starting
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.stacks.containers import ATTEMPT, SERVICE
from quarterdeck.fleet.capacity.pruning import moment
from quarterdeck.fleet.docker import containers, networks
from quarterdeck.fleet.targets.engines import NoEngine
from quarterdeck.fleet.targets.host import Host
from quarterdeck.kernel import answers
from quarterdeck.kernel.errors import NotFound, Problem, ProviderFailure, Unavailable
from quarterdeck.kernel.faults import point

Kind = Literal["runtime", "service", "network", "release", "workspace", "route", "upstream"]
MANAGED, INSTANCE, DEPLOYMENT = "quarterdeck.managed", "quarterdeck.instance", "quarterdeck.deployment"
NAMED = re.compile(r"\.?((?:dep|res)_[0-9a-z_]+)(?:\..*)?")
LIST = 'cd "$1" 2>/dev/null || exit 0; stat -c "%Y %n" ./* ./.[!.]* 2>/dev/null; true'
REMOVE_SECONDS = 120.0
UNDATED = datetime.max.replace(tzinfo=UTC)
"""Of what does not tell when it was made: never old enough to be taken away."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One thing that is there. A `runtime` is all containers and processes of an attempt, made when the newest of them
    was. `of` is the attempt or resource that it belongs to, empty for a network; `marked`: it says itself that it is
    this installation's.
    """

    kind: Kind
    name: str
    of: str
    made: datetime
    marked: bool = False


@dataclass(slots=True)
class Remains:
    """`unseen` are the parts of a host that could not be looked at, with the reason."""

    traces: list[Trace] = field(default_factory=list)
    unseen: dict[str, str] = field(default_factory=dict)


async def look(target: Target, *, files: bool) -> Remains:
    """All that is there; with `files` also releases and work directories. Raises the problem of a lost connection."""
    found = Remains()
    parts: dict[str, Callable[[Target], Awaitable[list[Trace]]]] = {
        "containers": _in_engine,
        "processes": _processes,
        "routes": _ways,
    }
    if files:
        parts["files"] = _files
    for part, looked in parts.items():
        try:
            found.traces += await looked(target)
        except Problem as problem:
            if await target.lost():
                raise
            found.unseen[part] = problem.message
    found.traces = _merged(found.traces)
    return found


def _merged(traces: Sequence[Trace]) -> list[Trace]:
    """With one runtime for each attempt, and nothing that names nobody."""
    runtimes: dict[str, Trace] = {}
    others = []
    for one in traces:
        if one.kind != "runtime":
            others.append(one)
        elif one.of:
            same = runtimes.get(one.of, one)
            runtimes[one.of] = replace(one, made=max(one.made, same.made), marked=one.marked or same.marked)
    return [*runtimes.values(), *(one for one in others if one.of or one.kind == "network")]


async def _in_engine(target: Target) -> list[Trace]:
    if target.engine is None:
        if isinstance(target.engine_problem, NoEngine):
            return []
        target.need_engine()
    engine, ours = target.need_engine(), {MANAGED: "true", INSTANCE: target.order.instance}
    rows = await containers.listed(engine, ours)
    used = {row.host_config.network_mode for row in rows}
    found = []
    for row in rows:
        made = answers.moment(row.created) or UNDATED
        if row.labels.get(SERVICE):
            found.append(Trace("service", row.id, row.labels.get(ATTEMPT, ""), made, marked=True))
        else:
            attempt = row.labels.get(DEPLOYMENT, "")
            found.append(Trace("runtime", attempt, attempt, made, marked=True))
    for network in await networks.listed(engine, ours):
        created = moment(network.created)
        if network.name not in used and created is not None:
            found.append(Trace("network", network.name, "", created, marked=True))
    return found


async def _processes(target: Target) -> list[Trace]:
    found = []
    for one in await target.processes.list():
        attempt, whose = one.labels.get(DEPLOYMENT, ""), one.labels.get(INSTANCE)
        if not attempt or whose not in {None, target.order.instance}:
            continue
        with contextlib.suppress(NotFound):  # removed meanwhile
            made = await target.processes.placed_at(one.instance)
            found.append(Trace("runtime", attempt, attempt, made, marked=whose is not None))
    return found


async def _files(target: Target) -> list[Trace]:
    releases = await dated(target.host, target.root / "releases")
    sources = await dated(target.host, target.root / "deployments")
    return [*_named("release", releases), *_named("workspace", sources)]


async def _ways(target: Target) -> list[Trace]:
    if target.edge is None:
        return []
    layout = target.edge.layout
    routes = _named("route", await dated(target.host, layout.routes))
    there = {one.of for one in routes}
    loose: dict[str, Trace] = {}
    for directory in (layout.upstreams, layout.candidates):
        for one in _named("upstream", await dated(target.host, directory)):
            if one.of not in there:
                loose[one.of] = replace(one, made=max(one.made, loose.get(one.of, one).made))
    return [*({one.of: one for one in routes}.values()), *loose.values()]


def _named(kind: Kind, entries: Sequence[tuple[str, datetime]]) -> list[Trace]:
    """Entries of a directory that are called after an attempt or a resource."""
    found = []
    for name, made in entries:
        called = NAMED.fullmatch(name)
        if called is not None:
            found.append(Trace(kind, called[1] if kind in {"route", "upstream"} else name, called[1], made))
    return found


async def dated(host: Host, directory: Path) -> list[tuple[str, datetime]]:
    """The entries of a directory and when each was changed, whole seconds; none of a missing one."""
    ran = await host.run(["sh", "-c", LIST, "list", str(directory)])
    found = []
    for line in ran.text.splitlines():
        changed, _, name = line.partition(" ./")
        made = answers.moment(changed)
        if made is not None and name:
            found.append((name, made))
    return found


async def take_away(target: Target, one: Trace) -> None:
    """Remove it, whoever else works on what it belongs to having ended. Raises the `Problem` that kept it there."""
    if not one.of:
        await _take_away(target, one)
        return
    async with target.turn(one.of):
        await _take_away(target, one)


async def _take_away(target: Target, one: Trace) -> None:
    point("orphan.remove")
    if one.kind == "runtime":
        await starting.remove(target, one.of, stop_seconds=starting.STOP_SECONDS)
    elif one.kind == "service":
        await containers.stop(target.need_engine(), one.name, seconds=starting.STOP_SECONDS)
        await containers.remove(target.need_engine(), one.name)
    elif one.kind == "network":
        await networks.remove(target.need_engine(), one.name)
    elif one.kind == "release":
        await target.releases.remove(one.of)
    elif one.kind == "workspace":
        await _remove_directory(target, target.root / "deployments" / one.name)
    elif target.edge is not None:
        await _remove_way(target, one)
    point("orphan.removed")


async def _remove_directory(target: Target, directory: Path) -> None:
    ran = await target.host.run(["rm", "-rf", "--", str(directory)], seconds=REMOVE_SECONDS)
    if ran.status != 0:
        raise ProviderFailure(
            f"{directory} could not be removed whole.",
            code="remote_file_refused",
            hint="Look there who owns what is left, and remove it.",
        )


async def _remove_way(target: Target, one: Trace) -> None:
    """A route is removed by a running edge alone: it is not brought up for it."""
    assert target.edge is not None  # noqa: S101 - asked by the caller
    if one.kind == "upstream":
        await target.edge.forget(one.of)
    elif await target.edge.answers():
        await target.edge.remove_route(one.of)
    else:
        named = target.remote.host.login.argument if target.remote is not None else "with the name of this machine"
        raise Unavailable(
            "The edge does not run there.",
            code="edge_proxy_unavailable",
            hint=f"Bring it up: qd server edge {named}",
        )
