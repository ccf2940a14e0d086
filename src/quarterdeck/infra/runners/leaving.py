"""The end of a runner: its record goes, what it had is given back, nothing is torn down (contract: infra §1.4)."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from quarterdeck.fleet.workers import draining
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners import idle, listing
from quarterdeck.infra.runners.actions import RunnerAction, note
from quarterdeck.infra.runners.model import DefaultRunner, Runner
from quarterdeck.infra.runners.standing import CAPABILITIES, owner
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import QUEUED
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.jobs.recovery import held_by


def require_own(tx: Tx, uid: str) -> Worker:
    """A runner that is looked after in the caller's organization. Raises `NotFound`, and `Forbidden`
    (`runner_of_others`) for a cloud-hosted one that is looked after elsewhere.
    """
    worker = listing.find(tx, uid).worker
    if worker.organization_id != tx.principal.acts_in:
        raise Forbidden(
            "You can only change your own workers",
            code="runner_of_others",
            hint="Cloud-hosted runners are looked after in the organization that this installation began with.",
        )
    return worker


def remove(tx: Tx, worker: Worker) -> None:
    """Its jobs wait for another one, or fail where they may have changed something. A worker that does other work too
    stays one for that, without this capability from its next connection on: tell it by `WorkerControl.dial_again`, a
    decommissioned one by `send_away`. Raises `Conflict` (`runner_busy`) while a job changes its stack.
    """
    idle.require(tx, worker)
    forget(tx, worker)


def forget(tx: Tx, worker: Worker) -> None:
    """The same whatever changes its stack: for the end of the job that has taken it down."""
    tx.lock(f"worker:{worker.uid}")
    tx.session.refresh(worker)
    if worker.revoked_at is not None:
        return
    others = sorted(set(worker.capabilities) - CAPABILITIES)
    if not others:
        give_up(tx, worker)
        draining.decommission(tx, worker)
        return
    note(tx, worker, RunnerAction.REMOVED)
    worker.capabilities = others
    tx.flush()
    give_up(tx, worker)


def give_up(tx: Tx, worker: Worker) -> None:
    """Take a worker's part as a runner away."""
    running = {**held_by(tx, owner(worker)), **held_by(tx, draining.owner(worker))}
    for job in running.values():
        if (job.subject or "").startswith("infra-job:"):
            jobs.take_back(tx, job.id)
    waiting = select(InfraJob).where(InfraJob.assigned_worker_id == worker.id, InfraJob.completed_at.is_(None))
    for pinned in tx.scalars(waiting):
        if pinned.status == QUEUED and pinned.ledger_id is not None:
            jobs.pin(tx, pinned.ledger_id, None)
    for column in (InfraJob.worker_id, InfraJob.assigned_worker_id):
        tx.execute(update(InfraJob).where(column == worker.id).values({column: None}))
    tx.execute(delete(DefaultRunner).where(DefaultRunner.worker_id == worker.id))
    tx.execute(delete(Runner).where(Runner.worker_id == worker.id))


def depart(tx: Tx, worker: Worker) -> None:
    """The rule for a worker that is decommissioned by whatever surface. Raises `Conflict` (`runner_busy`)."""
    if tx.first(select(Runner).where(Runner.worker_id == worker.id)) is not None:
        idle.require(tx, worker)
    give_up(tx, worker)


draining.departures.register("infra-runner", depart)
