"""Asking people to agree to a plan or a destruction: told once, until it is decided or means nothing any more."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.infra import people
from quarterdeck.infra.plans import approvals, plans, summary
from quarterdeck.infra.specs.happenings import STREAM as SPECS
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work import reading
from quarterdeck.infra.work.happenings import STREAM as JOBS
from quarterdeck.infra.work.happenings import happened
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.types import DESTROY, PLAN
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.notify import tell, withdraw

APPROVE = "infra:plans.approve"
NOTIFICATION = "infra_approval_required"
REQUESTED = "infra-job-approval-requested"
LATEST = timedelta(days=1)
"""What is older when it is heard of is no news."""
SETTLING = ("infra-job-cancelled", "infra-job-failed", "infra-spec-changed", "infra-spec-deleted")
TYPES = (REQUESTED, "infra-job-approved", "infra-job-rejected", "infra-job-processing", *SETTLING)


def ask(tx: Tx, job: InfraJob) -> None:
    """A plan has been made, or a destruction was asked for: where somebody has to agree, that is an event of the job.
    The unit holds the job.
    """
    found = approvals.needed(tx, job)
    if job.read_only or not found.missing or found.refused_by:
        return
    what = "plan" if job.job_type == PLAN else "destruction"
    count = "1 person has" if found.missing == 1 else f"{found.missing} people have"
    happened(tx, job, "approval-requested", f"{count} to agree to the {what}.", required=found.required)


def hear(tx: Tx, event: events.Event) -> None:
    """The durable subscriber."""
    if event.stream.startswith(SPECS):
        _changed(tx, event)
        return
    job = reading.anybodys(tx, event.stream.removeprefix(JOBS)) if event.stream.startswith(JOBS) else None
    spec = tx.get(Spec, job.spec_id) if job is not None and job.spec_id is not None else None
    if job is None or spec is None:
        return
    if event.type == REQUESTED:
        if event.at >= tx.now - LATEST:
            _tell(tx, job, spec)
    elif event.type == "infra-job-processing":
        _applied(tx, job, spec)
    else:
        _settle(tx, job, spec, ended=event.type in SETTLING)


def _changed(tx: Tx, event: events.Event) -> None:
    """Plans of another configuration than that which stands now mean nothing."""
    uid = event.stream.removeprefix(SPECS)
    spec = tx.first(select(Spec).where(Spec.uid == uid))
    if event.organization_id is not None:
        kept = _about(uid, spec.configuration_hash) if spec is not None else None
        withdraw(tx, NOTIFICATION, f"{NOTIFICATION}:{uid}", organization_id=event.organization_id, sparing=kept)


def _tell(tx: Tx, job: InfraJob, spec: Spec) -> None:
    found = approvals.needed(tx, job)
    if not found.missing or found.refused_by or spec.configuration_hash != job.configuration_hash:
        return  # decided, or of no use any more, before it was heard of
    if job.job_type == DESTROY and job.status != "QUEUED":
        return
    said = {one.user_id for one in approvals.votes(tx, job)}
    whom = [one for one in grants.permitted(tx, job.organization_id, APPROVE) if one not in {job.owner_id, *said}]
    what = "plan for" if job.job_type == PLAN else "destruction of"
    tell(
        tx,
        NOTIFICATION,
        whom,
        f"The {what} {spec.project_name} waits for approval",
        _words(tx, job),
        link=f"/console/infra/plans/{job.uid}",
        organization_id=job.organization_id,
        collapse_key=_key(job, spec),
    )


def _words(tx: Tx, job: InfraJob) -> str:
    name = people.names(tx, [job.owner_id]).get(job.owner_id)
    asked = f"{name} has asked for it." if name else ""
    plan = plans.of(tx, job)
    if plan is None or not plan.summary:
        return asked
    counted = [f"{plan.summary[word]} to {word}" for word in sorted(summary.CHANGING) if plan.summary.get(word)]
    return f"{', '.join(counted) or 'Nothing changes'}. {asked}".strip()


def _key(job: InfraJob, spec: Spec) -> str:
    return f"{_about(spec.uid, job.configuration_hash)}:{job.uid}"


def _about(spec_uid: str, configuration_hash: str | None) -> str:
    return f"{NOTIFICATION}:{spec_uid}:{(configuration_hash or '')[:16]}"


def _applied(tx: Tx, job: InfraJob, spec: Spec) -> None:
    """An apply runs: its plan asks nobody any more."""
    plan = tx.get(InfraJob, job.plan_job_id) if job.plan_job_id is not None else None
    if plan is not None:
        withdraw(tx, NOTIFICATION, _key(plan, spec), organization_id=job.organization_id)


def _settle(tx: Tx, job: InfraJob, spec: Spec, *, ended: bool) -> None:
    """Who has said something is asked no more, and nobody is once it is decided."""
    found = approvals.needed(tx, job)
    decided = ended or found.refused_by or not found.missing
    whom = None if decided else [one.user_id for one in approvals.votes(tx, job)]
    withdraw(tx, NOTIFICATION, _key(job, spec), organization_id=job.organization_id, users=whom)


events.subscribe("infra-approval-notifications", TYPES, hear)
