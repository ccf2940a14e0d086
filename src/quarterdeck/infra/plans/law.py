"""The plan is law: what somebody has read is applied, exactly that, once, and on exactly the state that it was made
for. Asked when an apply is asked for, and again when a runner gets it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from quarterdeck.infra.artefacts.artefacts import Artefacts
from quarterdeck.infra.clouds import accounts
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.plans import approvals, keeping, plans
from quarterdeck.infra.plans.model import Plan
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import states
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import LIVE, SUCCESS
from quarterdeck.infra.work.types import PLAN
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.jobs import finding

GOOD_FOR = timedelta(days=7)
"""How long a plan may be applied: clouds change meanwhile, and nobody remembers what was read."""
AGAIN = "Plan again, and read what it says now."
CODES = (
    "plan_not_a_plan", "plan_of_another", "plan_not_ready", "plan_outdated", "plan_untold", "plan_applied",
    "plan_artefact_missing", "plan_artefact_foreign", "plan_too_old", "plan_state_moved", "plan_rejected",
    "plan_required", "approvals_missing", "plan_identity_changed",
)  # fmt: skip
"""Every reason for which a plan is not applied, approvals among them."""


class Verdict(NamedTuple):
    """Whether a plan may be applied now; else why not, and what to do."""

    ok: bool
    code: str = ""
    reason: str = ""
    hint: str = ""


GOOD = Verdict(ok=True)


def applicable(tx: Tx, plan_job: InfraJob, spec: Spec, *, asker: int | None = None) -> Verdict:
    """Everything that has to be so, for `asker` to apply it."""
    verdict = stands(tx, plan_job, spec)
    return approvals.verdict(tx, plan_job, asker=asker) if verdict.ok else verdict


def require(tx: Tx, plan_job: InfraJob, spec: Spec) -> None:
    """Raise `Conflict` with what is in the way of applying a plan. Who has to agree is asked for by
    `approvals.require`.
    """
    refused(stands(tx, plan_job, spec))


def refused(verdict: Verdict) -> None:
    """Raise what a verdict says, unless it is good. What to do stands in its message: programs of this surface are told
    nothing else, and a job that fails for it keeps nothing else.
    """
    if not verdict.ok:
        raise Conflict(f"{verdict.reason} {verdict.hint}", code=verdict.code)


def stands(tx: Tx, plan_job: InfraJob, spec: Spec) -> Verdict:
    """Whether the plan is what it was, and everything still as it was when it was made."""
    made = _made(plan_job, spec) or _kept(tx, plan_job)
    return made or same_identity(tx, plan_job) or _fits(tx, plan_job, spec) or GOOD


def _made(job: InfraJob, spec: Spec) -> Verdict | None:
    if job.job_type != PLAN or job.read_only:
        return _no("plan_not_a_plan", f"Job {job.uid} made no plan that could be applied.", "Name a PLAN job.")
    if job.spec_id != spec.id:
        return _no(
            "plan_of_another", f"The plan {job.uid} is of another configuration.", "Name a plan of this configuration."
        )
    if job.status in LIVE:
        return _no("plan_not_ready", f"The plan {job.uid} is {job.status}.", "Wait for its end.")
    if job.status != SUCCESS:
        return _no("plan_not_ready", f"The plan {job.uid} is {job.status}.", "Mend what it says, then plan again.")
    if job.configuration_hash != spec.configuration_hash:
        planned, now = (job.configuration_hash or "none")[:12], spec.configuration_hash[:12]
        return _no(
            "plan_outdated",
            f"The configuration has changed since the plan {job.uid}: it was {planned}, and is {now} now.",
            AGAIN,
        )
    return None


def _kept(tx: Tx, job: InfraJob) -> Verdict | None:
    plan = plans.of(tx, job)
    if plan is None or not plan.summary or plan.reviewed is None:
        return _no("plan_untold", f"Nothing was told of what the plan {job.uid} would change.", AGAIN)
    if plan.applied_at is not None:
        by = tx.get(InfraJob, plan.applied_by_id) if plan.applied_by_id is not None else None
        named = f" by the job {by.uid}" if by is not None else ""
        return _no("plan_applied", f"The plan {job.uid} was applied{named}, and a plan is applied once.", AGAIN)
    found = keeping.handed_in(plan)
    if found is None or not tx.part(Artefacts).there(found.key):
        return _no("plan_artefact_missing", f"The saved plan of {job.uid} is not here.", AGAIN)
    if not _by_holder(tx, job, plan):
        return _no(
            "plan_artefact_foreign",
            f"The saved plan of {job.uid} was handed in by an attempt that did not end the job.",
            AGAIN,
        )
    if plan.created_at < tx.now - GOOD_FOR:
        return _no("plan_too_old", f"The plan {job.uid} is older than {GOOD_FOR.days} days.", AGAIN)
    return None


def same_identity(tx: Tx, job: InfraJob) -> Verdict | None:
    """None where the cloud identity of a job is what it was when the job was asked for."""
    identity = tx.get(CloudIdentity, job.cloud_identity_id) if job.cloud_identity_id is not None else None
    return None if accounts.fingerprint(tx, identity) == (job.identity_print or "") else other_identity(job)


def other_identity(job: InfraJob) -> Verdict:
    what = "destruction" if job.job_type == "DESTROY" else "plan"
    return _no(
        "plan_identity_changed",
        f"The {what} {job.uid} was made for another cloud identity, or that was connected to something else since.",
        "Ask for it anew." if what == "destruction" else AGAIN,
    )


def _by_holder(tx: Tx, job: InfraJob, plan: Plan) -> bool:
    carried = finding.look(tx, job.ledger_id) if job.ledger_id is not None else None
    return plan.fence is not None and (carried is None or carried.fence == plan.fence)


def _fits(tx: Tx, job: InfraJob, spec: Spec) -> Verdict | None:
    plan = plans.of(tx, job)
    state = states.find(tx, states.subject_of_spec(spec))
    now = (state.serial, state.lineage) if state is not None else (None, None)
    if plan is not None and (plan.state_serial, plan.state_lineage) == now == (job.state_serial, job.state_lineage):
        return None
    made_on = "no state" if plan is None or plan.state_serial is None else f"serial {plan.state_serial}"
    is_now = "there is none" if now[0] is None else f"it has serial {now[0]}"
    return _no(
        "plan_state_moved",
        f"The state has moved on since the plan {job.uid}: it was made on {made_on}, and {is_now} now.",
        AGAIN,
    )


def mark_applied(tx: Tx, plan_job: InfraJob, by: InfraJob) -> None:
    """From now on the plan is used up, whatever becomes of the apply. Raises `Conflict` (`plan_applied`) where another
    job was faster.
    """
    plan = plans.held(tx, plan_job)
    if plan is None or plan.applied_by_id == by.id:
        return
    if plan.applied_at is not None:
        refused(_no("plan_applied", f"The plan {plan_job.uid} was applied, and a plan is applied once.", AGAIN))
    plan.applied_by_id, plan.applied_at = by.id, tx.now
    tx.flush()


def _no(code: str, reason: str, hint: str) -> Verdict:
    return Verdict(ok=False, code=code, reason=reason, hint=hint)
