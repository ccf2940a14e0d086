"""Plans by the jobs that made them."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.infra.plans.model import Plan
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx


def of(tx: Tx, job: InfraJob) -> Plan | None:
    """What the job would change, where anything was told of it; as it is now."""
    return tx.first(select(Plan).where(Plan.job_id == job.id).execution_options(populate_existing=True))


def held(tx: Tx, job: InfraJob) -> Plan | None:
    """The same, held until the unit ends. Taken after the job."""
    tx.lock(f"infra-plan:{job.id}")
    return of(tx, job)


def made(tx: Tx, job: InfraJob) -> Plan:
    """The same, made where there is none."""
    return held(tx, job) or tx.add(
        Plan(
            uid=tx.ids.uid(),
            job_id=job.id,
            spec_id=job.spec_id,
            summary={},
            changes=[],
            drift=[],
            created_at=tx.now,
        )
    )
