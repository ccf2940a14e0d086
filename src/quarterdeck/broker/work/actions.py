"""What of jobs is audited (contract: broker §7), under the correlation id of the request where there is one."""

from __future__ import annotations

from quarterdeck.broker import acting
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import Outcome
from quarterdeck.kernel.db import Tx


class JobAction(audit.Action):
    ENQUEUED = "job.enqueue"
    CLAIMED = "job.claim"
    RETURNED = "job.requeue"
    COMPLETED = "job.complete"
    COMPLETED_AGAIN = "job.complete.idempotent"


def note(tx: Tx, job: BrokerJob, action: JobAction, outcome: Outcome = "success", **detail: object) -> None:
    with acting.about(tx, job.correlation_uid):
        audit.record(
            tx,
            action,
            resource_type="job",
            resource_id=job.uid,
            organization_id=job.organization_id,
            outcome=outcome,
            detail={"job_type": job.job_type, **detail},
        )
