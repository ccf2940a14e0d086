"""Whether a job changes the stack of a runner: one at a time does, and a runner goes only when none does."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict


def under_way(tx: Tx, worker: Worker) -> InfraJob | None:
    """The job that changes the stack of a runner, or waits to."""
    live = (InfraJob.subject_worker_id == worker.id, InfraJob.completed_at.is_(None))
    return tx.first(select(InfraJob).where(*live).order_by(InfraJob.id).limit(1))


def require(tx: Tx, worker: Worker) -> None:
    """Hold the stack of a runner still. Raises `Conflict` (`runner_busy`) while a job changes it, or waits to."""
    tx.lock(key(worker.uid))
    busy = under_way(tx, worker)
    if busy is not None:
        raise Conflict(
            f"The job {busy.uid} ({busy.job_type}) changes the runner {worker.name}.",
            code="runner_busy",
            hint="Wait for it, or cancel it.",
        )


def key(uid: str) -> str:
    """By which units that change the stack of a runner, or its registration, are kept apart."""
    return f"infra-runner:{uid}"
