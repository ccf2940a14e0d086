"""What of the kernel's own tables grows, and how long it stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from quarterdeck.kernel import audit, events, jobs
from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.jobs.job import LANES
from quarterdeck.kernel.retention.categories import HOUR, Category, Sweep, apart, over, register, spared

BATCH = 2_000
"""Rows of one unit: the writer has others waiting."""
NAMES = 500
"""Streams that are looked at together."""
COUNTED = 1_000_000
"""The most that a dry run counts."""

_CHORES = (
    "SELECT id FROM jobs WHERE finished_at >= :after AND finished_at < :before AND lane = :lane "
    "ORDER BY finished_at LIMIT :limit"
)
_RUNS = (
    "DELETE FROM job_schedule_runs WHERE id IN (SELECT id FROM job_schedule_runs WHERE due_at < :before LIMIT :limit)"
)


async def in_batches(db: Database, verb: Callable[..., int], *args: Any) -> int:
    """Run `verb(tx, *args, BATCH)` until it finds less than a batch."""
    removed = 0
    while True:
        done = await db.write(verb, *args, BATCH)
        removed += done
        if done < BATCH:
            return removed


def ended_jobs(tx: Tx, sweep: Sweep, limit: int) -> int:
    share = sweep.share
    found = jobs.prune(
        tx, sweep.before, share.organization_id, without=share.without, dry_run=sweep.dry_run, limit=limit
    )
    return sum(found.values())


def ended_chores(tx: Tx, before: datetime, limit: int) -> int:
    """Finished jobs of the housekeeping lane. Looks back a week only: what is older went in earlier runs."""
    bounds = {
        "after": micros(before - timedelta(days=7)),
        "before": micros(before),
        "lane": LANES.index("housekeeping"),
        "limit": limit,
    }
    found = [{"id": row[0]} for row in tx.execute(_CHORES, bounds)]
    if found:
        tx.execute("DELETE FROM job_attempts WHERE job_id = :id", found)
        tx.execute("DELETE FROM jobs WHERE id = :id", found)
    return len(found)


def fired_schedules(tx: Tx, before: datetime, limit: int) -> int:
    return int(tx.execute(_RUNS, {"before": micros(before), "limit": limit}).rowcount)  # type: ignore[attr-defined]


def old_events(tx: Tx, sweep: Sweep, after: tuple[int, int], limit: int | None) -> events.Pruning:
    wanted = events.Old(before=sweep.before, organization_id=sweep.share.organization_id, without=sweep.share.without)
    kept = () if sweep.told else spared()
    return events.prune(tx, wanted, dry_run=sweep.dry_run, spare=kept, after=after, limit=limit)


def forget_streams(tx: Tx, streams: Sequence[str]) -> int:
    return events.drop(tx, over(tx, streams))


async def _jobs(instance: Any, sweep: Sweep) -> int:
    if sweep.dry_run:
        return int(await instance.db.read(ended_jobs, sweep, COUNTED))
    return await in_batches(instance.db, ended_jobs, sweep)


async def _chores(instance: Any, before: datetime) -> int:
    return await in_batches(instance.db, ended_chores, before)


async def _runs(instance: Any, before: datetime) -> int:
    return await in_batches(instance.db, fired_schedules, before)


async def _events(instance: Any, sweep: Sweep) -> int:
    removed, place = 0, (-1, -1)
    if sweep.dry_run:
        return int((await instance.db.read(old_events, sweep, place, None)).pruned)
    while True:
        done: events.Pruning = await instance.db.write(old_events, sweep, place, BATCH)
        removed += done.pruned
        if done.rest is None:
            return removed
        place = done.rest


async def _audit(instance: Any, sweep: Sweep) -> int:
    share = sweep.share
    scope = audit.Scope(before=sweep.before, organization_id=share.organization_id, without=share.without)
    if sweep.dry_run:
        found: audit.Survey = await instance.db.read(audit.survey, scope)
        return sum(found.prunable.values())
    return sum((await audit.prune_all(instance.db, scope)).values())


async def _lines(instance: Any, before: datetime) -> int:
    others = (*spared(), *apart())
    pruned = await instance.logs.prune(before=before, keep_bytes=instance.settings.runtime_log_size, spare=others)
    return int(pruned.lines)


async def _streams(instance: Any, before: datetime) -> int:
    removed, after = 0, ""
    while names := await instance.db.read(events.empty, after, NAMES):
        after = names[-1]
        removed += await instance.db.write(forget_streams, names)
    after = ""
    while names := await instance.logs.empty(before, after, NAMES):
        after = names[-1]
        removed += await instance.logs.drop(await instance.db.read(over, names), before)
    return removed


for _category in (
    Category(
        "jobs",
        "Jobs that have ended, with their attempts",
        timedelta(days=90),
        governed="process-attempts",
        sweep=_jobs,
    ),
    Category("housekeeping-jobs", "Ended jobs of the housekeeping lane", timedelta(days=2), _chores, every=6 * HOUR),
    Category("schedule-runs", "Due times that have fired", timedelta(days=30), _runs),
    Category(
        "domain-events",
        "Domain events, except those of deployments",
        timedelta(days=180),
        governed="domain-event-streams",
        sweep=_events,
    ),
    Category(
        "audit-events",
        "Audit events that nothing holds; a tombstone of each stays",
        timedelta(days=730),
        governed="audit-rows",
        sweep=_audit,
    ),
    Category(
        "log-lines",
        "Log lines of what runs; of each stream the newest 64 MB, or as set",
        timedelta(days=14),
        _lines,
        every=HOUR,
    ),
    Category(
        "streams",
        "What is known of streams that hold no events or lines any more",
        timedelta(days=180),
        _streams,
    ),
):
    register(_category)
