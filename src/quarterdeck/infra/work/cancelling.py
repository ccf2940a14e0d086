"""Cancelling (contract: infra §4.6): what waits is over at once, so is what runs, and its runner is told to stop."""

from __future__ import annotations

from quarterdeck.infra.work import finishing, holding
from quarterdeck.infra.work.actions import InfraJobAction
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import LIVE
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.text import lines

LONGEST = 500


def cancel(tx: Tx, job: InfraJob, reason: str | None = None, *, audited: bool = True) -> InfraJob:
    """End a live job. The turn of its state stays taken until its runner has told its end, or has vanished: nobody
    writes the state beside it. Not `audited`: the caller writes the audit event of the act that this is a part of.
    Raises `Invalid` (`infra_job_not_cancellable`) for one that has ended.
    """
    row, carried = holding.held(tx, job)
    if row.status not in LIVE:
        raise Invalid(
            f"Cannot cancel a job with status {row.status}",
            code="infra_job_not_cancellable",
            hint="Nothing runs any more.",
        )
    before, why = row.status, lines(reason, "reason", LONGEST) if reason else ""
    told = f"Cancelled by {tx.principal.label}."
    finishing.cancel(tx, row, f"{told} {why}" if why else told)
    tx.flush()
    if carried is not None and not carried.ended:
        jobs.cancel(tx, carried.id, told, audited=False)
    if audited:
        audit.record(
            tx,
            InfraJobAction.CANCELLED,
            resource_type="infra-job",
            resource_id=row.uid,
            organization_id=row.organization_id,
            detail={"from": before, "jobType": row.job_type, "reason": why or None, "orphanRisk": row.orphan_risk},
        )
    committing(tx, "infra.cancel")
    return row
