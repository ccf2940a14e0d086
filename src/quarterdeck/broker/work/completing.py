"""The end of a job as a foreign agent tells it (contract: broker §2)."""

from __future__ import annotations

from quarterdeck.broker.agents.standing import owner
from quarterdeck.broker.work import holding
from quarterdeck.broker.work.actions import JobAction, note
from quarterdeck.broker.work.finishing import LOST
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.sanitising import sanitised
from quarterdeck.broker.work.transitions import CANCELLED, FAILED, SUCCEEDED
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, Problem
from quarterdeck.kernel.jobs.job import Outcome
from quarterdeck.kernel.jobs.ledger import Report, complete_many

CODE = "broker_agent_failed"


def complete(tx: Tx, worker: Worker, uid: str, status: str, error: str | None = None) -> BrokerJob:
    """End a job that a foreign agent holds; once more is a success and changes nothing. A lease that has lapsed counts
    until the job was put back: what the agent has done by then is done.

    Raises `Invalid` (`job_status_unknown`), `NotFound`, and `Conflict` (`broker_job_not_held`).
    """
    if status not in {SUCCEEDED, FAILED}:
        raise Invalid(
            f"{status[:40]!r} is not how a job ends.",
            code="job_status_unknown",
            hint="Send succeeded or failed.",
            field="status",
        )
    job, carried = holding.held(tx, holding.find(tx, uid, worker.organization_id))
    if job.completed_at is not None:
        if job.worker_id != worker.id or job.error_code == LOST or job.status == CANCELLED:
            raise _not_held(job)
        note(tx, job, JobAction.COMPLETED_AGAIN, job_status=job.status, told=status)
        return job
    if carried is None or not holding.runs_for(carried, owner(worker)):
        raise _not_held(job)
    outcome = (
        Outcome("succeeded")
        if status == SUCCEEDED
        else Outcome("failed", error_code=CODE, error_message=sanitised(error or "The agent gave no reason."))
    )
    report = Report(carried.id, carried.fence, outcome, carried.concurrency_key, owner(worker))
    if complete_many(tx, [report])[0] is None:
        raise jobs.Fenced("The attempt is over.")  # it was held still: unreachable
    return job


def note_refusal(tx: Tx, worker: Worker, uid: str, problem: Problem) -> None:
    """Write down, in a unit of its own, that an agent wanted to end a job that is not its own."""
    if problem.code == "broker_job_not_held":
        job = holding.find(tx, uid, worker.organization_id)
        note(tx, job, JobAction.COMPLETED, "denied", error_kind="not_held")


def _not_held(job: BrokerJob) -> Conflict:
    return Conflict(
        f"The job {job.uid} is not held by this agent.",
        code="broker_job_not_held",
        hint="Drop the outcome: the job was given to another agent, or waits again.",
    )
