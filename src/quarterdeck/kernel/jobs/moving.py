"""Moving work from one worker to another: a pin of what waits, and taking back what runs."""

from __future__ import annotations

from quarterdeck.kernel.bus import Concern
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.jobs import ledger, recovery, routes
from quarterdeck.kernel.jobs import transitions as step
from quarterdeck.kernel.jobs.finding import get
from quarterdeck.kernel.jobs.job import Job
from quarterdeck.kernel.jobs.transitions import State

NOT_WAITING = "job_not_waiting"
_PIN = "UPDATE jobs SET worker_id = :worker WHERE id = :id"
_ROUTE = f"UPDATE jobs SET route = {routes.SPELT} WHERE id = :id AND route IS NOT NULL"  # noqa: S608 - own words


def pin(tx: Tx, job_id: int, worker_id: int | None) -> Job:
    """Pin a waiting job to an enrolled worker, or to none. One that is parked keeps its place in the line. Raises
    `NotFound`, and `Conflict` (`job_not_waiting`) for what runs or has ended.
    """
    job = held(tx, job_id)
    if not step.CANCEL.allows(job.state):
        raise Conflict(
            f"Job {job.uid} is {job.state}, so it waits for no worker.",
            code=NOT_WAITING,
            hint="Reload the job; its state may have changed meanwhile.",
        )
    tx.execute(_PIN, {"worker": worker_id, "id": job_id})
    tx.execute(_ROUTE, {"id": job_id})
    tx.publish(ledger.WAKE, frozenset({Concern(job.organization_id, job.subject)}))
    return get(tx, job_id)


def take_back(tx: Tx, job_id: int) -> bool:
    """Treat a running attempt as one whose worker has vanished, whatever its lease says: as its kind decides, it waits
    again or the job ends. Its worker hears that it is lost. False when it does not run.
    """
    job = held(tx, job_id)
    if job.state != State.RUNNING:
        return False
    recovery.requeue(tx, job)
    return True


def held(tx: Tx, job_id: int) -> Job:
    """The job, with the turn of its concurrency key and its row held still until the unit ends, in this order. Raises
    `NotFound`.
    """
    job = get(tx, job_id)
    if tx.dialect == "postgresql":
        if job.concurrency_key is not None:
            ledger.statements(tx).lock_keys(tx, [job.concurrency_key])
        tx.execute("SELECT 1 FROM jobs WHERE id = :id FOR UPDATE", {"id": job_id})
        job = get(tx, job_id)
    return job
