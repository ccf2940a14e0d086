"""The states of a job and the only way between them. A terminal one stays."""

from __future__ import annotations

from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict

QUEUED, CLAIMED = "queued", "claimed"
SUCCEEDED, FAILED, CANCELLED = "succeeded", "failed", "cancelled"
LIVE = (QUEUED, CLAIMED)
ENDED = (SUCCEEDED, FAILED, CANCELLED)

MOVES: dict[str, frozenset[str]] = {
    # `FAILED`: its order could not be made, and nobody got it.
    QUEUED: frozenset({CLAIMED, FAILED, CANCELLED}),
    CLAIMED: frozenset({QUEUED, SUCCEEDED, FAILED, CANCELLED}),
    SUCCEEDED: frozenset(),
    FAILED: frozenset(),
    CANCELLED: frozenset(),
}


def move(tx: Tx, job: BrokerJob, status: str, *, code: str | None = None, message: str | None = None) -> None:
    """Assign a new status; `code` and `message` say why it failed or was cancelled. Raises `Conflict`
    (`broker_job_state`) where no way leads there.
    """
    if status not in MOVES[job.status]:
        raise Conflict(
            f"Job {job.uid} is {job.status} and cannot become {status}.",
            code="broker_job_state",
            hint="Read it again; its state may have changed meanwhile.",
        )
    job.status, job.updated_at = status, tx.now
    if status == QUEUED:
        job.worker_id = job.worker_name = job.claimed_at = None
    elif status == CLAIMED:
        job.claimed_at = tx.now
        job.attempts += 1
    else:
        job.completed_at = tx.now
        job.error_code, job.error_message = code, message
    tx.flush()
