"""A plan for its page: what would change, who has agreed, whether it may be applied, and why not."""

from __future__ import annotations

from typing import Any

from quarterdeck.access import Access
from quarterdeck.console.domain import infra_job_views as jobs
from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.infra_plans import Agreement, PlanView, Vote, grouped
from quarterdeck.console.views.shell import Note
from quarterdeck.console.words import counted, dollars, size
from quarterdeck.infra import people
from quarterdeck.infra.clouds import credentials, identities
from quarterdeck.infra.plans import approvals, destroying, law, plans
from quarterdeck.infra.plans.model import Plan
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import states
from quarterdeck.infra.states.model import State
from quarterdeck.infra.work import reading
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.types import DESTROY, PLAN
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound

AGREE, APPLY = "infra:plans.approve", "infra:jobs.apply"
LOSING = ("delete", "replace")


def find(tx: Tx, uid: str) -> InfraJob:
    """A job that is read as a plan. Raises `NotFound`."""
    job = reading.find(tx, uid)
    if job.job_type not in {PLAN, DESTROY}:
        raise NotFound(f"Job {job.uid} makes no plan.", code="infra_job_not_found", hint="Look at the job itself.")
    return job


def spec_of(tx: Tx, job: InfraJob) -> Spec:
    """The specification of a plan. Raises `Conflict` where it is gone."""
    spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
    if spec is None:
        raise Conflict(
            "The configuration of this plan is gone.", code="infra_rerun_impossible", hint="Nothing can be applied."
        )
    return spec


def loses(tx: Tx, job: InfraJob) -> bool:
    """Whether it destroys something."""
    plan = plans.of(tx, job)
    return plan is not None and any(int(plan.summary.get(word) or 0) for word in LOSING)


def view(tx: Tx, access: Access, uid: str) -> PlanView:
    job = find(tx, uid)
    row = jobs.rows(tx, [job])[0]
    spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
    plan = plans.of(tx, job)
    kind = "drift" if job.read_only else job.job_type
    summary: dict[str, Any] = plan.summary if plan is not None else {}
    applied = tx.get(InfraJob, plan.applied_by_id) if plan is not None and plan.applied_by_id is not None else None
    applied = applied or reading.taken_by(tx, job)
    may_apply = kind == PLAN and access.decide(tx.principal, APPLY).allowed
    state = _held(tx, job, spec)
    choices, default = jobs.runner_choices(tx, access) if may_apply else ((), "")
    return PlanView(
        uid=job.uid,
        spec=row.about if row.about[1] is not None else None,  # type: ignore[arg-type]
        kind=kind,
        state=row.state,
        by=row.by,
        at=job.completed_at or job.created_at,
        runner=row.runner,
        groups=grouped(summary, plan.changes, plan.drift) if plan is not None else (),
        unchanged=int(summary.get("no_op") or 0),
        truncated=bool(summary.get("truncated")),
        told=bool(summary),
        cost=_cost(plan),
        facts=tuple(_facts(tx, job, spec, plan)),
        agreement=_agreement(tx, access, job, plan),
        refusal=_refusal(tx, job, spec) if kind == PLAN else None,
        may_apply=may_apply,
        applied_by=(applied.uid[-8:], f"/console/infra/jobs/{applied.uid}") if applied is not None else None,
        live=row.live,
        spec_name=spec.project_name if spec is not None else row.about[0],
        stage=spec.environment_stage if spec is not None else "",
        runners=choices,
        pinned=default,
        held=tuple(state.addresses or ()) if state is not None else (),
        holds=state.resources if state is not None else 0,
        moved=approvals.moved(tx, job),
    )


def _held(tx: Tx, job: InfraJob, spec: Spec | None) -> State | None:
    """The state that a destruction which has not ended takes away."""
    if job.job_type != DESTROY or spec is None or job.completed_at is not None:
        return None
    return states.find(tx, states.subject_of_spec(spec))


