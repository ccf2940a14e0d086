"""Plans and destructions that wait for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased, defer, load_only

from quarterdeck.infra.plans.model import Plan
from quarterdeck.infra.specs.brief import BRIEF
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel.db import Tx

RECENT = timedelta(days=7)


def waiting(tx: Tx, most: int) -> Iterator[tuple[InfraJob, Spec]]:
    """Plans of the configuration as it is, that nobody has applied, and destructions that wait to be allowed: the
    newest of each specification, where its zone, or that which the job was asked for in, asks for approvals.
    """
    later = aliased(InfraJob)
    destroyed_since = select(later.id).where(
        later.spec_id == InfraJob.spec_id,
        later.job_type == "DESTROY",
        later.id > InfraJob.id,
        or_(later.completed_at.is_(None), later.status == "SUCCESS"),
    )
    plan = and_(
        InfraJob.job_type == "PLAN",
        InfraJob.status == "SUCCESS",
        InfraJob.read_only.is_(False),
        InfraJob.configuration_hash == Spec.configuration_hash,
        Plan.applied_at.is_(None),
        InfraJob.created_at > tx.now - RECENT,
        ~destroyed_since.exists(),
    )
    destruction = and_(InfraJob.job_type == "DESTROY", InfraJob.status == "QUEUED", InfraJob.ledger_id.is_(None))
    asked = InfraJob.asked_approvals > 0
    rows = tx.session.execute(
        select(InfraJob, Spec)
        .options(
            defer(InfraJob.snapshot), defer(InfraJob.execution_metadata), BRIEF, load_only(Spec.configuration_hash)
        )
        .join(Spec, Spec.id == InfraJob.spec_id)
        .join(Zone, or_(Zone.id == Spec.zone_id, Zone.id == InfraJob.zone_id))
        .outerjoin(Plan, Plan.job_id == InfraJob.id)
        .where(
            InfraJob.organization_id == tx.principal.acts_in,
            or_(
                and_(plan, or_(Zone.approvals > 0, asked)),
                and_(destruction, or_(Zone.destroy_approvals > 0, asked)),
            ),
        )
        .order_by(InfraJob.id.desc())
        .limit(most)
    )
    seen: set[tuple[int, str]] = set()
    for job, spec in rows:
        if (spec.id, job.job_type) not in seen:
            seen.add((spec.id, job.job_type))
            yield job, spec
