"""A DESTROY that somebody has to agree to waits outside of the ledger: nobody can claim what is not in it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import QUEUED
from quarterdeck.infra.work.types import DESTROY
from quarterdeck.kernel.db import Tx


def waits(job: InfraJob) -> bool:
    """Whether a job waits to be allowed."""
    return job.job_type == "DESTROY" and job.status == "QUEUED" and job.ledger_id is None


def waiting(tx: Tx, specs: Collection[int]) -> frozenset[int | None]:
    """Which of these specifications, by row ids, have a destruction that waits to be allowed."""
    if not specs:
        return frozenset()
    held = (InfraJob.job_type == DESTROY, InfraJob.status == QUEUED, InfraJob.ledger_id.is_(None))
    return frozenset(tx.scalars(select(InfraJob.spec_id).where(InfraJob.spec_id.in_(specs), *held)))


def decided(tx: Tx, job: InfraJob, *, rejected: bool, comment: str | None) -> None:
    """Somebody has said what they think of a job that waits: the last one needed lets it begin, a refusal ends it. The
    caller holds the turn of its state.
    """
    from quarterdeck.infra.plans import approvals
    from quarterdeck.infra.work import cancelling, creating

    if rejected:
        cancelling.cancel(tx, job, f"Rejected: {comment}" if comment else "Rejected.", audited=False)
    elif not approvals.needed(tx, job).missing:
        creating.release(tx, job)
