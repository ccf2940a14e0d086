"""Signs of life of foreign runners. Those of enrolled workers come over their control channel."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from quarterdeck.fleet.workers.actions import CHANGED
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners.model import Release, Runner
from quarterdeck.infra.runners.standing import owner
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.recovery import held_by
from quarterdeck.kernel.text import shown

TOLD = timedelta(minutes=30)
"""For so long a canceled job is told to whoever had it (contract: infra §3.3)."""
MOST = 50


def beat(tx: Tx, worker: Worker, runner: Runner, version: str = "") -> list[str]:
    """A runner lives: what it holds stays its own. Answers which of its jobs it has to stop, by uid, newest first."""
    seen(tx, worker.id)
    note_version(tx, worker, runner, version)
    held = held_by(tx, owner(worker))
    if held:
        jobs.heartbeat(tx, list(held), owner(worker))
    return canceled(tx, worker)


def canceled(tx: Tx, worker: Worker) -> list[str]:
    """Jobs that were canceled lately while a runner had them, by uid, newest first."""
    since = tx.now - TOLD
    asked = (
        select(InfraJob.uid)
        .where(InfraJob.worker_id == worker.id, InfraJob.status == "CANCELLED", InfraJob.completed_at >= since)
        .order_by(InfraJob.completed_at.desc())
        .limit(MOST)
    )
    return [str(uid) for uid in tx.execute(asked).scalars()]


def seen(tx: Tx, worker_id: int) -> None:
    """It was heard at this moment."""
    row = tx.get(Worker, worker_id)
    if row is None or row.revoked_at is not None:
        return
    fresh = row.last_seen_at is not None and tx.now - row.last_seen_at < timedelta(seconds=1)
    if not fresh:
        first = row.first_seen_at or tx.now
        tx.execute(update(Worker).where(Worker.id == worker_id).values(last_seen_at=tx.now, first_seen_at=first))
        tx.publish(CHANGED, row.uid)


def note_version(tx: Tx, worker: Worker, runner: Runner, version: str) -> None:
    """What it says that it is, and which release that makes it."""
    told = shown(version.strip(), 40)
    if told and told != worker.version:
        worker.version = told
        runner.release_id = tx.execute(select(Release.id).where(Release.version == told)).scalar()
