"""Housekeeping as jobs of the ledger: one schedule for each category, in the lane that never delays a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog

from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import defaults
from quarterdeck.kernel.retention.categories import Category, Sweep, categories, find

KIND = "housekeeping.tidy"
log = structlog.get_logger("quarterdeck.housekeeping")


class Task(msgspec.Struct):
    """`organization_id`: only the share of that organization."""

    category: str
    organization_id: int | None = None


def _describe(_tx: Tx, some: Sequence[jobs.Job]) -> Mapping[int, jobs.About]:
    return {job.id: _about(job) for job in some}


def _about(job: jobs.Job) -> jobs.About:
    done: dict[str, int] = msgspec.json.decode(job.result) if job.result else {}
    return jobs.About(job.kind, details={"category": job.read(Task).category, **done})


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
    task = context.read(Task)
    category = find(task.category)
    if category is None or category.sweep is None:
        return {"removed": await tidy(instance, task.category)}
    return await carry_out(instance, category, task.organization_id)


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


async def sweeps_of(instance: Any, category: Category, organization_id: int | None) -> list[Sweep]:
    """What the defaults make of a category at this moment."""
    said = [] if category.governed is None else await instance.db.read(defaults.in_force, category.governed)
    return defaults.sweeps(category, said, instance.db.clock.now(), organization_id)


async def carry_out(instance: Any, category: Category, organization_id: int | None = None) -> dict[str, int]:
    """Sweep a category as its defaults say: how much went, and how much would go by those that only look."""
    done = {"removed": 0, "wouldRemove": 0}
    for sweep in await sweeps_of(instance, category, organization_id):
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


def order(category: Category, organization_id: int | None = None) -> jobs.Enqueue:
    """The job that tidies a category; one after the other, whoever asks for it."""
    return jobs.Enqueue(
        KIND,
        Task(category.name, organization_id),
        organization_id,
        lane="housekeeping",
        capabilities=frozenset({jobs.SERVER}),
        concurrency_key=f"housekeeping:{category.name}",
    )


def schedule_all(tx: Tx) -> None:
    """Bring the schedules to what is registered. Run at every start; an unchanged one keeps its next time."""
    for category in categories():
        jobs.set_schedule(
            tx,
            f"housekeeping:{category.name}",
            jobs.Rhythm(every_seconds=category.every),
            order(category),
            enabled=category.keep is not None or category.sweep is not None,
        )
