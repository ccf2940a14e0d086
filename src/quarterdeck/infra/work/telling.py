"""What people are told of infrastructure jobs: whoever asked for one hears how it ended."""

from __future__ import annotations

from datetime import timedelta

from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work import reading
from quarterdeck.infra.work.happenings import STREAM
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.text import shown
from quarterdeck.notify import tell

LATEST = timedelta(days=1)
"""What is older when it is heard of is no news."""
SUCCEEDED, FAILED = "infra_job_succeeded", "infra_job_failed"
TYPES = {"infra-job-success": SUCCEEDED, "infra-job-failed": FAILED, "infra-job-cancelled": FAILED}
LONGEST = 300


def hear(tx: Tx, event: events.Event) -> None:
    """The durable subscriber. Looks for drift tell of themselves; a cancellation is news where it left something."""
    job = reading.anybodys(tx, event.stream.removeprefix(STREAM)) if event.stream.startswith(STREAM) else None
    if job is None or job.read_only or event.at < tx.now - LATEST or not job.owner_id:
        return
    if event.type == "infra-job-cancelled" and not job.orphan_risk:
        return
    said = shown(" ".join(str(event.data.get("message") or "").split()), LONGEST)
    tell(
        tx,
        TYPES[event.type],
        [job.owner_id],
        f"{job.job_type} of {_about(tx, job)}: {job.status}",
        said,
        link=f"/console/infra/jobs/{job.uid}",
        organization_id=job.organization_id,
    )


def _about(tx: Tx, job: InfraJob) -> str:
    spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
    return spec.project_name if spec is not None else "a runner" if "worker_id" in job.snapshot else "a cloud identity"


events.subscribe("infra-job-notifications", tuple(TYPES), hear)
