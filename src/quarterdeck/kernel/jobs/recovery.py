"""Putting back what a dead worker, a dead process or the passing of time left behind. Nothing here executes work."""

from __future__ import annotations

from collections.abc import Iterable

from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs import ledger
from quarterdeck.kernel.jobs import transitions as step
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.kernel.jobs.job import COLUMNS, Job, Outcome
from quarterdeck.kernel.jobs.kinds import kinds
from quarterdeck.kernel.jobs.transitions import State

BATCH = 100
WORKER_LOST = "job_worker_lost"


def requeue_lapsed(tx: Tx, limit: int = BATCH) -> int:
    """Requeue attempts whose lease ended. Jobs that were to be canceled end as canceled; those that lapsed
    `ledger.LAPSES` times are dead-lettered. Answers how many were touched.
    """
    return _requeue(tx, "lease_until <= :now", {"now": micros(tx.now)}, limit)


def requeue_abandoned(tx: Tx, owner: str) -> int:
    """Requeue what `owner` still holds, whatever its lease says: call only when its process is known to be dead."""
    return _requeue(tx, "lease_until IS NOT NULL AND owner = :owner", {"owner": owner}, 1_000_000)


def held_by(tx: Tx, owner: str) -> dict[tuple[int, int], Job]:
    """What `owner` holds, by (id, fence)."""
    rows = tx.execute(
        f"SELECT {COLUMNS} FROM jobs WHERE lease_until IS NOT NULL AND owner = :owner",  # noqa: S608 - own words
        {"owner": owner},
    )
    return {(job.id, job.fence): job for job in (Job(*row) for row in rows)}


def running(tx: Tx, places: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the attempts, by (id, fence), that still hold their jobs."""
    found = ((place, look(tx, place[0])) for place in places)
    return {place for place, job in found if job is not None and (job.fence, job.state) == (place[1], State.RUNNING)}


def _requeue(tx: Tx, where: str, values: dict[str, object], limit: int) -> int:
    skip = " FOR UPDATE SKIP LOCKED" if tx.dialect == "postgresql" else ""
    rows = tx.execute(
        f"SELECT {COLUMNS} FROM jobs WHERE {where} ORDER BY lease_until LIMIT :limit{skip}",  # noqa: S608 - own words
        values | {"limit": limit},
    ).all()
    for row in rows:
        requeue(tx, Job(*row))
    return len(rows)


def requeue(tx: Tx, job: Job) -> None:
    """Put one attempt back whose worker no longer runs it."""
    kind = kinds.find(job.kind)
    if job.cancel_us is not None:
        ledger.end_lost(tx, job, step.STOP, Outcome("canceled", error_message=job.cancel_reason))
    elif kind is not None and kind.what_if_lost(tx, job) == "failed":
        told = "Its worker vanished while running it."
        ledger.end_lost(tx, job, step.FAIL, Outcome("failed", error_code=WORKER_LOST, error_message=told))
    elif job.lapses + 1 >= ledger.LAPSES:
        told = f"Its worker vanished {job.lapses + 1} times while running it."
        ledger.end_lost(tx, job, step.GIVE_UP, Outcome("failed", error_code=WORKER_LOST, error_message=told))
    else:
        ledger.wait(tx, job, step.REQUEUE, "lapsed")


def wake_parked(tx: Tx, limit: int = BATCH) -> int:
    """Let keyed jobs whose time has come stand in line, and take the turn where it is free."""
    hot, now = ledger.statements(tx), micros(tx.now)
    rows = tx.execute(
        "SELECT id, parked_key FROM jobs WHERE wake_at <= :now ORDER BY wake_at LIMIT :limit",
        {"now": now, "limit": limit},
    ).all()
    keys = sorted({key for _, key in rows if key is not None})
    if not keys:
        return 0
    hot.lock_keys(tx, keys)
    for key in keys:
        ledger.pass_turn(tx, key)
    tx.execute("UPDATE jobs SET wake_at = NULL WHERE id = :id", [{"id": job_id} for job_id, _ in rows])
    return len(rows)
