"""What the end of an attempt means for its job and its request. The ledger calls it, in the unit that ends its own
job.
"""

from __future__ import annotations

from quarterdeck.broker import acting
from quarterdeck.broker.work import holding
from quarterdeck.broker.work.actions import JobAction, note
from quarterdeck.broker.work.creating import ATTEMPTS
from quarterdeck.broker.work.effects import effects
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.sanitising import sanitised
from quarterdeck.broker.work.transitions import CANCELLED, CLAIMED, FAILED, QUEUED, SUCCEEDED, move
from quarterdeck.broker.work.types import TAKES_VALUES
from quarterdeck.broker.wraps import ending, refreshing
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.jobs.job import Job, Outcome
from quarterdeck.kernel.jobs.kinds import Fate
from quarterdeck.kernel.jobs.recovery import WORKER_LOST

LOST = "broker_agent_lost"
"""How a job says that nobody told its end."""


def fate(tx: Tx, carried: Job) -> Fate:
    """What becomes of an attempt whose agent has vanished: it is tried again, `ATTEMPTS` times in all. One that had
    taken a value cannot be: that was given out once.
    """
    job = holding.carried(tx, carried.id)
    if job is None or job.completed_at is not None or carried.attempts >= ATTEMPTS:
        return "failed"
    return "failed" if job.job_type in TAKES_VALUES and _values_taken(tx, job) else "again"


def returned(tx: Tx, carried: Job) -> None:
    """An attempt is over without an end, and its job waits again."""
    job = holding.carried(tx, carried.id)
    if job is None or job.status != CLAIMED:
        return
    worker = holding.holder(tx, carried)
    request = holding.request_of(tx, job)
    move(tx, job, QUEUED)
    if request is not None:
        refreshing.approved(tx, request)
    note(tx, job, JobAction.RETURNED, attempt=job.attempts, agent=worker.uid if worker is not None else None)


def finish(tx: Tx, carried: Job, outcome: Outcome) -> None:
    """The ledger's job has ended. What was cancelled is over already."""
    job = holding.carried(tx, carried.id)
    if job is None or job.completed_at is not None:
        return
    request = holding.request_of(tx, job)
    with acting.about(tx, job.correlation_uid, holding.holder(tx, carried)):
        code, message = _why(job, outcome)
        if outcome.state == "succeeded" and job.status == CLAIMED:
            move(tx, job, SUCCEEDED)
        elif outcome.state == "canceled":
            move(tx, job, CANCELLED, code=code, message=message)
        else:
            move(tx, job, FAILED, code=code, message=message)
        if request is not None:
            # What was meant for the agent is needed no more; what it delivered is nobody's unless it succeeded.
            ending.blank(tx, request, *(("in",) if job.status == SUCCEEDED else ("in", "out")))
        note(
            tx,
            job,
            JobAction.COMPLETED,
            "success" if job.status == SUCCEEDED else "failure",
            job_status=job.status,
            **({"error_code": code} if code and job.status != SUCCEEDED else {}),
        )
        effects.job_ended(tx, job)
    tx.flush()
    committing(tx, "broker.finish")


def _why(job: BrokerJob, outcome: Outcome) -> tuple[str | None, str | None]:
    if outcome.state == "succeeded":
        return None, None
    if outcome.error_code == WORKER_LOST:
        left = " It may have changed the secret: look there." if job.job_type in TAKES_VALUES else ""
        return LOST, f"{job.worker_name or 'The agent'} did not end attempt {job.attempts} of the job.{left}"
    told = outcome.error_message or "The agent gave no reason."
    return outcome.error_code or "broker_job_failed", sanitised(told)


def _values_taken(tx: Tx, job: BrokerJob) -> bool:
    request = holding.request_of(tx, job)
    return request is not None and ending.any_consumed(tx, request, "in")
