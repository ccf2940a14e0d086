"""What time alone does to infrastructure jobs (contract: infra §4.5).

An attempt whose runner gives no sign of life loses its lease, and the ledger asks `finishing.fate` what becomes of it.
Here are those whose runner lives and does nothing: no report and no line for half an hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from quarterdeck.infra.work import holding
from quarterdeck.infra.work.happenings import happened
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import HELD
from quarterdeck.infra.work.types import may_have_changed
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.transitions import State

STALLED = timedelta(minutes=30)
CODE = "infra_job_stalled"
MOST = 500


def stalled(tx: Tx) -> list[InfraJob]:
    """Jobs that somebody holds and nothing was reported of for half an hour. They may still write lines."""
    heard = func.coalesce(InfraJob.told_at, InfraJob.claimed_at)
    query = select(InfraJob).where(
        InfraJob.completed_at.is_(None), InfraJob.status.in_(HELD), heard <= tx.now - STALLED
    )
    return list(tx.scalars(query.order_by(InfraJob.id).limit(MOST)))


def wrote(tx: Tx, job_id: int, at: datetime) -> None:
    """A line came: that is progress, too."""
    job = tx.get(InfraJob, job_id)
    if job is not None and job.completed_at is None and (job.told_at is None or job.told_at < at):
        job.told_at = at
        tx.flush()


def run(tx: Tx, job_id: int) -> bool:
    """Take a stalled job from its runner: a plan waits again, an apply that may have changed something has failed with
    what it may have left over. False where somebody was faster.
    """
    found = tx.get(InfraJob, job_id)
    if found is None:
        return False
    job, carried = holding.held(tx, found)
    heard = job.told_at or job.claimed_at
    if job.completed_at is not None or job.status not in HELD or heard is None or heard > tx.now - STALLED:
        return False
    if carried is None or carried.state != State.RUNNING:
        return False
    minutes = int(STALLED.total_seconds() // 60)
    told = f"{job.worker_name or 'Its runner'} lives, but has reported nothing for {minutes} minutes."
    happened(tx, job, "stalled", told)
    if may_have_changed(job):
        job.orphan_risk = True
        tx.flush()
        return jobs.give_up(tx, carried.id, CODE, f"{told}\nLook what it has changed before the next apply.")
    return jobs.take_back(tx, carried.id)
