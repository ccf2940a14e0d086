"""What infrastructure tells and asks of the reader: plans to agree to, what may have been left behind, drift, forgotten
locks, what goes on, and what words find.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import and_, or_, select

from quarterdeck.access import Access
from quarterdeck.console.domain import infra_job_views as jobs
from quarterdeck.console.domain import infra_plans
from quarterdeck.console.state import tone
from quarterdeck.console.views.home import NeedsYou, RunningNow
from quarterdeck.console.views.infra import PLANS, SPECS, ZONES
from quarterdeck.console.views.ledger import Found
from quarterdeck.console.views.shell import Count
from quarterdeck.console.words import ago, counted
from quarterdeck.infra.plans import approvals, law
from quarterdeck.infra.plans.model import Approval, Plan
from quarterdeck.infra.specs import listing
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import locks
from quarterdeck.infra.states.model import State
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel.db import Tx
from quarterdeck.workspace.model import Project

AGREE, APPLY = "infra:plans.approve", "infra:jobs.apply"
MOST, RECENT = 20, timedelta(days=7)


def needs(tx: Tx, access: Access) -> tuple[NeedsYou, ...]:
    """Questions first, then what may have been left over, then what is merely not as it should be."""
    asked = _to_agree(tx) if access.decide(tx.principal, AGREE).allowed else ()
    ready = _to_apply(tx) if access.decide(tx.principal, APPLY).allowed else ()
    return (*asked, *ready, *_orphans(tx), *_locks(tx), *_drifted(tx))


def _waiting(tx: Tx) -> Iterator[tuple[InfraJob, Spec]]:
    """Plans of the configuration as it is, that nobody has applied, and destructions that wait to be allowed: the
    newest of each specification.
    """
    plan = and_(
        InfraJob.job_type == "PLAN",
        InfraJob.status == "SUCCESS",
        InfraJob.read_only.is_(False),
        InfraJob.configuration_hash == Spec.configuration_hash,
        Plan.applied_at.is_(None),
        InfraJob.created_at > tx.now - RECENT,
    )
    destruction = and_(InfraJob.job_type == "DESTROY", InfraJob.status == "QUEUED", InfraJob.ledger_id.is_(None))
    rows = tx.session.execute(
        select(InfraJob, Spec)
        .join(Spec, Spec.id == InfraJob.spec_id)
        .join(Zone, Zone.id == Spec.zone_id)
        .outerjoin(Plan, Plan.job_id == InfraJob.id)
        .where(
            InfraJob.organization_id == tx.principal.acts_in,
            or_(and_(plan, Zone.approvals > 0), and_(destruction, Zone.destroy_approvals > 0)),
        )
        .order_by(InfraJob.id.desc())
        .limit(MOST)
    )
    seen: set[tuple[int, str]] = set()
    for job, spec in rows:
        if (spec.id, job.job_type) not in seen:
            seen.add((spec.id, job.job_type))
            yield job, spec


def _said(tx: Tx, job: InfraJob) -> bool:
    mine = select(Approval.id).where(Approval.job_id == job.id, Approval.user_id == tx.principal.id)
    return tx.execute(mine.limit(1)).scalar() is not None


def _to_agree(tx: Tx) -> tuple[NeedsYou, ...]:
    """Those that the caller may agree to: not asked for by themselves, and nothing said yet."""
    items = []
    for job, spec in _waiting(tx):
        if job.owner_id == tx.principal.id or _said(tx, job):
            continue
        found = approvals.needed(tx, job)
        if found.refused_by or not found.missing:
            continue
        asker = jobs.rows(tx, [job])[0].by
        what = "destroy" if job.job_type == "DESTROY" else "plan for"
        word = f"Agree to {what} {spec.project_name}"
        meta = (f"{asker} asks, {ago(job.created_at, tx.now)}", f"{found.given} of {found.required} agree")
        items.append(NeedsYou("ask", word, f"{PLANS}/{job.uid}", meta, "Review"))
    return tuple(items)


def _to_apply(tx: Tx) -> tuple[NeedsYou, ...]:
    """The caller's own plans that everybody who has to agree has agreed to."""
    items = []
    for job, spec in _waiting(tx):
        mine = job.job_type == "PLAN" and job.owner_id == tx.principal.id
        if mine and law.applicable(tx, job, spec).ok and infra_plans.taken_by(tx, job) is None:
            meta = ("everybody who has to agree has", f"planned {ago(job.created_at, tx.now)}")
            word = f"The plan for {spec.project_name} can be applied"
            items.append(NeedsYou("ask", word, f"{PLANS}/{job.uid}", meta, "Apply"))
    return tuple(items)


