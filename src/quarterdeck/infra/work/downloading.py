"""That a job, or the runner that has it, was given a state or a saved plan: both may hold secrets. Terraform asks for a
state many times, so it is told once for each attempt and kind.
"""

from __future__ import annotations

from typing import Literal

from quarterdeck.infra.work import holding
from quarterdeck.infra.work.actions import InfraJobAction
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx

Kind = Literal["state", "saved-plan"]
ACTIONS = {"state": InfraJobAction.STATE_READ, "saved-plan": InfraJobAction.SAVED_PLAN_READ}


def untold(job: InfraJob, kind: Kind, fence: int | None) -> bool:
    """Whether this is the first time that the attempt of this fence asks; None is a runner that had the job."""
    return job.downloads.get(kind) != (fence or 0)


def tell(tx: Tx, job_id: int, kind: Kind, fence: int | None) -> None:
    job = holding.locked(tx, job_id)
    if job is None or not untold(job, kind, fence):
        return
    job.downloads = {**job.downloads, kind: fence or 0}
    audit.record(
        tx,
        ACTIONS[kind],
        resource_type="infra-job",
        resource_id=job.uid,
        organization_id=job.organization_id,
        detail={"jobType": job.job_type, "attempt": job.attempts, "worker": job.worker_name},
    )
    tx.flush()
