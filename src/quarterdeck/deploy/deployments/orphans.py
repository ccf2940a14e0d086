"""Containers and host processes that no attempt needs any more: what is left when the clearing after an attempt was
given up, by itself or by a person. The daily look finds them by their marks, whatever the ledger says.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import or_, select

from quarterdeck.deploy.deployments.jobs import RETIRE, in_containers
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.execution import stack_services, starting
from quarterdeck.deploy.execution.order import TargetOrder
from quarterdeck.deploy.execution.target import Target, opened
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.stacks.containers import ATTEMPT, SERVICE, container_ids
from quarterdeck.fleet.docker import containers
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.servers.servers import LOCAL
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound, Problem
from quarterdeck.kernel.retention import Category, register

MARK = "quarterdeck.deployment"
log = structlog.get_logger("quarterdeck.housekeeping")


@dataclass(frozen=True, slots=True)
class Known:
    """`wanted` may have a runtime: attempts under way or just ended, what serves, and what a job is about to clear.
    Of the others, `present` have not been recorded as gone, in an engine or (`False`) on the host itself. `unknown`
    are in no record: pruned, or made after the backup that this database was restored from. `containers` are those that
    a wanted one names: a service of a stack outlives the attempt that started it.
    """

    wanted: frozenset[str]
    present: dict[str, bool]
    unknown: frozenset[str]
    containers: frozenset[str]


def known(tx: Tx, before: datetime, found: Collection[str]) -> Known:
    """What the database knows, and what of `found` it does not. Attempts that ended after `before` are left to the
    clearing that follows them.
    """
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
    present = {row.ref: in_containers(row) for row in rows if row.ref not in wanted}
    recorded = tx.scalars(select(Deployment.ref).where(Deployment.ref.in_(found)))
    runtimes = tx.scalars(select(Deployment.runtime).where(Deployment.ref.in_(sorted(wanted))))
    named = frozenset(one for runtime in runtimes if runtime for one in container_ids(runtime))
    return Known(frozenset(wanted), present, frozenset(found).difference(recorded), named)


def retired(tx: Tx, refs: list[str]) -> None:
    """Nothing is left of these."""
    for row in tx.scalars(select(Deployment).where(Deployment.ref.in_(refs), Deployment.retired_at.is_(None))):
        row.retired_at = tx.now


async def _found(target: Target) -> dict[str, datetime]:
    """The deployments that have a container or a process of this installation, and when the newest of it was made."""
    found = await _processes(target)
    if target.engine is not None:
        marks = {"quarterdeck.managed": "true", "quarterdeck.instance": target.order.instance}
        listed = await containers.listed(target.engine, marks)
        found += [(row.labels.get(MARK, ""), datetime.fromtimestamp(row.created, UTC)) for row in listed]
    return _newest(found)


def _newest(found: list[tuple[str, datetime]]) -> dict[str, datetime]:
    newest: dict[str, datetime] = {}
    for ref, made in found:
        if ref:
            newest[ref] = max(made, newest.get(ref, made))
    return newest


async def _processes(target: Target) -> list[tuple[str, datetime]]:
    found = []
    for one in await target.processes.list():
        with contextlib.suppress(NotFound):  # removed meanwhile
            found.append((one.labels.get(MARK, ""), await target.processes.placed_at(one.instance)))
    return found


def _unneeded(found: dict[str, datetime], now: Known, before: datetime, *, restored: bool) -> list[str]:
    """What is to go. A database that has no record of something cannot tell its age: what was found does; and soon
    after a restore it may be what an operator is about to look after.
    """
    young = {ref for ref in now.unknown & found.keys() if restored or found[ref] >= before}
    return sorted(found.keys() - now.wanted - young)


async def _services(target: Target) -> list[containers.Listed]:
    """Services of stacks of this installation."""
    if target.engine is None:
        return []
    marks = {"quarterdeck.managed": "true", "quarterdeck.instance": target.order.instance}
    return await stack_services.listed(target.engine, marks)


async def _remove_service(target: Target, row: containers.Listed) -> bool:
    attempt, service = row.labels.get(ATTEMPT, ""), row.labels.get(SERVICE)
    try:
        async with target.turn(attempt):
            await containers.stop(target.need_engine(), row.id, seconds=starting.STOP_SECONDS)
            await containers.remove(target.need_engine(), row.id)
    except Problem as problem:
        log.info("runtime_not_tidied", deployment=attempt, service=service, code=problem.code)
        return False
    log.warning("orphan_removed", deployment=attempt, service=service)
    return True


async def _runtimes(instance: Any, before: datetime) -> int:
    place = instance.placement
    order = TargetOrder("local", str(instance.data.runtime), instance.uid, place.docker_host, edge_enabled=False)
    removed, stuck = 0, set()
    async with Edges() as edges, opened(order, edges) as target:
        # First what is there, then what is wanted: whoever starts something meanwhile is not taken for an orphan.
        found, services = await _found(target), await _services(target)
        attempts = _newest(
            [(row.labels.get(ATTEMPT, ""), datetime.fromtimestamp(row.created, UTC)) for row in services]
        )
        now = await instance.db.read(known, before, [*found, *attempts])
        restored = instance.data.restored_since(before)
        for ref in _unneeded(found, now, before, restored=restored):
            try:
                async with target.turn(ref):
                    await starting.remove(target, ref, stop_seconds=starting.STOP_SECONDS)
            except Problem as problem:
                log.info("runtime_not_tidied", deployment=ref, code=problem.code)
                stuck.add(ref)
                continue
            log.warning("orphan_removed", deployment=ref)
            removed += 1
        old = set(_unneeded(attempts, now, before, restored=restored))
        for row in services:
            if row.id not in now.containers and row.labels.get(ATTEMPT, "") in old:
                removed += await _remove_service(target, row)
        # Without an engine nothing can be said of what is in it.
        gone = [ref for ref, contained in now.present.items() if target.engine is not None or not contained]
        if set(gone) - stuck:
            await instance.db.write(retired, sorted(set(gone) - stuck))
    return removed


register(Category("runtimes", "Containers and processes that no attempt needs", timedelta(days=1), _runtimes))
