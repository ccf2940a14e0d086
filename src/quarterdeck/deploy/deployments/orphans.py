"""What no attempt needs any more on a machine: what is left when the clearing after an attempt was given up, by itself
or by a person. The daily look finds it by its marks, whatever the ledger says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import or_, select

from quarterdeck.deploy.deployments.following import RETIRE
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.ordering import in_containers
from quarterdeck.deploy.deployments.retention import needed
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.execution.order import TargetOrder
from quarterdeck.deploy.execution.remains import Remains, Trace, look, take_away
from quarterdeck.deploy.execution.target import Target, opened
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.stacks.containers import container_ids
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.servers import servers
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.retention import Category, register

log = structlog.get_logger("quarterdeck.housekeeping")
DAY = timedelta(days=1)
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Known:
    """`wanted` may have a runtime: attempts under way or just ended, what serves, and what a job is about to clear.
    Of the others, `present` have not been recorded as gone, in an engine or (`False`) on the host itself. `unknown`
    are in no record: pruned, or made after the backup that this database was restored from. `containers` are those that
    a wanted one names: a service of a stack outlives the attempt that started it. `releases` serve or may be given
    back; `resources` are those that have not been deleted.
    """

    wanted: frozenset[str] = frozenset()
    present: dict[str, bool] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    containers: frozenset[str] = frozenset()
    releases: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()


def known(tx: Tx, before: datetime, found: Collection[str], places: Collection[int]) -> Known:
    """What the database knows, and which of `found` (references of attempts and resources) it does not. `places` are
    the servers (row ids) that the machine looked at is. Attempts that ended after `before` are left to the clearing
    that follows them.
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
        select(Deployment).where(Deployment.server_id.in_(sorted(places)), Deployment.retired_at.is_(None))
    )
    present = {row.ref: in_containers(row) for row in rows if row.ref not in wanted}
    runtimes = tx.scalars(select(Deployment.runtime).where(Deployment.ref.in_(sorted(wanted))))
    named = frozenset(one for runtime in runtimes if runtime for one in container_ids(runtime))
    attempts, resources = _recorded(tx, found)
    kept = needed(tx)
    return Known(
        wanted=frozenset(wanted),
        present=present,
        unknown=frozenset(found) - attempts - resources.keys(),
        containers=named,
        releases=kept.deployments | kept.directories,
        resources=frozenset(ref for ref, lifecycle in resources.items() if lifecycle != "deleted"),
    )


def _recorded(tx: Tx, found: Collection[str]) -> tuple[set[str], dict[str, str]]:
    """Those that name an attempt, and the lifecycles of those that name a resource."""
    attempts: set[str] = set()
    resources: dict[str, str] = {}
    refs = sorted(found)
    for start in range(0, len(refs), CHUNK):
        some = refs[start : start + CHUNK]
        attempts.update(tx.scalars(select(Deployment.ref).where(Deployment.ref.in_(some))))
        rows = tx.execute(select(Resource.ref, Resource.lifecycle).where(Resource.ref.in_(some)))
        resources.update({row[0]: row[1] for row in rows})
    return attempts, resources


def unneeded(traces: Sequence[Trace], now: Known, before: datetime, *, restored: bool, alone: bool) -> list[Trace]:
    """What is to go. A database that has no record of something cannot tell its age: what was found does; and soon
    after a restore it may be what an operator is about to look after. What has no mark of its own and no record is
    somebody else's, unless this installation is `alone` there.
    """
    newest: dict[str, datetime] = {}
    for one in traces:
        newest[one.of] = max(one.made, newest.get(one.of, one.made))

    def goes(one: Trace) -> bool:
        if one.of in now.unknown and (restored or newest[one.of] >= before or not (one.marked or alone)):
            return False
        if one.kind == "runtime":
            return one.of not in now.wanted
        if one.kind == "service":
            return one.of not in now.wanted and one.name not in now.containers
        if one.made >= before:
            return False
        if one.kind == "release":
            return one.of not in now.wanted | now.releases
        return one.of not in now.wanted | now.resources

    return [one for one in traces if goes(one)]


def retired(tx: Tx, refs: list[str]) -> None:
    """Nothing is left of these."""
    for row in tx.scalars(select(Deployment).where(Deployment.ref.in_(refs), Deployment.retired_at.is_(None))):
        row.retired_at = tx.now


def running_on(tx: Tx, places: Collection[int]) -> str | None:
    """A deployment to one of these servers that is under way."""
    return tx.first(
        select(Deployment.ref)
        .where(Deployment.server_id.in_(sorted(places)), Deployment.status.in_(ACTIVE))
        .order_by(Deployment.id)
        .limit(1)
    )


@dataclass(slots=True)
class Tidied:
    """How many things went, why others stayed by their names, which parts could not be looked at, and the deployment
    that began meanwhile and ended the look.
    """

    removed: int = 0
    kept: dict[str, str] = field(default_factory=dict)
    unseen: dict[str, str] = field(default_factory=dict)
    began: str | None = None


async def tidy(
    instance: Any,
    target: Target,
    before: datetime,
    places: Collection[int],
    *,
    alone: bool = True,
    busy: Callable[[], Awaitable[str | None]] | None = None,
) -> Tidied:
    """Take away what nobody needs on a machine. With `busy` it ends when that names a deployment. What cannot be
    removed stays for the next day; a lost connection is raised.
    """
    # First what is there, then what is wanted: whoever starts something meanwhile is not taken for an orphan.
    found = await look(target, files=target.remote is not None)
    now = await instance.db.read(known, before, {one.of for one in found.traces if one.of}, places)
    done = Tidied(unseen=found.unseen)
    restored = instance.data.restored_since(before)
    for one in unneeded(found.traces, now, before, restored=restored, alone=alone):
        done.began = await busy() if busy is not None else None
        if done.began is not None:
            return done
        try:
            await take_away(target, one)
        except Problem as problem:
            if await target.lost():
                raise
            log.info("runtime_not_tidied", deployment=one.of, kind=one.kind, name=one.name, code=problem.code)
            done.kept[one.name] = problem.message
            continue
        log.warning("orphan_removed", deployment=one.of, kind=one.kind, name=one.name)
        done.removed += 1
    gone = sorted(_gone(target, found, now) - done.kept.keys())
    if gone:
        await instance.db.write(retired, gone)
    return done


def _gone(target: Target, found: Remains, now: Known) -> set[str]:
    """Attempts of which nothing can be left. Of what was not looked at nothing can be said."""
    unseen = {True: target.engine is None or "containers" in found.unseen, False: "processes" in found.unseen}
    return {ref for ref, contained in now.present.items() if not unseen[contained]}


async def _here(instance: Any, before: datetime) -> int:
    place = instance.placement
    order = TargetOrder("local", str(instance.data.runtime), instance.uid, place.docker_host, edge_enabled=False)
    places = await instance.db.read(servers.local_ids)
    async with Edges() as edges, opened(order, edges) as target:
        return (await tidy(instance, target, before, places)).removed


register(Category("runtimes", "Containers and processes that no attempt needs", DAY, _here))
