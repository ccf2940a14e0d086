"""What the end of an attempt means for its job and its spec. The ledger calls it, in the unit that ends its own job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.infra.plans import asking, failing
from quarterdeck.infra.runners import lifting
from quarterdeck.infra.states import locks
from quarterdeck.infra.work import effects, holding, metadata, recording
from quarterdeck.infra.work.actions import InfraJobAction
from quarterdeck.infra.work.happenings import happened
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import CANCELLED, CLAIMED, FAILED, PROCESSING, QUEUED, SUCCESS, move
from quarterdeck.infra.work.types import CHANGERS, PLAN, may_have_changed
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.jobs.job import Job, Outcome
from quarterdeck.kernel.jobs.kinds import Fate
from quarterdeck.kernel.jobs.recovery import WORKER_LOST
from quarterdeck.kernel.jobs.transitions import State

RETURNED = "job_returned"
POISON, ORPHANED = "infra_job_poison", "infra_job_orphaned"
GONE = frozenset({WORKER_LOST, RETURNED})
"""How the ledger says that nobody told the end."""
MAY_BE_LEFT = "It was changing resources then: some may be there that no state knows. Look before the next apply."


def fate(tx: Tx, carried: Job) -> Fate:
    """What becomes of an attempt whose worker has vanished: a plan is made again, an apply that may have changed
    something never, because only a person can judge what it did.
    """
    job = holding.carried(tx, carried.id)
    return "failed" if job is not None and job.completed_at is None and may_have_changed(job) else "again"


def returned(tx: Tx, carried: Job) -> None:
    """An attempt is over that changed nothing, and its job waits again. Pins, lines and metadata stay."""
    job = holding.carried(tx, carried.id)
    if job is not None and job.status in {CLAIMED, PROCESSING}:
        name = job.worker_name or "Its runner"
        move(tx, job, QUEUED, f"{name} did not end attempt {job.attempts} of the job; it waits again.")
        locks.release(tx, job)


def finish(tx: Tx, carried: Job, outcome: Outcome) -> None:
    """The ledger's job has ended. What was cancelled is over already: how its attempt ended is noted beside."""
    job = holding.carried(tx, carried.id)
    if job is None:
        return
    job.credential_hash = None
    if job.completed_at is not None:
        if carried.closed_by is None and metadata.LATE not in job.execution_metadata:
            afterwards(tx, job, outcome)
    elif outcome.state == "succeeded":
        succeed(tx, job)
    elif outcome.state == "canceled":
        cancel(tx, job, outcome.error_message or "Its runner was stopped.")
        _audited(tx, job)
    else:
        _fail(tx, job, carried, outcome)
    lifting.ended(tx, job, succeeded=outcome.state == "succeeded")
    locks.release(tx, job)
    tx.flush()
    committing(tx, "infra.finish")


def succeed(tx: Tx, job: InfraJob) -> None:
    _begun(tx, job)
    move(tx, job, SUCCESS, f"The {job.job_type} job has succeeded.")
    spec = holding.spec_of(tx, job)
    effects.done(tx, job, spec)
    failing.succeeded(tx, job, spec)
    if job.job_type == PLAN:
        asking.ask(tx, job)
    _audited(tx, job)


def cancel(tx: Tx, job: InfraJob, message: str) -> None:
    """End a live job as cancelled: its spec stands where it stood, or has failed where something may have changed."""
    orphans = job.orphan_risk or may_have_changed(job)
    told = f"{message}\n{MAY_BE_LEFT}" if orphans else message
    move(tx, job, CANCELLED, told, orphans=orphans)
    effects.cancelled(tx, job, holding.spec_of(tx, job), orphans=orphans)


def _fail(tx: Tx, job: InfraJob, carried: Job, outcome: Outcome) -> None:
    code, message = outcome.error_code or "infra_job_failed", outcome.error_message or "Its runner gave no reason."
    began, orphans = job.started_at is not None, job.orphan_risk
    if code in GONE:
        name = job.worker_name or "Its runner"
        if carried.state == State.DEAD_LETTERED:
            code = POISON
            message = f"{job.attempts} runners in a row did not end the job; it is not tried again."
        elif may_have_changed(job):
            how = "was stopped" if code == RETURNED else "vanished"
            code, orphans = ORPHANED, True
            message = f"{name} {how} while it applied.\n{MAY_BE_LEFT}"
    fail(tx, job, code, message, orphans=orphans, began=began)


def fail(tx: Tx, job: InfraJob, code: str, message: str, *, orphans: bool, began: bool) -> None:
    move(tx, job, FAILED, message, code=code, orphans=orphans)
    spec = holding.spec_of(tx, job)
    effects.failed(tx, job, spec, orphans=orphans, began=began)
    failing.failed(tx, job, spec)
    _audited(tx, job)


def afterwards(
    tx: Tx, job: InfraJob, outcome: Outcome, told: Mapping[str, Any] | None = None, status: str | None = None
) -> None:
    """Note how an attempt ended whose job was over already. One that carried on with changes left what it made."""
    word = status or {"succeeded": SUCCESS, "failed": FAILED, "canceled": CANCELLED}[outcome.state]
    job.execution_metadata = metadata.late(job.execution_metadata, word, outcome.error_message, told or {})
    if word != CANCELLED and job.status != SUCCESS and job.job_type in CHANGERS and job.started_at is not None:
        job.orphan_risk = True
        job.execution_metadata = {**job.execution_metadata, "orphan_risk": True}
    job.updated_at = tx.now
    happened(tx, job, "late-report", f"Its runner reports {word} after the job was {job.status}.", reported=word)


def late(tx: Tx, carried: Job, outcome: Outcome) -> None:
    """An attempt that was given up tells its end."""
    job = holding.carried(tx, carried.id)
    if job is not None and job.completed_at is not None and metadata.LATE not in job.execution_metadata:
        afterwards(tx, job, outcome)


def _begun(tx: Tx, job: InfraJob) -> None:
    if job.status == CLAIMED:
        recording.begin(tx, job)


def _audited(tx: Tx, job: InfraJob) -> None:
    """What ran changed something of the organization's, or did not: that is told beside who asked for it."""
    if job.job_type in CHANGERS:
        audit.record(
            tx,
            InfraJobAction.ENDED,
            resource_type="infra-job",
            resource_id=job.uid,
            organization_id=job.organization_id,
            outcome="success" if job.status == SUCCESS else "failure",
            detail={
                "jobType": job.job_type,
                "status": job.status,
                "code": job.error_code,
                "orphanRisk": job.orphan_risk,
            },
        )
