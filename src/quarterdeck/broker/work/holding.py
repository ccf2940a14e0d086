"""A job, and its request, that nobody else changes until the unit ends.

Locks are taken in one order: the ledger's job, the broker's job, its request, then wraps and data keys. The ledger
holds its job already while it claims, hears reports and ends it.
"""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.kernel.jobs.job import Job
from quarterdeck.kernel.jobs.transitions import State


def find(tx: Tx, uid: str, organization_id: int) -> BrokerJob:
    """Raises `NotFound` (`broker_job_not_found`)."""
    job = tx.first(select(BrokerJob).where(BrokerJob.uid == uid, BrokerJob.organization_id == organization_id))
    if job is None:
        raise missing()
    return job


def held(tx: Tx, job: BrokerJob) -> tuple[BrokerJob, Job | None]:
    """The job and its ledger job as they stand, with their locks; one that ended long ago has no ledger job any more.
    Raises `NotFound` (`broker_job_not_found`).
    """
    carried = None
    if job.ledger_id is not None and look(tx, job.ledger_id) is not None:
        carried = jobs.held(tx, job.ledger_id)
    row = locked(tx, job.id)
    if row is None:
        raise missing()
    return row, carried


def locked(tx: Tx, job_id: int) -> BrokerJob | None:
    """The job alone, read again: for whoever holds its ledger job."""
    return tx.session.get(BrokerJob, job_id, with_for_update=_for_update(tx), populate_existing=True)


def carried(tx: Tx, ledger_id: int) -> BrokerJob | None:
    """The job that a ledger job carries, with its lock: for whoever holds the ledger job."""
    found = tx.execute(select(BrokerJob.id).where(BrokerJob.ledger_id == ledger_id)).scalar()
    return locked(tx, found) if found is not None else None


def request_of(tx: Tx, job: BrokerJob) -> Request | None:
    """The request of a job that the unit holds, with its lock."""
    if job.request_id is None:
        return None
    return tx.session.get(Request, job.request_id, with_for_update=_for_update(tx), populate_existing=True)


def of_request(tx: Tx, request: Request) -> tuple[BrokerJob | None, Job | None]:
    """The job of a request and its ledger job, with their locks, taken before that of the request."""
    job = tx.get(BrokerJob, request.job_id) if request.job_id is not None else None
    return held(tx, job) if job is not None else (None, None)


def runs_for(carried: Job | None, owner: str) -> bool:
    """Whether the attempt that runs is this owner's."""
    return carried is not None and carried.state == State.RUNNING and carried.owner == owner


def holder(tx: Tx, carried: Job) -> Worker | None:
    """The worker behind a ledger job's owner; None for the server's own."""
    kind, _, uid = (carried.owner or "").partition(":")
    return tx.first(select(Worker).where(Worker.uid == uid)) if kind in {"agent", "worker"} else None


def foreign(carried: Job) -> bool:
    """Whether a foreign agent has it, which speaks the documented calls."""
    return (carried.owner or "").startswith("agent:")


def missing() -> NotFound:
    return NotFound("There is no such job.", code="broker_job_not_found", hint="Claim a job first.")


def _for_update(tx: Tx) -> bool | None:
    return tx.dialect == "postgresql" or None
