"""What happens to an infrastructure job, as events of its stream."""

from __future__ import annotations

from typing import Any

from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx

STREAM = "infra-job:"
CHANGED = "infra-jobs"
"""The topic that says: an infrastructure job has changed, or waits."""


def stream(uid: str) -> str:
    """The name of a job's events and of its lines, and the subject of its ledger job."""
    return f"{STREAM}{uid}"


def happened(tx: Tx, job: InfraJob, word: str, message: str, **data: Any) -> None:
    """Append `infra-job-<word>`. Data that is None is left out; nothing in it may be secret."""
    told: dict[str, Any] = {
        "message": message[:2000],
        "jobType": job.job_type,
        "status": job.status,
        "actor": tx.principal.label if tx.principal.kind == "user" else None,
        **data,
    }
    told = {name: value for name, value in told.items() if value is not None}
    events.append(tx, stream(job.uid), f"infra-job-{word}", told, organization_id=job.organization_id)
    tx.publish(CHANGED, job.uid)
