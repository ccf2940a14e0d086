"""An infrastructure job that nobody else changes until the unit ends.

Locks are taken in one order: the turn of the state's key, the ledger's job, the infrastructure job, its plan, its spec,
the cloud identity, the runner whose stack is changed (`infra-runner:…`, then `worker:…`), and last the state
(`infra-state:…`). The ledger holds its job already while it claims, hears reports and ends it. Where a worker is
decommissioned by another surface, `worker:…` is held first: the database ends one of two that wait for each other, and
that unit is run again.
"""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.kernel.jobs.job import Job

STATE, RUNNER = "infra-state:", "infra-runner:"


def turn(*, spec_uid: str | None = None, runner_uid: str | None = None) -> str | None:
    """The key whose jobs run one at a time: there is one writer for each state."""
    if spec_uid is not None:
        return f"{STATE}{spec_uid}"
    return f"{RUNNER}{runner_uid}" if runner_uid is not None else None


def held(tx: Tx, job: InfraJob) -> tuple[InfraJob, Job | None]:
    """The job and its ledger job as they stand, with their locks. A job that waits to be allowed has no ledger job yet,
    and one that ended long ago none any more. Raises `NotFound` (`infra_job_not_found`).
    """
    uid, carried = job.uid, None
    if job.ledger_id is not None and look(tx, job.ledger_id) is not None:
        carried = jobs.held(tx, job.ledger_id)
    row = locked(tx, job.id)
    if row is None:
        raise missing(uid)
    return row, carried


def locked(tx: Tx, job_id: int) -> InfraJob | None:
    """The job alone, read again: for whoever holds its ledger job, or knows that there is none."""
    return tx.session.get(InfraJob, job_id, with_for_update=tx.dialect == "postgresql" or None, populate_existing=True)


def carried(tx: Tx, ledger_id: int) -> InfraJob | None:
    """The job that a ledger job carries, with its lock: for whoever holds the ledger job."""
    found = tx.execute(select(InfraJob.id).where(InfraJob.ledger_id == ledger_id)).scalar()
    return locked(tx, found) if found is not None else None


def spec_of(tx: Tx, job: InfraJob) -> Spec | None:
    """The spec of a job that the unit holds, with its lock; None where it has none, or it is gone."""
    if job.spec_id is None:
        return None
    try:
        return specs.locked(tx, job.spec_id)
    except NotFound:
        return None


def missing(uid: str) -> NotFound:
    """What is told of a job that is not there, or that the caller may not see."""
    return NotFound(
        "Job not found", code="infra_job_not_found", hint=f"None that you may see is {uid[:40]}: look at the list."
    )