def _refusal(tx: Tx, job: InfraJob, spec: Spec | None) -> Note | None:
    if spec is None:
        return Note("idle", "The specification of this plan is gone.", "Nothing can be applied.")
    verdict = law.applicable(tx, job, spec)
    if verdict.ok:
        taken = reading.taken_by(tx, job)
        return (
            None if taken is None else Note("run", f"It is being applied by the job {taken.uid}.", "Follow that job.")
        )
    tones = {"approvals_missing": "ask", "plan_rejected": "bad", "plan_applied": "good", "plan_not_ready": "idle"}
    return Note(tones.get(verdict.code, "warn"), verdict.reason, verdict.hint)


def _agreement(tx: Tx, access: Access, job: InfraJob, plan: Plan | None) -> Agreement:
    found, said = approvals.needed(tx, job), approvals.votes(tx, job)
    names = people.names(tx, [job.owner_id, *(one.user_id for one in said)])
    decided = bool(found.refused_by) or (plan is not None and plan.applied_at is not None)
    waits = destroying.waits(job) if job.job_type == DESTROY else job.status == "SUCCESS" and not job.read_only
    return Agreement(
        required=found.required,
        given=found.given,
        votes=tuple(
            Vote(
                names.get(one.user_id, "somebody who is gone"),
                one.decision,
                one.comment or "",
                one.created_at,
                one.decision != approvals.APPROVED or one.user_id != job.owner_id,
            )
            for one in said
        ),
        asker=names.get(job.owner_id, ""),
        open=waits and not decided,
        why_not=_why_not(tx, access, job, {one.user_id for one in said}),
    )


def _why_not(tx: Tx, access: Access, job: InfraJob, said: set[int]) -> str:
    """Why the reader may not agree; empty where they may."""
    decided = access.decide(tx.principal, AGREE)
    if not decided.allowed:
        return "You may not agree to plans."
    if tx.principal.id == job.owner_id:
        return "You have asked for it, so others have to agree."
    if tx.principal.id in said:
        return "You have said what you think of it."
    return ""


def _cost(plan: Plan | None) -> tuple[str, str]:
    """A month, and what is new of it."""
    told = plan.cost if plan is not None and isinstance(plan.cost, dict) else {}
    monthly, more = _amount(told.get("total_monthly")), _amount(told.get("diff_monthly"))
    if monthly is None:
        return "", ""
    sign = "" if more is None else f"{'+' if more >= 0 else chr(0x2212)}{dollars(abs(more))}"
    return dollars(monthly), sign if more else ""


def _amount(value: Any) -> float | None:
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _facts(tx: Tx, job: InfraJob, spec: Spec | None, plan: Plan | None) -> list[Fact]:
    facts = []
    state = states.find(tx, states.subject_of_spec(spec)) if spec is not None else None
    if plan is not None and job.job_type == PLAN:
        now = state.serial if state is not None else None
        facts.append(Fact("Made on", _serial(plan.state_serial)))
        if plan.state_serial != now:
            facts.append(Fact("State now", _serial(now)))
    if state is not None and job.job_type == DESTROY:
        facts.append(Fact("Would be destroyed", counted(state.resources, "resource")))
    identity = identities.by_id(tx, job.cloud_identity_id)
    if identity is not None:
        facts.append(Fact("Cloud identity", f"{identity.name}, {credentials.label(identity)}"))
    if job.configuration_hash:
        facts.append(Fact("Configuration", job.configuration_hash[:12], code=True))
    if plan is not None and plan.artefact_sha256:
        facts.append(Fact("Saved plan", plan.artefact_sha256[:12], code=True))
        facts.append(Fact("Size", size(plan.artefact_size)))
    if job.started_at and job.completed_at:
        facts.append(Fact("Took", f"{(job.completed_at - job.started_at).total_seconds():.1f} s"))
    facts.append(Fact("Job", job.uid, code=True))
    return facts


def _serial(number: int | None) -> str:
    return "no state yet" if number is None else f"serial {number} of the state"
