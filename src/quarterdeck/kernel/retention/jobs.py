"""Housekeeping as jobs of the ledger: one schedule for each category, in the lane that never delays a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog

from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import defaults
from quarterdeck.kernel.retention.categories import Category, categories, find

KIND = "housekeeping.tidy"
log = structlog.get_logger("quarterdeck.housekeeping")


class Task(msgspec.Struct):
    category: str


def _describe(_tx: Tx, some: Sequence[jobs.Job]) -> Mapping[int, jobs.About]:
    return {job.id: jobs.About(job.kind, details={"category": job.read(Task).category}) for job in some}


jobs.kinds.register(
    jobs.JobKind(
        KIND,
        lane="housekeeping",
        lease_seconds=120,
        capabilities=frozenset({jobs.SERVER}),
        work=jobs.Work("system", "Housekeeping", _describe),
    )
)


@jobs.server_handlers.register(KIND)
async def run(context: jobs.JobContext, instance: Any) -> dict[str, int]:
    """Tidy the category of the job."""
    name = context.read(Task).category
    category = find(name)
    if category is None or category.sweep is None:
        return {"removed": await tidy(instance, name)}
    return await carry_out(instance, category)


async def tidy(instance: Any, name: str) -> int:
    """Take away what a category does not keep any more. Answers how much; a category that is gone has nothing."""
    category = find(name)
    if category is None:
        return 0
    if category.sweep is not None:
        return (await carry_out(instance, category))["removed"]
    if category.keep is None or category.prune is None:
        return 0
    removed = await category.prune(instance, instance.db.clock.now() - category.keep)
    if removed:
        log.info("tidied", category=name, removed=removed)
    return removed


async def carry_out(instance: Any, category: Category) -> dict[str, int]:
    """Sweep a category as its defaults say: how much went, and how much would go by those that only look."""
    said = [] if category.governed is None else await instance.db.read(defaults.in_force, category.governed)
    done = {"removed": 0, "wouldRemove": 0}
    for sweep in defaults.sweeps(category, said, instance.db.clock.now()):
        assert category.sweep is not None  # noqa: S101 - asked before
        count = await category.sweep(instance, sweep)
        done["wouldRemove" if sweep.dry_run else "removed"] += count
        if count:
            log.info(
                "would_tidy" if sweep.dry_run else "tidied",
                category=category.name,
                removed=count,
                organization=sweep.share.organization_id,
            )
    return done


def schedule_all(tx: Tx) -> None:
    """Bring the schedules to what is registered. Run at every start; an unchanged one keeps its next time."""
    for category in categories():
        jobs.set_schedule(
            tx,
            f"housekeeping:{category.name}",
            jobs.Rhythm(every_seconds=category.every),
            jobs.Enqueue(
                KIND,
                Task(category.name),
                None,
                lane="housekeeping",
                capabilities=frozenset({jobs.SERVER}),
                concurrency_key=f"housekeeping:{category.name}",
            ),
            enabled=category.keep is not None or category.sweep is not None,
        )
