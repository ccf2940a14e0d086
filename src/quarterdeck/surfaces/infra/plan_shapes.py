"""Plans, and what was said of them, as every answer shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from quarterdeck.access import Access
from quarterdeck.infra.artefacts.artefacts import Artefacts
from quarterdeck.infra.clouds import credentials, identities
from quarterdeck.infra.execution.reasons import REASONS, top
from quarterdeck.infra.execution.redacting import UNKNOWN
from quarterdeck.infra.plans import approvals, destroying, keeping, law, plans, summary
from quarterdeck.infra.plans.model import Plan
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import showing, states
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.vault import MASK
from quarterdeck.surfaces.infra.shapes import at
from quarterdeck.surfaces.infra.wire import plans as wire

APPROVE = "infra:plans.approve"
RISK = ("delete", "replace", "update", "create", "forget", "read", "no_op")
"""The order in which somebody reads what would happen."""


def shown(tx: Tx, access: Access, job: InfraJob) -> wire.PlanShown:
    """Of a PLAN, or of a DESTROY that waits to be allowed or has told what it does."""
    plan = plans.of(tx, job)
    spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
    identity = identities.by_id(tx, job.cloud_identity_id)
    told = plan is not None and bool(plan.summary)
    by = plan.applied_by_id if plan is not None else None
    return wire.PlanShown(
        job_id=job.uid,
        job_type=job.job_type,
        status=job.status,
        configuration_id=spec.uid if spec is not None else None,
        configuration_hash=job.configuration_hash,
        cloud_identity_id=identity.uid if identity is not None else None,
        cloud_identity=credentials.label(identity) if identity is not None else None,
        summary=_summary(plan.summary) if plan is not None and told else None,
        changes=changes(plan.changes) if plan is not None else [],
        drift=changes(plan.drift) if plan is not None else [],
        cost=plan.cost if plan is not None else None,
        state_serial=plan.state_serial if plan is not None else None,
        state_lineage=plan.state_lineage if plan is not None else None,
        holds=_holds(tx, job, spec),
        artifact=_artifact(tx, plan),
        approvals=said(tx, access, job),
        applicable=_applicable(tx, job, spec),
        applied_by=showing.jobs(tx, [by]).get(by),
        applied_at=at(plan.applied_at) if plan is not None else None,
        good_until=at(plan.created_at + law.GOOD_FOR) if plan is not None and job.job_type == "PLAN" else None,
        created_at=at(plan.created_at) if plan is not None else None,
    )


def _summary(kept: Mapping[str, Any]) -> wire.PlanSummary:
    return wire.PlanSummary(**summary.counts(kept), truncated=kept.get("truncated") is True)


def _holds(tx: Tx, job: InfraJob, spec: Spec | None) -> wire.Holds | None:
    if job.job_type != "DESTROY" or spec is None or job.completed_at is not None:
        return None
    state = states.find(tx, states.subject_of_spec(spec))
    addresses = list((state.addresses if state is not None else None) or ())
    number = state.resources if state is not None else 0
    return wire.Holds(
        serial=state.serial if state is not None else None,
        resources=number,
        addresses=addresses,
        left_out=max(number - len(addresses), 0),
        moved=approvals.moved(tx, job),
    )


def _artifact(tx: Tx, plan: Plan | None) -> wire.SavedPlan | None:
    if plan is None or plan.artefact_sha256 is None:
        return None
    kept = keeping.handed_in(plan)
    here = kept is not None and tx.part(Artefacts).there(kept.key)
    return wire.SavedPlan(sha256=plan.artefact_sha256, size=plan.artefact_size or 0, here=here)


def _applicable(tx: Tx, job: InfraJob, spec: Spec | None) -> wire.Applicable:
    if job.job_type == "DESTROY":
        verdict = approvals.verdict(tx, job)
    elif spec is None:
        verdict = law.Verdict(False, "spec_not_found", "Its configuration is gone.", "There is nothing to apply it to.")
    else:
        verdict = law.applicable(tx, job, spec, asker=tx.principal.id)
    return wire.Applicable(
        ok=verdict.ok, code=verdict.code or None, reason=verdict.reason or None, hint=verdict.hint or None
    )


def said(tx: Tx, access: Access, job: InfraJob) -> wire.Approvals:
    needed = approvals.needed(tx, job)
    votes = approvals.votes(tx, job)
    people = showing.people(tx, (one.user_id for one in votes))
    asked = destroying.waits(job) or (job.job_type == "PLAN" and job.status == "SUCCESS" and not job.read_only)
    mine = tx.principal.id == job.owner_id or any(one.user_id == tx.principal.id for one in votes)
    access.load(tx)
    return wire.Approvals(
        required=needed.required,
        given=needed.given,
        missing=needed.missing,
        rejected=bool(needed.refused_by),
        votes=[
            wire.Vote(
                user_id=people.get(one.user_id, (None, None))[0],
                user_name=people.get(one.user_id, (None, None))[1],
                decision=one.decision,
                comment=one.comment,
                created_at=at(one.created_at),
            )
            for one in votes
        ],
        yours=asked and not mine and not needed.refused_by and access.decide(tx.principal, APPROVE).allowed,
    )


def changes(kept: Iterable[Mapping[str, Any]]) -> list[wire.PlanChange]:
    """The riskiest first, each group in the order in which it was told."""
    order = {word: place for place, word in enumerate(RISK)}
    found = sorted(kept, key=lambda one: order.get(str(one.get("action")), len(RISK)))
    return [
        wire.PlanChange(
            address=str(one.get("address") or ""),
            type=str(one.get("type") or ""),
            action=str(one.get("action") or ""),
            reason=REASONS.get(one.get("reason") or ""),
            forced_by=(forced_by := _places(one)),
            attributes=_attributes(one.get("before"), one.get("after"), {top(place) for place in forced_by}),
            truncated=one.get("truncated") is True,
        )
        for one in found
    ]


def _places(kept: Mapping[str, Any]) -> list[str]:
    listed = kept.get("forced_by")
    return [str(one) for one in listed] if isinstance(listed, list) else []


def _attributes(before: Any, after: Any, forced_by: set[str]) -> list[wire.PlanAttribute]:
    was, becomes = (side if isinstance(side, Mapping) else {} for side in (before, after))
    return [
        wire.PlanAttribute(
            path=name,
            before=was.get(name),
            after=None if becomes.get(name) == UNKNOWN else becomes.get(name),
            sensitive=MASK in {_text(was.get(name)), _text(becomes.get(name))},
            unknown=becomes.get(name) == UNKNOWN,
            forces_replacement=name in forced_by,
        )
        for name in dict.fromkeys((*was, *becomes))
    ]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
