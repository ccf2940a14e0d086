"""Who has to agree before a plan is applied or something destroyed, and who has.

A zone's policy says how many people. Nobody agrees to what they asked for, the plan or its apply; each says something
once; one who says no closes it. What counts is the policy that asks for more people: of the time of the apply or of
that of the plan, of the zone where the specification is now or was when the job was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from sqlalchemy import select

from quarterdeck.infra.plans import destroying, plans, voters
from quarterdeck.infra.plans.actions import PlanAction
from quarterdeck.infra.plans.model import Approval
from quarterdeck.infra.specs import snapshots
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import states
from quarterdeck.infra.work import holding
from quarterdeck.infra.work.happenings import happened
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import SUCCESS
from quarterdeck.infra.work.types import DEPLOY, DESTROY, PLAN
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden
from quarterdeck.kernel.text import lines

if TYPE_CHECKING:
    from quarterdeck.infra.plans.law import Verdict

APPROVED, REJECTED = "approved", "rejected"
Decision = Literal["approved", "rejected"]
LONGEST_COMMENT = 2000


class Needed(NamedTuple):
    """How many people have to agree, how many have whose word counts, and who has said no (row ids of users)."""

    required: int
    given: int
    refused_by: tuple[int, ...] = ()

    @property
    def missing(self) -> int:
        return max(self.required - self.given, 0)


class Known:
    """What `needed` asks the database for, of many jobs at once."""

    def __init__(self, tx: Tx, some: Sequence[tuple[InfraJob, Spec]]) -> None:
        self.zones: dict[int, Zone] = {}
        self._votes: dict[int, list[Approval]] = {}
        self._askers: dict[int, set[int]] = {}
        self.entitled: frozenset[int] = frozenset()
        self.states: dict[int, tuple[int | None, str | None]] = {}
        if some:
            self._ask(tx, some)

    def _ask(self, tx: Tx, some: Sequence[tuple[InfraJob, Spec]]) -> None:
        ids = [job.id for job, _ in some]
        places = {place for job, spec in some for place in (job.zone_id, spec.zone_id) if place is not None}
        self.zones = {one.id: one for one in tx.scalars(select(Zone).where(Zone.id.in_(places)))}
        for vote in tx.scalars(select(Approval).where(Approval.job_id.in_(ids)).order_by(Approval.id)):
            self._votes.setdefault(vote.job_id, []).append(vote)
        applying = (InfraJob.plan_job_id.in_(ids), InfraJob.completed_at.is_(None))
        for plan, owner in tx.execute(select(InfraJob.plan_job_id, InfraJob.owner_id).where(*applying)):
            self._askers.setdefault(plan, set()).add(owner)
        agreed = {one.user_id for said in self._votes.values() for one in said if one.decision == APPROVED}
        self.entitled = voters.entitled(tx, agreed, tx.principal.acts_in)
        self.states = states.standings(tx, [spec for _, spec in some])

    def votes(self, job: InfraJob) -> Sequence[Approval]:
        return self._votes.get(job.id, ())

    def askers(self, job: InfraJob) -> set[int]:
        return self._askers.get(job.id, set())


def needed(tx: Tx, job: InfraJob, *, asker: int | None = None, known: Known | None = None) -> Needed:
    """Of a PLAN, a DESTROY, or a DEPLOY without a plan, which nobody can agree to. The word of `asker`, who asks for
    the apply, does not count, nor that of those whose jobs apply the plan now, or who might not agree to it any more.
    `known` is of many jobs, this one among them.
    """
    required = _required(tx, job, known)
    said = votes(tx, job) if known is None else known.votes(job)
    refused = tuple(one.user_id for one in said if one.decision == REJECTED)
    if _changed(tx, job) or moved(tx, job, known):
        return Needed(required, 0, refused)
    askers = {job.owner_id, asker, *(_askers(tx, job) if known is None else known.askers(job))}
    agreed = {one.user_id for one in said if one.decision == APPROVED} - askers
    able = voters.entitled(tx, agreed, job.organization_id) if known is None else known.entitled & agreed
    given = len(able)
    return Needed(required, given, refused)


def votes(tx: Tx, job: InfraJob) -> Sequence[Approval]:
    """What was said of a job, oldest first."""
    return list(tx.scalars(select(Approval).where(Approval.job_id == job.id).order_by(Approval.id)))


def require(tx: Tx, job: InfraJob) -> None:
    """Raise `Conflict` unless everybody who has to agree has: `plan_rejected`, `plan_required`, `approvals_missing`.
    Who calls asks for the apply.
    """
    from quarterdeck.infra.plans import law

    law.refused(verdict(tx, job, asker=tx.principal.id if tx.principal.kind == "user" else None))


def verdict(tx: Tx, job: InfraJob, *, asker: int | None = None) -> Verdict:
    from quarterdeck.infra.plans.law import GOOD, Verdict

    found = needed(tx, job, asker=asker)
    what = "plan" if job.job_type == PLAN else "destruction"
    if found.refused_by:
        return Verdict(
            ok=False,
            code="plan_rejected",
            reason=f"Somebody has said no to the {what} {job.uid}.",
            hint="Read why, change the configuration, and ask again.",
        )
    if job.job_type == DEPLOY and found.required:
        return Verdict(
            ok=False,
            code="plan_required",
            reason="In this zone nothing is applied that nobody has agreed to, and this apply names no plan.",
            hint="Plan first, let others agree to it, then apply that plan.",
        )
    if job.job_type == DESTROY and found.required and moved(tx, job):
        return Verdict(
            ok=False,
            code="plan_state_moved",
            reason=f"The state has moved on since the destruction {job.uid} was asked for, and holds something else.",
            hint="Cancel it, ask for it anew, and have that agreed to.",
        )
    if found.missing:
        people = "1 more person has" if found.missing == 1 else f"{found.missing} more people have"
        return Verdict(
            ok=False,
            code="approvals_missing",
            reason=f"{people} to agree to the {what} {job.uid}: {found.given} of {found.required} have.",
            hint="Ask somebody who neither asked for it nor applies it.",
        )
    return GOOD


def say(tx: Tx, job: InfraJob, decision: Decision, comment: str | None) -> Approval:
    """Agree to what a job would do, or refuse it. The last one who agrees to a destruction lets it begin; who refuses
    one ends it.

    Raises `Forbidden` (`approval_own`), `Conflict` (`approval_not_asked`, `plan_rejected`, `plan_applied`,
    `approval_given`, `plan_outdated`, `plan_state_moved`).
    """
    spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
    if spec is not None:
        jobs.hold_turn(tx, holding.turn(spec_uid=spec.uid) or "")
    holding.locked(tx, job.id)
    tx.lock(f"infra-plan:{job.id}")
    _check(tx, job, decision)
    said = lines(comment, "comment", LONGEST_COMMENT) if comment else None
    made = tx.add(
        Approval(
            uid=tx.ids.uid(),
            job_id=job.id,
            user_id=tx.principal.id,
            decision=decision,
            comment=said or None,
            created_at=tx.now,
        )
    )
    _tell(tx, job, made)
    if job.job_type == DESTROY:
        destroying.decided(tx, job, rejected=decision == REJECTED, comment=said)
    return made


def _check(tx: Tx, job: InfraJob, decision: Decision) -> None:
    if tx.principal.kind != "user":
        raise Forbidden("Only people agree to plans.", code="approval_own", hint="Sign in.")
    if job.job_type == PLAN:
        if job.status != SUCCESS or job.read_only:
            raise _not_asked(f"The plan {job.uid} is {job.status}: there is nothing to agree to.")
        plan = plans.of(tx, job)
        if plan is not None and plan.applied_at is not None:
            raise Conflict(
                f"The plan {job.uid} was applied already.", code="plan_applied", hint="Look at the job that applied it."
            )
    elif not destroying.waits(job):
        raise _not_asked(f"The {job.job_type} job {job.uid} does not wait for anybody to agree.")
    said = votes(tx, job)
    if any(one.decision == REJECTED for one in said):
        raise Conflict(
            "Somebody has said no to it already, which closes it.", code="plan_rejected", hint="Ask for a new plan."
        )
    if any(one.user_id == tx.principal.id for one in said):
        raise Conflict("You have said what you think of it.", code="approval_given", hint="Let others decide.")
    if decision == APPROVED and job.owner_id == tx.principal.id:
        raise Forbidden(
            "Nobody agrees to what they have asked for themselves.",
            code="approval_own",
            hint="Ask somebody else to read it.",
        )
    if decision == APPROVED and moved(tx, job):
        raise Conflict(
            "The state has moved on since the destruction was asked for: it holds something else now.",
            code="plan_state_moved",
            hint="Cancel it, ask for it anew, and agree to that.",
        )
    if decision == APPROVED and _changed(tx, job):
        raise Conflict(
            "The configuration has changed since: what was read is not what would be done.",
            code="plan_outdated",
            hint="Ask for a new plan.",
        )


def _not_asked(message: str) -> Conflict:
    return Conflict(message, code="approval_not_asked", hint="Agree to plans that have succeeded and are not applied.")


def _required(tx: Tx, job: InfraJob, known: Known | None = None) -> int:
    """By the policy as it is, or was when the job was asked for, whichever asks for more people."""
    spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
    places = (job.zone_id, spec.zone_id if spec is not None else None)
    return max(policy(tx, job.job_type, *places, known=known), job.asked_approvals)


def policy(tx: Tx, job_type: str, *zone_ids: int | None, known: Known | None = None) -> int:
    """How many people the policies of these zones ask for now, the one that asks for most."""
    word = "destroy_approvals" if job_type == DESTROY else "approvals"
    places = set(zone_ids) - {None}
    if not places or job_type not in {PLAN, DEPLOY, DESTROY}:
        return 0
    if known is not None:
        zones = [known.zones[place] for place in places if place in known.zones]
    else:
        query = select(Zone).where(Zone.id.in_(places)).execution_options(populate_existing=True)
        zones = list(tx.scalars(query))
    return max((int(getattr(zone, word)) for zone in zones), default=0)


def _changed(tx: Tx, job: InfraJob) -> bool:
    """Whether the configuration is another one than that which the job is about: nothing that was said counts then."""
    spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
    if spec is None:
        return False
    now = snapshots.hash_of(tx, spec, applied=job.job_type == DESTROY)
    return now != job.configuration_hash


def moved(tx: Tx, job: InfraJob, known: Known | None = None) -> bool:
    """Whether a destruction would take away something else than when it was asked for, which is what people agree to:
    its state has moved on since.
    """
    spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
    if job.job_type != DESTROY or spec is None or job.started_at is not None or job.completed_at is not None:
        return False
    if known is not None:
        now = known.states.get(spec.id, (None, None))
    else:
        state = states.find(tx, states.subject_of_spec(spec))
        now = (state.serial, state.lineage) if state is not None else (None, None)
    return now != (job.state_serial, job.state_lineage)


def _askers(tx: Tx, job: InfraJob) -> set[int]:
    """Those whose jobs apply the plan now."""
    if job.job_type != PLAN:
        return set()
    applying = select(InfraJob.owner_id).where(InfraJob.plan_job_id == job.id, InfraJob.completed_at.is_(None))
    return set(tx.execute(applying).scalars())


def _tell(tx: Tx, job: InfraJob, made: Approval) -> None:
    destroys = job.job_type == DESTROY
    if made.decision == APPROVED:
        action = PlanAction.DESTRUCTION_APPROVED if destroys else PlanAction.APPROVED
    else:
        action = PlanAction.DESTRUCTION_REJECTED if destroys else PlanAction.REJECTED
    audit.record(
        tx,
        action,
        resource_type="infra-job",
        resource_id=job.uid,
        organization_id=job.organization_id,
        detail={"decision": made.decision, "comment": made.comment, "hash": job.configuration_hash},
    )
    found = needed(tx, job)
    said = f"{tx.principal.label} has {made.decision} it."
    happened(tx, job, made.decision, said, given=found.given, required=found.required)
