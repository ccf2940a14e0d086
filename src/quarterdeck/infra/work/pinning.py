"""Which runner has to take a job that waits (contract: infra §4.4): a pin to one that never comes back is changed."""

from __future__ import annotations

from quarterdeck.fleet.workers import draining
from quarterdeck.infra.execution.orders import RUNNER_JOBS
from quarterdeck.infra.runners import lifting, listing, standing
from quarterdeck.infra.work import holding
from quarterdeck.infra.work.actions import InfraJobAction
from quarterdeck.infra.work.happenings import happened
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import QUEUED
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict


def pin(tx: Tx, job: InfraJob, worker_uid: str | None) -> InfraJob:
    """Pin a waiting job to a runner that the caller may use, or with None to none. Raises `NotFound`
    (`runner_not_found`) and `Conflict` (`infra_job_not_waiting`, `worker_decommissioned`, `runner_takes_no_jobs`).
    """
    row, carried = holding.held(tx, job)
    if row.status != QUEUED:
        raise Conflict(
            f"Job {row.uid} is {row.status}, so no runner can be chosen for it any more.",
            code="infra_job_not_waiting",
            hint="Cancel it and ask for it anew, or rerun it once it has ended.",
        )
    worker = listing.usable(tx, worker_uid) if worker_uid else None
    if worker is not None:
        draining.require_in_service(worker)
        standing.require_takes_jobs(worker, look=row.read_only)
        lifting.require_another(worker, row.snapshot.get("worker_id") if row.job_type in RUNNER_JOBS else None)
    if row.assigned_worker_id == (worker.id if worker is not None else None):
        return row
    row.assigned_worker_id = worker.id if worker is not None else None
    row.updated_at = tx.now
    tx.flush()
    if carried is not None:
        jobs.pin(tx, carried.id, row.assigned_worker_id)
    told = f"The job is for {worker.name} alone." if worker is not None else "Any runner may take the job."
    happened(tx, row, "pinned", told, workerId=worker.uid if worker is not None else None)
    audit.record(
        tx,
        InfraJobAction.PINNED,
        resource_type="infra-job",
        resource_id=row.uid,
        detail={"assignedWorkerId": worker.uid if worker is not None else None},
    )
    return row
