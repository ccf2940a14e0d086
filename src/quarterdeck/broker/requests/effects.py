"""What the end of a job means for its request, in the same unit."""

from __future__ import annotations

from quarterdeck.broker.requests import ending, finding
from quarterdeck.broker.requests.actions import RequestAction
from quarterdeck.broker.requests.happenings import audited
from quarterdeck.broker.requests.transitions import APPROVED, EXECUTED, FAILED
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.kernel.db import Tx

SUCCEEDED = "succeeded"


def job_ended(tx: Tx, job: BrokerJob) -> None:
    """A request that still waits for this job is executed, or has failed; one that ended otherwise stays as it is."""
    if job.request_id is None:
        return
    request = finding.held(tx, job.request_id)
    if request.status != APPROVED or request.job_id != job.id:
        return
    done = job.status == SUCCEEDED
    status = EXECUTED if done else FAILED
    said = "Its agent has carried it out." if done else job.error_message or "Its agent could not carry it out."
    audited(
        tx,
        request,
        RequestAction.TRANSITION,
        outcome="success" if done else "failure",
        target=status,
        job_id=job.uid,
        code=None if done else job.error_code,
    )
    ending.end(tx, request, status, said, code=None if done else job.error_code or "broker_job_failed")
