"""Containers and host processes that no attempt needs any more: what is left when the clearing after an attempt was
given up, by itself or by a person. The daily look finds them by their marks, whatever the ledger says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import or_, select

from quarterdeck.deploy.deployments.jobs import RETIRE, in_containers
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.execution import starting
from quarterdeck.deploy.execution.order import TargetOrder
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.execution.turns import turn
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.docker import containers
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.servers.servers import LOCAL
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.retention import Category, register

MARK = "quarterdeck.deployment"
log = structlog.get_logger("quarterdeck.housekeeping")


@dataclass(frozen=True, slots=True)
class Known:
    """`wanted` may have a runtime: attempts under way or just ended, what serves, and what a job is about to clear.
    Of the others, `present` have not been recorded as gone, in an engine or (`False`) on the host itself.
    """

    wanted: frozenset[str]
    present: dict[str, bool]


def known(tx: Tx, before: datetime) -> Known:
    """What the database knows; attempts that ended after `before` are left to the clearing that follows them."""
    serving = select(Resource.serving_id).where(Resource.serving_id.is_not(None), Resource.lifecycle != "deleted")
    wanted = set(
        tx.scalars(
            select(Deployment.ref).where(
                or_(
                    Deployment.status.in_(ACTIVE),
                    Deployment.id.in_(serving),
                    Deployment.finished_at >= before,
                )
            )
        )
    )
    waiting = jobs.list_jobs(tx, jobs.Filter(kind=RETIRE, states=tuple(jobs.LIVE), limit=1_000_000))
    wanted.update((job.subject or "").removeprefix("deployment:") for job in waiting)
    rows = tx.scalars(
        select(Deployment)
        .join(Server, Server.id == Deployment.server_id)
        .where(Server.provider == LOCAL, Deployment.retired_at.is_(None))
    )
    return Known(frozenset(wanted), {row.ref: in_containers(row) for row in rows if row.ref not in wanted})


def retired(tx: Tx, refs: list[str]) -> None:
    """Nothing is left of these."""
    for row in tx.scalars(select(Deployment).where(Deployment.ref.in_(refs), Deployment.retired_at.is_(None))):
        row.retired_at = tx.now


async def _found(target: Target) -> set[str]:
    """The deployments that have a container or a process of this installation."""
    found = {status.labels.get(MARK, "") for status in target.processes.list()}
    if target.engine is not None:
        marks = {"quarterdeck.managed": "true", "quarterdeck.instance": target.order.instance}
        found |= {row.labels.get(MARK, "") for row in await containers.listed(target.engine, marks)}
    return found - {""}


async def _runtimes(instance: Any, before: datetime) -> int:
    place = instance.placement
    order = TargetOrder("local", str(instance.data.runtime), instance.uid, place.docker_host, edge_enabled=False)
    removed, stuck = 0, set()
    async with Edges() as edges, await Target.open(order, edges) as target:
        # First what is there, then what is wanted: whoever starts something meanwhile is not taken for an orphan.
        found = await _found(target)
        now = await instance.db.read(known, before)
        for ref in sorted(found - now.wanted):
            try:
                async with turn(Path(order.root), ref):
                    await starting.remove(target, ref, stop_seconds=starting.STOP_SECONDS)
            except Problem as problem:
                log.info("runtime_not_tidied", deployment=ref, code=problem.code)
                stuck.add(ref)
                continue
            log.warning("orphan_removed", deployment=ref)
            removed += 1
        # Without an engine nothing can be said of what is in it.
        gone = [ref for ref, contained in now.present.items() if target.engine is not None or not contained]
        if set(gone) - stuck:
            await instance.db.write(retired, sorted(set(gone) - stuck))
    return removed


register(Category("runtimes", "Containers and processes that no attempt needs", timedelta(days=1), _runtimes))
