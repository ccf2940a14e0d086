"""The end of a request: what was on its way is blanked, and a job that runs for it is told."""

from __future__ import annotations

from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.requests.transitions import EXECUTED, move
from quarterdeck.broker.work import cancelling
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.transitions import CLAIMED
from quarterdeck.broker.wraps import ending as wraps
from quarterdeck.kernel.db import Tx


def end(tx: Tx, request: Request, status: str, message: str, *, code: str | None = None) -> None:
    """Move it to a terminal status. Values that nobody will fetch any more are gone with it; those of a read that was
    executed stay until they are fetched or end by themselves.
    """
    move(tx, request, status, message, code=code)
    if status == EXECUTED:
        return
    wraps.blank(tx, request)
    if request.job_id is not None:
        job = tx.get(BrokerJob, request.job_id)
        if job is not None and job.completed_at is None:
            cancelling.cancel(tx, job, message)


def in_progress(tx: Tx, request: Request) -> bool:
    """Whether somebody has its job now, and may have changed something: then only that job's end is the truth."""
    job = tx.get(BrokerJob, request.job_id) if request.job_id is not None else None
    return job is not None and job.status == CLAIMED
