"""Who gets a job: foreign agents ask for one, the ledger's own workers are given them (contract: broker §2)."""

from __future__ import annotations

from quarterdeck.broker import acting
from quarterdeck.broker.agents import scopes
from quarterdeck.broker.agents.model import Agent
from quarterdeck.broker.agents.standing import SECRETS, owner
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.work import holding, placing
from quarterdeck.broker.work.actions import JobAction, note
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.transitions import CLAIMED, QUEUED, move
from quarterdeck.broker.wraps import refreshing
from quarterdeck.fleet.workers.confining import confinements
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.jobs.job import Job, Lane
from quarterdeck.kernel.jobs.ledger import waiting
from quarterdeck.kernel.jobs.recovery import held_by

LANES: tuple[Lane, ...] = ("urgent", "normal", "background")
MOST_HELD = 16
"""Jobs that one foreign agent holds at a time; the documented program takes four."""
TRIES = 5
"""Jobs whose orders cannot be made that end in one claim before it answers that there is none."""
OWN = "server"
"""What the server's own worker is called."""


def claim(tx: Tx, worker: Worker, agent: Agent) -> BrokerJob | None:
    """Start the oldest job that a foreign agent may take, which holds it for the lease from then on; None when there is
    none, or it takes no more.
    """
    jobs.requeue_lapsed(tx)
    if not _takes(tx, worker):
        return None
    claimant = _claimant(worker, agent)
    for _ in range(TRIES):
        taken = jobs.claim(tx, claimant)
        if taken:
            return holding.carried(tx, taken[0].job.id)
        if not claimant.usable(waiting(tx)):
            break
    return None


def waits(tx: Tx, worker: Worker, agent: Agent) -> bool:
    """Whether a claim could get something: a read, so that agents that ask in vain write nothing."""
    lapsed = tx.execute(
        "SELECT 1 FROM jobs WHERE lease_until IS NOT NULL AND lease_until <= :now LIMIT 1", {"now": micros(tx.now)}
    )
    return lapsed.first() is not None or _claimant(worker, agent).usable(waiting(tx)) != []


def _takes(tx: Tx, worker: Worker) -> bool:
    if worker.revoked_at is not None or worker.drain_requested_at is not None:
        return False
    return len(held_by(tx, owner(worker))) < MOST_HELD


def _claimant(worker: Worker, agent: Agent) -> jobs.Claimant:
    return jobs.Claimant(
        owner(worker),
        placing.has(agent),
        LANES,
        1,
        worker.id,
        frozenset({SECRETS}),
        worker.organization_id,
        confined=scopes.confining(agent.scope),
        barred=placing.barred(agent),
    )


def taken(tx: Tx, carried: Job) -> tuple[BrokerJob, Request | None]:
    """Note who has got a job that the ledger has just given away. Raises `Conflict` (`broker_job_ended`,
    `request_not_approved`) where nothing is to be done any more.
    """
    job = holding.carried(tx, carried.id)
    if job is not None and job.status == CLAIMED:  # its return into the queue could not be noted
        move(tx, job, QUEUED)
    if job is None or job.status != QUEUED:
        raise Conflict("This job has ended.", code="broker_job_ended", hint="Nothing is left to do.")
    request = holding.request_of(tx, job)
    if job.request_id is not None:
        require_approved(tx, request)
    worker = holding.holder(tx, carried)
    move(tx, job, CLAIMED)
    job.worker_id = worker.id if worker is not None else None
    job.worker_name = worker.name if worker is not None else OWN
    if request is not None:
        refreshing.claimed(tx, request)
    with acting.about(tx, job.correlation_uid, worker):
        note(tx, job, JobAction.CLAIMED, attempt=job.attempts)
    tx.flush()
    committing(tx, "broker.claim")
    return job, request


def require_approved(tx: Tx, request: Request | None) -> Request:
    """Raises `Conflict` (`request_not_approved`): it was never allowed, is over, or came too late."""
    late = request is not None and request.expires_at is not None and request.expires_at <= tx.now
    if request is None or request.status != "approved" or late:
        raise Conflict(
            "The request that this belongs to is not approved.",
            code="request_not_approved",
            hint="Drop the job; a request that has expired has to be made again.",
        )
    return request


confinements.register("secrets", placing.confined_worker)
