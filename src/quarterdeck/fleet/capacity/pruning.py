"""Removing what is old and nobody will ask back: decided as values first, then done one by one.

Never a volume, never what does not carry this installation's marks, never what serves or stays for a rollback.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath

import msgspec

from quarterdeck.fleet.capacity import reading
from quarterdeck.fleet.capacity.measuring import MANAGED, Places
from quarterdeck.fleet.capacity.values import Warned
from quarterdeck.fleet.docker import containers, images, system
from quarterdeck.fleet.docker.address import EngineAddress
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.targets.engines import open_engine
from quarterdeck.fleet.targets.host import Host
from quarterdeck.kernel import answers
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.faults import point

INSTANCE, DEPLOYMENT = "quarterdeck.instance", "quarterdeck.deployment"
WORKSPACE = re.compile(r"dep_[0-9a-z]{12}")
ENGINE = ("stopped-containers", "docker-build-cache", "unused-images")
REMOVE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Known:
    """What the installation knows of a deployment whose remains were found."""

    active: bool
    retained: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """`busy`: something uses it now; `ours`: it carries the marks of this installation."""

    id: str
    category: str
    target: str
    updated: datetime | None
    size: int | None
    deployment: str | None = None
    ours: bool = True
    busy: bool = False
    action: str = ""
    reason: str | None = None


@dataclass(slots=True)
class Pruned:
    candidates: list[Candidate]
    warnings: list[Warned]


def judged(candidate: Candidate, before: datetime, known: Mapping[str, Known]) -> Candidate:
    """What would be done with a candidate, and why not. `before` is exclusive."""
    told = known.get(candidate.deployment or "")
    reason, action = None, "skipped"
    if not candidate.ours or (candidate.deployment is not None and told is None):
        reason, action = "ownership-unproven", "excluded"
    elif candidate.busy or (told is not None and told.active):
        reason = "active-runtime"
    elif told is not None and told.retained:
        reason = "rollback-candidate"
    elif candidate.updated is None:
        reason = "safety-evidence-missing"
    elif candidate.updated >= before:
        reason = "cutoff-not-reached"
    else:
        action = "matched"
    return replace(candidate, action=action, reason=reason)


async def find(
    host: Host, places: Places, address: EngineAddress | None, categories: Collection[str], instance: str
) -> Pruned:
    """Every candidate of the categories. Preview workspaces and remote state markers are not made by this release."""
    found = Pruned([], [])
    if "source-workspaces" in categories:
        found.candidates += await _workspaces(host, places)
    if set(categories) & set(ENGINE):
        try:
            async with await open_engine(host, address) as engine:
                found.candidates += await _of_engine(engine, categories, instance)
        except Problem as problem:
            hint = f" {problem.hint}" if problem.hint else ""
            found.warnings.append(Warned("docker-unavailable", f"{problem.message}{hint}", resource="docker"))
    return found


async def _workspaces(host: Host, places: Places) -> list[Candidate]:
    listed = (await host.run(["ls", "-1", places.workspaces])).text.splitlines()
    found = []
    for name in [one for one in listed if WORKSPACE.fullmatch(one)]:
        path = str(PurePosixPath(places.workspaces) / name)
        changed = (await host.run(["stat", "-c", "%Y", path])).text
        size = reading.size((await host.run(["du", "-sk", path])).text)
        found.append(
            Candidate(
                id=name,
                category="source-workspaces",
                target=path,
                updated=answers.moment(changed),
                size=size,
                deployment=name,
            )
        )
    return found


async def _of_engine(engine: Engine, categories: Collection[str], instance: str) -> list[Candidate]:
    usage = await system.disk_usage(engine)
    found: list[Candidate] = []
    if "stopped-containers" in categories:
        found += [await _container(engine, one, instance) for one in usage.containers or [] if _marked(one.labels)]
    if "unused-images" in categories:
        found += [_image(one, instance) for one in usage.images or [] if _marked(one.labels)]
    if "docker-build-cache" in categories:
        found += [
            Candidate(
                id=record.id,
                category="docker-build-cache",
                target=record.type or "build cache",
                updated=moment(record.last_used_at or record.created_at),
                size=record.size,
                busy=record.in_use,
            )
            for record in usage.build_cache or []
        ]
    return found


def _marked(labels: Mapping[str, str] | None) -> bool:
    return (labels or {}).get(MANAGED) == "true"


async def _container(engine: Engine, one: system.SizedContainer, instance: str) -> Candidate:
    labels = one.labels or {}
    busy = one.state in {"running", "restarting", "paused"}
    inspected = None if busy else await containers.find(engine, one.id)
    return Candidate(
        id=one.id,
        category="stopped-containers",
        target=(one.names or [one.id])[0].lstrip("/"),
        updated=moment(inspected.state.finished_at) or moment(inspected.created) if inspected else None,
        size=one.size_rw,
        deployment=labels.get(DEPLOYMENT, ""),
        ours=labels.get(INSTANCE) == instance,
        busy=busy,
    )


def _image(one: system.SizedImage, instance: str) -> Candidate:
    labels = one.labels or {}
    return Candidate(
        id=one.id,
        category="unused-images",
        target=(one.repo_tags or [one.id])[0],
        updated=answers.moment(one.created) if one.created else None,
        size=one.own_bytes,
        deployment=labels.get(DEPLOYMENT, ""),
        ours=labels.get(INSTANCE) == instance,
        busy=one.containers != 0,
    )


def moment(text: str | None) -> datetime | None:
    """A time as Docker writes it; None for none, and for its year 1 that stands for never."""
    if text:
        with contextlib.suppress(msgspec.ValidationError):
            found = msgspec.convert(text, datetime)
            return found if found.year > 1 else None
    return None


async def remove(host: Host, address: EngineAddress | None, candidates: list[Candidate]) -> Pruned:
    """Remove the matched ones. What cannot be removed stays matched, with a warning."""
    done = Pruned([], [])
    async with contextlib.AsyncExitStack() as stack:
        engine = None
        if any(one.action == "matched" and one.category in ENGINE for one in candidates):
            engine = await stack.enter_async_context(await open_engine(host, address))
        for one in candidates:
            if one.action != "matched":
                done.candidates.append(one)
                continue
            try:
                point("prune.remove")
                await _remove(host, engine, one)
                point("prune.removed")
            except Problem as problem:
                text = f"{one.target} was not removed: {problem.message}"
                done.warnings.append(Warned("partial-diagnostic", text, path=one.target))
                done.candidates.append(one)
            else:
                done.candidates.append(replace(one, action="pruned"))
    return done


async def _remove(host: Host, engine: Engine | None, one: Candidate) -> None:
    if one.category == "source-workspaces":
        await host.run(["rm", "-rf", "--", one.target], seconds=REMOVE_SECONDS)
    elif engine is not None and one.category == "stopped-containers":
        # Without force: one that was started meanwhile is refused. Volumes stay.
        await containers.remove(engine, one.id, force=False, volumes=False)
    elif engine is not None and one.category == "unused-images":
        await images.remove(engine, one.id)
    elif engine is not None:
        await system.prune_cache(engine, one.id)