def _orphans(tx: Tx) -> tuple[NeedsYou, ...]:
    here = (Spec.organization_id == tx.principal.acts_in, Spec.orphan_risk.is_not(None))
    found = tx.scalars(select(Spec).where(*here).order_by(Spec.updated_at.desc()).limit(MOST))
    return tuple(
        NeedsYou(
            "bad",
            f"{one.project_name} may have left something behind",
            f"{SPECS}/{one.uid}",
            ((one.orphan_risk or "").partition("\n")[0][:200],),
            "See what to do",
        )
        for one in found
    )


def _locks(tx: Tx) -> tuple[NeedsYou, ...]:
    """Of attempts that are over: nobody writes, and nobody lets go."""
    query = select(State).where(State.organization_id == tx.principal.acts_in, State.lock_id.is_not(None))
    items = []
    for state in tx.scalars(query.limit(MOST)):
        uid = state.subject.removeprefix("spec:")
        spec = tx.first(select(Spec).where(Spec.uid == uid)) if state.subject.startswith("spec:") else None
        if spec is None or locks.lives(tx, state):
            continue
        since = f"taken {ago(state.locked_at, tx.now)}" if state.locked_at else "nobody knows since when"
        who = str((state.lock or {}).get("Who") or "somebody")
        told = f"The state of {spec.project_name} is locked by nobody who works"
        items.append(NeedsYou("warn", told, f"{SPECS}/{spec.uid}/state", (f"left by {who}", since), "See the lock"))
    return tuple(items)


def _drifted(tx: Tx) -> tuple[NeedsYou, ...]:
    here = (Spec.organization_id == tx.principal.acts_in, Spec.drift_checked_at.is_not(None))
    found = tx.scalars(select(Spec).where(*here).order_by(Spec.drift_checked_at.desc()).limit(200))
    items = []
    for one in found:
        if not one.drift or not one.drift.get("drifted"):
            continue
        changes = one.drift.get("changes")
        number = len(changes) if isinstance(changes, list) else 0
        meta = [counted(number, "resource") + " changed by somebody else"] if number else ["changed by somebody else"]
        if one.drift_checked_at is not None:
            meta.append(f"seen {ago(one.drift_checked_at, tx.now)}")
        items.append(
            NeedsYou("warn", f"{one.project_name} has drifted", f"{SPECS}/{one.uid}#drift", tuple(meta), "See drift")
        )
    return tuple(items[:MOST])


def _live(tx: Tx, most: int) -> list[InfraJob]:
    here = (InfraJob.organization_id == tx.principal.acts_in, InfraJob.completed_at.is_(None))
    return list(tx.scalars(select(InfraJob).where(*here).order_by(InfraJob.id.desc()).limit(most)))


def going_on(tx: Tx, most: int) -> tuple[RunningNow, ...]:
    found = _live(tx, most)
    items = []
    for job, row in zip(found, jobs.rows(tx, found), strict=True):
        shown = tone(*row.state)
        items.append(
            RunningNow(
                f"{row.title} {row.about[0]}",
                jobs.page_of(job),
                ", ".join(filter(None, (row.runner, row.note))),
                None,
                row.started or row.queued,
                (shown.tone, shown.word),
            )
        )
    return tuple(items)


def count(tx: Tx, access: Access) -> Count:
    """Beside the room: violet, how many wait for the caller; where none does, how many jobs go on."""
    asked = len(_to_agree(tx)) if access.decide(tx.principal, AGREE).allowed else 0
    return Count("ask", asked) if asked else Count("run", len(_live(tx, 100)))


def search(tx: Tx, access: Access, words: str, limit: int) -> tuple[Found, ...]:
    """Specifications and zones whose names have the words, of what the caller may see."""
    found: list[Found] = []
    if access.decide(tx.principal, "infra:specs.view").allowed:
        found += [
            Found("infra", f"{one.project_name} ({one.environment_stage})", f"{SPECS}/{one.uid}", "Infrastructure")
            for one in listing.search(tx, words, limit)
        ]
    if access.decide(tx.principal, "infra:zones.view").allowed:
        query = (
            select(Zone.uid, Project.name)
            .join(Project, Project.id == Zone.project_id)
            .where(Zone.organization_id == tx.principal.acts_in, Project.name.icontains(words.strip(), autoescape=True))
        )
        found += [
            Found("infra", f"Zone {row.name}", f"{ZONES}/{row.uid}", "Infrastructure")
            for row in tx.execute(query.order_by(Zone.id.desc()).limit(limit))
        ]
    return tuple(found[:limit])
