"""Carrying out the policies of removing what is old on servers, every hour, one server after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from quarterdeck.deploy.deployments import rollups
from quarterdeck.fleet.capacity import policies
from quarterdeck.fleet.capacity.model import PrunePolicy
from quarterdeck.fleet.capacity.pruning import Candidate, Known
from quarterdeck.fleet.servers import pruning
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.principal import SYSTEM, Context, current
from quarterdeck.kernel.retention import Category, register

HOUR = 3600
log = structlog.get_logger("quarterdeck.housekeeping")


async def judge(db: Any, refs: Collection[str]) -> Mapping[str, Known]:
    """Of which deployments something is known, among those whose remains were found."""
    placed = await db.read(rollups.placed, refs)
    return {ref: Known(one.active, one.retained) for ref, one in placed.items()}


def counted(some: Sequence[Candidate]) -> dict[str, int]:
    return dict(Counter(one.category for one in some))


def sized(some: Sequence[Candidate]) -> int:
    return sum(one.size or 0 for one in some)


async def tidy(instance: Any, _before: datetime) -> int:
    """Carry out every policy. A server that is out of reach is left for the next hour. Answers how much went."""
    removed = 0
    for policy, places in await instance.db.read(policies.due):
        acting = replace(SYSTEM, organization_id=policy.organization_id)
        token = current.set(Context(acting, correlation_id=f"prune-policy:{policy.ref}"))
        try:
            for place in places:
                removed += await _at(instance, policy, place)
        finally:
            current.reset(token)
    return removed


async def _at(instance: Any, policy: PrunePolicy, server: str) -> int:
    db, before = instance.db, instance.db.clock.now() - timedelta(days=policy.retention_days)

    async def known(refs: Collection[str]) -> Mapping[str, Known]:
        return await judge(db, refs)

    async def begin(matched: Sequence[Candidate]) -> None:
        await db.write(pruning.begin, server, counts=counted(matched), size=sized(matched))

    try:
        _, found = await instance.taking_away.prune(
            server, policy.categories, before, known, begin, dry_run=not policy.destructive
        )
    except Problem as problem:
        log.info("server_not_tidied", server=server, policy=policy.ref, code=problem.code)
        return 0
    gone = [one for one in found.candidates if one.action == "pruned"]
    matched = [one for one in found.candidates if one.action == "matched"]
    if gone:
        await db.write(pruning.note, server, counts=counted(gone), reclaimed=sized(gone))
    if matched:
        log.info(
            "server_could_be_tidied", server=server, policy=policy.ref, found=counted(matched), bytes=sized(matched)
        )
    return len(gone)


register(
    Category(
        "server-capacity",
        "What policies say of containers, images and build caches on servers",
        timedelta(0),
        tidy,
        HOUR,
    )
)
