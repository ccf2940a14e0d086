"""What infrastructure asks of the caller, across specifications: plans to agree to and to apply, what may have been
left over, drift, and locks that nobody holds any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import defer, load_only

from quarterdeck.infra.plans import approvals, law
from quarterdeck.infra.plans.model import Approval, Plan
from quarterdeck.infra.specs.brief import BRIEF, HAS_DRIFTED
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import locks
from quarterdeck.infra.states.model import State
from quarterdeck.infra.work import reading
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel.db import Tx

DEPTH, MOST, LOOKED_AT = 100, 20, 200
"""Plans that are looked at, the newest first; things of a kind that are told; locked states that are looked at."""
RECENT = timedelta(days=7)
"""How long a plan is asked after: it can be applied no longer."""


def to_agree(tx: Tx) -> list[tuple[InfraJob, Spec, approvals.Needed]]:
    """Plans, and destructions that wait, which the caller may agree to: not asked for by themselves, nothing said
    yet, and somebody still missing.
    """
    found = []
    for job, spec in _waiting(tx):
        if job.owner_id == tx.principal.id or _said(tx, job):
            continue
        needed = approvals.needed(tx, job)
        if needed.missing and not needed.refused_by:
            found.append((job, spec, needed))
    return found[:MOST]


def to_apply(tx: Tx) -> list[tuple[InfraJob, Spec]]:
    """The caller's own plans that others had to agree to and have, and that nothing applies yet."""
    return [
        (job, spec)
        for job, spec in _waiting(tx)
        if job.job_type == "PLAN"
        and job.owner_id == tx.principal.id
        and law.applicable(tx, job, spec).ok
        and reading.taken_by(tx, job) is None
    ][:MOST]


def _waiting(tx: Tx) -> Iterator[tuple[InfraJob, Spec]]:
    """Plans of the configuration as it is, that nobody has applied, and destructions that wait to be allowed, where
    somebody has to agree: the newest of each specification.
    """
    plan = and_(
        InfraJob.job_type == "PLAN",
        InfraJob.status == "SUCCESS",
        InfraJob.read_only.is_(False),
        InfraJob.configuration_hash == Spec.configuration_hash,
        InfraJob.created_at > tx.now - RECENT,
        Plan.applied_at.is_(None),
        Zone.approvals > 0,
    )
    destruction = and_(
        InfraJob.job_type == "DESTROY",
        InfraJob.status == "QUEUED",
        InfraJob.ledger_id.is_(None),
        Zone.destroy_approvals > 0,
    )
    rows = tx.session.execute(
        select(InfraJob, Spec)
        .options(defer(InfraJob.snapshot), defer(InfraJob.execution_metadata), BRIEF)
        .join(Spec, Spec.id == InfraJob.spec_id)
        .join(Zone, or_(Zone.id == Spec.zone_id, Zone.id == InfraJob.zone_id))
        .outerjoin(Plan, Plan.job_id == InfraJob.id)
        .where(InfraJob.organization_id == tx.principal.acts_in, or_(plan, destruction))
        .order_by(InfraJob.id.desc())
        .limit(DEPTH)
    )
    seen: set[tuple[int, str]] = set()
    for job, spec in rows:
        if (spec.id, job.job_type) not in seen:
            seen.add((spec.id, job.job_type))
            yield job, spec


def _said(tx: Tx, job: InfraJob) -> bool:
    mine = select(Approval.id).where(Approval.job_id == job.id, Approval.user_id == tx.principal.id)
    return tx.execute(mine.limit(1)).scalar() is not None


def orphaned(tx: Tx) -> list[Spec]:
    """Specifications of which something may have been left over, the last changed first."""
    here = (Spec.organization_id == tx.principal.acts_in, Spec.orphan_risk.is_not(None))
    told = load_only(Spec.orphan_risk)
    return list(tx.scalars(select(Spec).options(BRIEF, told).where(*here).order_by(Spec.updated_at.desc()).limit(MOST)))


def drifted(tx: Tx) -> list[Spec]:
    """Specifications that somebody else has changed, by the last look; the last looked at first."""
    here = (Spec.organization_id == tx.principal.acts_in, HAS_DRIFTED.is_(True))
    told = load_only(Spec.drift, Spec.drift_checked_at)
    return list(
        tx.scalars(select(Spec).options(BRIEF, told).where(*here).order_by(Spec.drift_checked_at.desc()).limit(MOST))
    )


def left_locks(tx: Tx) -> list[tuple[State, Spec]]:
    """States of specifications that are locked by an attempt which is over."""
    rows = tx.session.execute(
        select(State, Spec)
        .options(BRIEF)
        .join(Spec, State.subject == "spec:" + Spec.uid)
        .where(State.organization_id == tx.principal.acts_in, State.lock_id.is_not(None))
        .order_by(State.locked_at)
        .limit(LOOKED_AT)
    )
    return [(state, spec) for state, spec in rows if not locks.lives(tx, state)][:MOST]
