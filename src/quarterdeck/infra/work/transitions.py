"""The states of an infrastructure job and the only way between them (contract: infra §4.4). A terminal one stays."""

from __future__ import annotations

from quarterdeck.infra.work.happenings import happened
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.storable import storable

QUEUED, CLAIMED, PROCESSING = "QUEUED", "CLAIMED", "PROCESSING"
SUCCESS, FAILED, CANCELLED = "SUCCESS", "FAILED", "CANCELLED"
LIVE = (QUEUED, CLAIMED, PROCESSING)
HELD = (CLAIMED, PROCESSING)
"""Somebody has it."""
ENDED = (SUCCESS, FAILED, CANCELLED)
STATUSES = (*LIVE, *ENDED)
LONGEST = 16_384
"""Characters of an error message."""

MOVES: dict[str, frozenset[str]] = {
    # `FAILED`: its order could not be made, and nobody got it.
    QUEUED: frozenset({CLAIMED, FAILED, CANCELLED}),
    CLAIMED: frozenset({QUEUED, PROCESSING, FAILED, CANCELLED}),
    PROCESSING: frozenset({QUEUED, SUCCESS, FAILED, CANCELLED}),
    SUCCESS: frozenset(),
    FAILED: frozenset(),
    CANCELLED: frozenset(),
}


def move(tx: Tx, job: InfraJob, status: str, message: str, *, code: str | None = None, orphans: bool = False) -> None:
    """Assign a new status with its event. `message` is kept where the job failed or was cancelled, `code` beside it;
    `orphans`: something may have been left over. The credential of the attempt stays: one that is stopped has its state
    to write and its lock to give back. Raises `Conflict` (`infra_job_state`) where no way leads there.
    """
    before = job.status
    if status not in MOVES[before]:
        raise Conflict(
            f"Job {job.uid} is {before} and cannot become {status}.",
            code="infra_job_state",
            hint="Read the job again; its state may have changed meanwhile.",
        )
    told = str(storable(message[:LONGEST]))
    job.status = status
    job.updated_at = job.told_at = tx.now
    if status == QUEUED:
        job.worker_id = job.worker_name = job.claimed_at = job.started_at = job.stage = job.credential_hash = None
    elif status == CLAIMED:
        job.claimed_at = tx.now
        job.attempts += 1
    elif status == PROCESSING:
        job.started_at = job.started_at or tx.now
    else:
        job.completed_at = tx.now
        job.orphan_risk = job.orphan_risk or orphans
        if status != SUCCESS:
            job.error_code, job.error_message = code, told
    tx.flush()
    happened(tx, job, status.lower(), told, **{"from": before}, code=code, orphanRisk=job.orphan_risk or None)
