"""What a foreign runner reports of a job that it holds (contract: infra §3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.clouds import verifying
from quarterdeck.infra.execution.orders import CLOUD_JOBS
from quarterdeck.infra.execution.outputs import CLUSTER
from quarterdeck.infra.plans import keeping
from quarterdeck.infra.runners.standing import owner as owner_of
from quarterdeck.infra.specs import outputs
from quarterdeck.infra.work import finishing, heard, holding, metadata, ordering, reading, recording
from quarterdeck.infra.work.heard import CUT, LONGEST_MESSAGE, Heard
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import CANCELLED, CLAIMED, FAILED, PROCESSING, SUCCESS
from quarterdeck.infra.work.types import DEPLOY, PLAN
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.jobs.job import Job, Outcome
from quarterdeck.kernel.jobs.ledger import Report, complete_many
from quarterdeck.kernel.jobs.transitions import State
from quarterdeck.kernel.logs.masking import forms
from quarterdeck.kernel.vault import MASK

REPORTED = (PROCESSING, SUCCESS, FAILED, CANCELLED)
OUTCOMES: dict[str, Literal["succeeded", "failed", "canceled"]] = {
    SUCCESS: "succeeded",
    FAILED: "failed",
    CANCELLED: "canceled",
}


def report(
    tx: Tx,
    job: InfraJob,
    owner: str,
    status: str | None,
    error_message: str | None = None,
    told: Heard | Mapping[str, Any] | None = None,
    hidden: Sequence[str] = (),
) -> bool:
    """Hear a runner, known to the ledger as `owner`. False where the job is over already: nothing changes then, and
    what was said is kept as `late_report`. Nothing of it has one of the texts `hidden` in it, nor the token of the
    job's repository.

    Raises `Invalid` for a status that no runner reports or metadata that cannot be kept, and `Conflict`
    (`infra_job_not_held`) for a runner that does not hold the job.
    """
    check(status)
    assert status is not None  # noqa: S101 - checked
    said = told if isinstance(told, Heard) else heard.read(told or {}, ends=status != PROCESSING)
    row, carried = holding.held(tx, job)
    token = ordering.repository_token(tx, row)
    secrets = sorted({*hidden, *(forms(token) if token else ())}, key=len, reverse=True)
    said, error_message = heard.hidden(said, secrets), _message(error_message, secrets)
    if row.completed_at is not None:
        return _late(tx, row, carried, owner, status, error_message, said.told)
    if carried is None or carried.state != State.RUNNING or carried.owner != owner:
        raise not_held(row)
    if said.told:
        _keep(tx, row, carried, said, ends=status != PROCESSING)
    if row.status == CLAIMED and status in {PROCESSING, SUCCESS}:
        recording.changing(tx, row)
        recording.begin(tx, row)
    row.told_at = row.updated_at = tx.now
    if status == PROCESSING:
        if error_message:
            row.error_message = error_message[:2000]
        jobs.heartbeat(tx, [(carried.id, carried.fence)], owner)
        tx.flush()
        return True
    if status == SUCCESS:
        _finalise(tx, row)
    tx.flush()
    _end(tx, carried, owner, status, error_message)
    return True


def _message(text: str | None, secrets: Sequence[str]) -> str | None:
    """What a runner says of an end, without secrets; of a very long text the beginning."""
    if not text:
        return text
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"


def check(status: str | None) -> None:
    """Raise `Invalid` for what is no status that a runner reports."""
    if not status:
        raise Invalid("status is required", code="infra_status_required", field="status")
    if status not in REPORTED:
        raise Invalid(f"status must be one of: {', '.join(REPORTED)}", code="infra_status_unknown", field="status")


def not_held(job: InfraJob) -> Conflict:
    return Conflict(
        f"Job {job.uid} not found or not owned by this worker",
        code="infra_job_not_held",
        hint="Stop working on it; it was given to another runner, or waits again.",
    )


def had(job: InfraJob, worker: Worker) -> bool:
    """Whether a runner has the job, or had it when it ended."""
    return job.worker_id == worker.id


def readable(tx: Tx, job: InfraJob, worker: Worker) -> bool:
    """Whether a runner may read a job: one that it has or had, and the plan of one that it has now, whoever made it."""
    return reader(tx, job, worker) is not None


def reader(tx: Tx, job: InfraJob, worker: Worker) -> InfraJob | None:
    """The job for which a runner may read another: an apply that it has of the plan, or the job itself."""
    applying = reading.applying(tx, job) if job.job_type == PLAN else ()
    found = next((other for other in applying if had(other, worker) and other.completed_at is None), None)
    return found or (job if had(job, worker) else None)


def _late(
    tx: Tx,
    job: InfraJob,
    carried: Job | None,
    owner: str,
    status: str,
    message: str | None,
    told: Mapping[str, Any],
) -> bool:
    """The job is over: of whoever had it the end is heard beside, and ends the ledger's attempt with its turn."""
    worker = tx.get(Worker, job.worker_id) if job.worker_id is not None else None
    if worker is None or owner_of(worker) != owner:
        raise not_held(job)
    running = carried is not None and carried.state == State.RUNNING and carried.owner == owner
    if status == PROCESSING:
        return False
    if metadata.LATE not in job.execution_metadata and not (job.status == status and not running):
        finishing.afterwards(tx, job, Outcome(OUTCOMES[status], error_message=message), told, status)
        tx.flush()
    if running and carried is not None:
        _end(tx, carried, owner, status, message)
    return False


def _end(tx: Tx, carried: Job, owner: str, status: str, message: str | None) -> None:
    outcome = Outcome(
        OUTCOMES[status],
        error_code="infra_runner_failed" if status == FAILED else None,
        error_message=(message or None),
    )
    if complete_many(tx, [Report(carried.id, carried.fence, outcome, carried.concurrency_key, owner)])[0] is None:
        raise jobs.Fenced("The attempt is over.")  # it was held still: unreachable


def _keep(tx: Tx, job: InfraJob, carried: Job, said: Heard, *, ends: bool) -> None:
    """Keep what a report told. Foreign runners send Terraform's own list of changes and no counts (contract: infra
    §5.1): these are counted here.
    """
    try:
        merged = metadata.merged(job.execution_metadata, said.told)
    except Invalid:
        if not ends:
            raise
        merged = {**job.execution_metadata, **CUT}
    job.execution_metadata = merged
    plan = said.plan
    if plan is None:
        return
    if job.job_type == PLAN:
        told = {
            "summary": plan.summary,
            "changes": plan.changes,
            "drift": plan.drift,
            "truncated": plan.truncated,
            "drifted": plan.summary["drifted"],
            "cost": said.cost,
        }
        keeping.keep(tx, job, told, carried.fence, said.reviewed)
    job.execution_metadata = {**merged, "plan_summary": plan.summary}


def _finalise(tx: Tx, job: InfraJob) -> None:
    """What an apply has told of what it made goes onto the spec, what was found with an identity onto that."""
    kept = job.execution_metadata
    if job.job_type in CLOUD_JOBS:
        verifying.found(tx, job, _object(kept.get("cached_resources")))
    spec = holding.spec_of(tx, job) if job.job_type == DEPLOY else None
    if spec is not None:
        cluster = {name: kept[name] for name in CLUSTER if isinstance(kept.get(name), str)}
        outputs.keep(tx, spec, job.snapshot, _object(kept.get("outputs")), cluster)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
