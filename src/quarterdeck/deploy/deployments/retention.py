"""What deployments leave on this machine, and what of it nobody needs any more.

The history itself (attempts, their phases, events and logs) is never taken away by housekeeping.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from quarterdeck.deploy.deployments.archiving import STREAM
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.docker import images
from quarterdeck.fleet.docker.address import own_engine
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.kernel import events, trees
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.retention import Category, lasting, register, spare

HOUR = 3600
DAY = timedelta(days=1)
CHUNK = 500
RUNTIME = "runtime:"
log = structlog.get_logger("quarterdeck.housekeeping")


@dataclass(frozen=True, slots=True)
class Needed:
    """What must stay: attempts that run, and artefacts that serve or may be given back."""

    active: frozenset[str]
    deployments: frozenset[str]
    images: frozenset[str]
    directories: frozenset[str]


def needed(tx: Tx | Session) -> Needed:
    """As a unit sees it, or a session that reads a copy of the database."""
    active = frozenset(tx.scalars(select(Deployment.ref).where(Deployment.status.in_(ACTIVE))))
    serving = select(Resource.serving_id).where(Resource.serving_id.is_not(None))
    rows = tx.execute(
        select(Deployment.ref, Deployment.artifact).where(
            or_(
                Deployment.artifact_retained.is_(True),
                Deployment.status.in_(ACTIVE),
                Deployment.id.in_(serving),
                # Started and not taken away yet: a replaced version that drains.
                Deployment.runtime.is_not(None) & Deployment.retired_at.is_(None),
            )
        )
    ).all()
    kept = [row[1] for row in rows if row[1]]
    every = [one for artifact in kept for one in (artifact, *artifact.get("images", {}).values())]
    return Needed(
        active=active,
        deployments=frozenset(row[0] for row in rows),
        images=frozenset(str(one[key]) for one in every for key in ("image", "reference") if one.get(key)),
        directories=frozenset(Path(one["directory"]).name for one in kept if one.get("directory")),
    )


def leftovers(directory: Path, before: datetime, keep: Iterable[str]) -> list[Path]:
    """Directories in `directory` that were last touched before an instant and are not to be kept."""
    kept = frozenset(keep)
    try:
        found = list(os.scandir(directory))
    except FileNotFoundError:
        return []
    old = []
    for entry in found:
        changed = datetime.fromtimestamp(entry.stat(follow_symlinks=False).st_mtime, UTC)
        if entry.is_dir(follow_symlinks=False) and entry.name not in kept and changed < before:
            old.append(Path(entry.path))
    return sorted(old)


async def _remove(directory: Path, before: datetime, keep: Iterable[str]) -> int:
    found = await asyncio.to_thread(leftovers, directory, before, keep)
    return sum([await asyncio.to_thread(trees.remove, path) for path in found])


async def _work(instance: Any, before: datetime) -> int:
    now = await instance.db.read(needed)
    return await _remove(instance.data.runtime / "deployments", before, now.active)


async def _releases(instance: Any, before: datetime) -> int:
    now = await instance.db.read(needed)
    return await _remove(instance.data.runtime / "releases", before, now.deployments | now.directories)


async def _plans(instance: Any, before: datetime) -> int:
    return await _remove(instance.data.runtime / "plans", before, ())


async def _images(instance: Any, before: datetime) -> int:
    """Images that carry the mark of this installation and that no attempt needs; never anybody else's, and never
    the engine's build cache, which carries no marks. None soon after a restore: those made since the backup look so.
    """
    if instance.data.restored_since(before):
        return 0
    try:
        async with await Engine.connect(own_engine(instance.placement.docker_host)) as engine:
            now = await instance.db.read(needed)
            found = await images.listed(engine, {"quarterdeck.managed": "true", "quarterdeck.instance": instance.uid})
            return await _remove_images(engine, [one for one in found if _unneeded(one, now, before)])
    except Problem as problem:
        log.info("images_not_tidied", code=problem.code)
        return 0


def _unneeded(image: images.ListedImage, now: Needed, before: datetime) -> bool:
    names = {image.id, *(image.repo_tags or ())}
    owner = (image.labels or {}).get("quarterdeck.deployment")
    return image.created < before.timestamp() and not names & now.images and owner not in now.deployments


async def _remove_images(engine: Engine, unneeded: list[images.ListedImage]) -> int:
    removed = 0
    for image in unneeded:
        for name in image.repo_tags or [image.id]:
            try:
                removed += bool(await images.remove(engine, name))
            except Problem:  # a container still uses it, running or not
                log.debug("image_in_use", image=name)
    return removed


async def _lines(instance: Any, before: datetime) -> int:
    """Lines of attempts that are in no record any more, which a pruning that was cut off left, and events of them,
    which waited for a subscriber when they were erased. Answers how many lines went.
    """
    streams = await instance.logs.older(STREAM, before)
    forgotten = 0
    for start in range(0, len(streams), CHUNK):
        some = streams[start : start + CHUNK]
        for stream in await instance.db.read(_unrecorded, some):
            forgotten += await instance.logs.forget(stream)
    after = ""
    while some := await instance.db.read(events.holding, STREAM, after, CHUNK):
        after = some[-1]
        for stream in await instance.db.read(_unrecorded, some):
            await instance.db.write(events.erase, stream)
    return forgotten


def _unrecorded(tx: Tx, streams: Sequence[str]) -> list[str]:
    refs = [stream.removeprefix(STREAM) for stream in streams]
    recorded = set(tx.scalars(select(Deployment.ref).where(Deployment.ref.in_(refs))))
    return [stream for stream, ref in zip(streams, refs, strict=True) if ref not in recorded]


def _recorded(tx: Tx, streams: Sequence[str]) -> list[str]:
    unrecorded = set(_unrecorded(tx, streams))
    return [stream for stream in streams if stream not in unrecorded]


def _of_resources(tx: Tx, streams: Sequence[str]) -> list[str]:
    refs = [stream.removeprefix(RUNTIME) for stream in streams]
    return [f"{RUNTIME}{ref}" for ref in tx.scalars(select(Resource.ref).where(Resource.ref.in_(refs)))]


spare(STREAM)
lasting(STREAM, _recorded)
lasting(RUNTIME, _of_resources)
register(Category("work-directories", "Work directories of attempts that have ended", DAY, _work, every=6 * HOUR))
register(Category("plan-directories", "Sources fetched to show a plan", DAY, _plans, every=6 * HOUR))
register(Category("releases", "Release directories that no attempt needs", DAY, _releases))
register(Category("images", "Our images that no attempt needs", DAY, _images))
register(Category("deployment-lines", "Lines and events of attempts that are in no record", DAY, _lines))
