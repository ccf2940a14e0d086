"""What a person may do to a job: cancel, retry, mark recovered, dead-letter, prune.

Wrong states raise `Conflict` with the codes of the operator work contract. What a principal does here is audited; what
the system does is the ledger's own history.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from quarterdeck.kernel import audit, events
from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound, ProviderFailure
from quarterdeck.kernel.jobs import ledger
from quarterdeck.kernel.jobs import transitions as step
from quarterdeck.kernel.jobs.finding import get
from quarterdeck.kernel.jobs.job import LANES, Enqueue, Job, Outcome
from quarterdeck.kernel.jobs.kinds import kinds
from quarterdeck.kernel.jobs.moving import held
from quarterdeck.kernel.jobs.transitions import ENDED, State

_ASK = """
UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, :now),
  cancel_reason = coalesce(cancel_reason, :reason)
WHERE id = :id AND {allowed}"""
_CLOSE = """
UPDATE jobs SET {becomes}, closed_by = :by, cancel_reason = coalesce(:reason, cancel_reason), finished_at = :now,
  due_at = NULL, route = NULL, turn_key = NULL, parked_key = NULL, wake_at = NULL, lease_until = NULL
WHERE id = :id AND {allowed}"""


class JobAction(audit.Action):
    CANCELED = "job.canceled"
    CANCEL_REQUESTED = "job.cancel-requested"
    MARKED_RECOVERED = "job.marked-recovered"
    DEAD_LETTERED = "job.dead-lettered"
    RETRIED = "job.retried"
    PRUNED = "job.pruned"
    RECONCILED = "job.reconciled"


EVENTS = {
    JobAction.CANCELED: "operator-work-canceled",
    JobAction.CANCEL_REQUESTED: "operator-work-cancel-requested",
    JobAction.MARKED_RECOVERED: "operator-work-marked-recovered",
    JobAction.DEAD_LETTERED: "operator-work-dead-lettered",
    JobAction.RETRIED: "operator-work-retried",
    JobAction.PRUNED: "operator-work-pruned",
}
NOT_ALLOWED = {
    "mark-recovered": "operator_work_recovery_not_allowed",
    "dead-letter": "operator_work_dead_letter_not_allowed",
    "cancel": "operator_work_cancel_not_allowed",
    "retry": "operator_work_retry_not_allowed",
}
CANCEL = "cancel:"
"""A wake-up whose payload begins so names a running job that shall stop."""


def cancel(tx: Tx, job_id: int, reason: str, *, only_waiting: bool = False, audited: bool = True) -> Job:
    """Waiting jobs end at once; of a running one it is asked that it stop. Canceling twice changes nothing. With
    `only_waiting` anything but a waiting job is refused. Not `audited`: the caller writes the audit event of the act
    that this is a part of.
    """
    job = held(tx, job_id)
    if only_waiting and not step.CANCEL.allows(job.state):
        raise _not_allowed(job, step.CANCEL.name)
    if job.state == State.RUNNING:
        tx.execute(_ASK.format(allowed=step.STOP.allowed), {"now": micros(tx.now), "reason": reason, "id": job_id})
        tx.publish(ledger.WAKE, f"{CANCEL}{job_id}")
        if job.cancel_us is None:
            _note(tx, job, JobAction.CANCEL_REQUESTED, reason, audited=audited)
        return get(tx, job_id)
    if job.state == State.CANCELED:
        return job
    _note(tx, job, JobAction.CANCELED, reason, audited=audited)
    return _close(tx, job, step.CANCEL, "manual-cancel", reason, Outcome("canceled", error_message=reason))


def may_cancel(job: Job) -> bool:
    """Whether a person may end it: only work that waits. What runs is ended where it belongs."""
    return step.CANCEL.allows(job.state)


def mark_recovered(tx: Tx, job_id: int, reason: str | None = None) -> Job:
    """A person repaired what the job could not; it counts as succeeded. Nothing else is touched."""
    job = _close(tx, held(tx, job_id), step.RECOVER, "manual-recovery", reason, None)
    _note(tx, job, JobAction.MARKED_RECOVERED, reason)
    return job


def dead_letter(tx: Tx, job_id: int, reason: str) -> Job:
    job = _close(tx, held(tx, job_id), step.BURY, "manual-dead-letter", reason, None)
    _note(tx, job, JobAction.DEAD_LETTERED, reason)
    return job


def retry(tx: Tx, job_id: int, reason: str | None = None) -> Job:
    """Do failed work once more as a new job that names the old one in `retry_of_id`; the old one is not retriable any
    more. A kind that has a way of its own to begin again (`Work.again`) is asked for it.
    """
    job = held(tx, job_id)
    if job.state not in {State.FAILED, State.RETRY_SCHEDULED} or not job.retriable:
        raise _not_allowed(job, "retry")
    if job.state == State.RETRY_SCHEDULED:
        _close(tx, job, step.REPLACE, "manual-retry", reason, None)
    try:
        fresh = (kinds.work(job.kind).again or same_again)(tx, job)
    except (Conflict, Invalid, NotFound, ProviderFailure) as problem:
        raise Conflict(
            f"Job {job.uid} cannot be retried: {problem.message}",
            code=NOT_ALLOWED["retry"],
            hint=problem.hint,
            reason=problem.code,
        ) from problem
    tx.execute("UPDATE jobs SET retry_of_id = :old WHERE id = :id", {"old": job.id, "id": fresh.id})
    tx.execute("UPDATE jobs SET retriable = 0 WHERE id = :id", {"id": job.id})
    _note(tx, job, JobAction.RETRIED, reason, retriedAs=fresh.work_ref)
    return get(tx, fresh.id)


def same_again(tx: Tx, job: Job) -> Job:
    """Enqueue the payload of a job once more."""
    fresh = ledger.enqueue(
        tx,
        Enqueue(
            kind=job.kind,
            payload={},
            organization_id=job.organization_id,
            subject=job.subject,
            lane=LANES[job.lane_rank],  # type: ignore[arg-type]  # one of the four words
            capabilities=frozenset(filter(None, job.requires.split(","))),
            worker_id=job.worker_id,
            concurrency_key=job.concurrency_key,
            max_attempts=job.max_attempts,
            correlation_id=job.correlation_id,
            parent_id=job.parent_id,
            retry_of_id=job.id,
        ),
    )
    tx.execute("UPDATE jobs SET payload = :payload WHERE id = :id", {"payload": job.payload, "id": fresh.id})
    return fresh


def prunable(
    tx: Tx, before: datetime, organization_id: int, *, with_own: bool, states: Collection[State] = ENDED
) -> dict[str, int]:
    """How many jobs of an organization ended before an instant (exclusive), by state."""
    where, bounds = _ended(before, organization_id, with_own, states)
    rows = tx.execute(f"SELECT state, count(*) FROM jobs WHERE {where} GROUP BY state", bounds)  # noqa: S608 - own words
    return {state: int(number) for state, number in rows}


def prune(
    tx: Tx,
    before: datetime,
    organization_id: int | None = None,
    *,
    with_own: bool = False,
    without: Collection[int] = (),
    states: Collection[State] = ENDED,
    dry_run: bool = True,
    limit: int = 10_000,
) -> dict[str, int]:
    """Count, or delete, at most `limit` jobs that ended before an instant (exclusive), by state; of one organization,
    or of all except `without`. Live jobs always stay.
    """
    tx.take_time()
    where, bounds = _ended(before, organization_id, with_own, states)
    if without:
        spared = ", ".join(str(int(one)) for one in without)
        where += f" AND (organization_id IS NULL OR organization_id NOT IN ({spared}))"
    chosen = f"SELECT id, state FROM jobs WHERE {where} ORDER BY finished_at LIMIT :limit"  # noqa: S608 - own words
    rows = tx.execute(chosen, bounds | {"limit": limit}).all()
    counts: dict[str, int] = {}
    for _, state in rows:
        counts[state] = counts.get(state, 0) + 1
    if rows and not dry_run:
        tx.execute("DELETE FROM job_attempts WHERE job_id = :id", [{"id": job_id} for job_id, _ in rows])
        tx.execute("DELETE FROM jobs WHERE id = :id", [{"id": job_id} for job_id, _ in rows])
        if tx.principal.kind != "system":
            detail = {"before": str(before), **counts}
            audit.record(
                tx,
                JobAction.PRUNED,
                resource_type="job",
                resource_id="*",
                organization_id=organization_id,
                detail=detail,
            )
            events.append(
                tx, f"work:{organization_id}", EVENTS[JobAction.PRUNED], detail, organization_id=organization_id
            )
    return counts


def _ended(
    before: datetime, organization_id: int | None, with_own: bool, states: Collection[State]
) -> tuple[str, dict[str, Any]]:
    words = ", ".join(f"'{state}'" for state in sorted(ENDED.intersection(states)))
    where, bounds = f"finished_at < :before AND state IN ({words})", {"before": micros(before)}
    if organization_id is not None:
        own = " OR organization_id IS NULL" if with_own else ""
        where, bounds["organization"] = f"{where} AND (organization_id = :organization{own})", organization_id
    return where, bounds


def _note(tx: Tx, job: Job, action: JobAction, reason: str | None, *, audited: bool = True, **more: Any) -> None:
    """The audit event and the domain event of what a principal did; the system's own acts are the ledger's history."""
    if tx.principal.kind == "system":
        return
    organization_id = job.organization_id or tx.principal.organization_id
    if audited:
        audit.record(
            tx,
            action,
            resource_type="job",
            resource_id=job.uid,
            organization_id=organization_id,
            aggregate_id=job.subject,
            detail={"workId": job.work_ref, "kind": job.kind, "state": job.state, "reason": reason, **more},
        )
    events.append(
        tx,
        f"work:{job.work_ref}",
        EVENTS[action],
        {"workId": job.work_ref, "kind": job.kind, "subject": job.subject, **more},
        organization_id=organization_id,
    )


def _close(tx: Tx, job: Job, transition: step.Transition, by: str, reason: str | None, outcome: Outcome | None) -> Job:
    if not transition.allows(job.state):
        raise _not_allowed(job, transition.name)
    tx.execute(
        _CLOSE.format(becomes=transition.becomes, allowed=transition.allowed),
        {"by": by, "reason": reason, "now": micros(tx.now), "id": job.id},
    )
    closed = get(tx, job.id)
    if outcome is not None:
        ledger.settle(tx, closed, outcome)
    else:
        if job.concurrency_key is not None and State(job.state) not in ENDED:
            ledger.pass_turn(tx, job.concurrency_key)
        tx.publish(ledger.topic(job.id), closed.state)
    return closed


def _not_allowed(job: Job, verb: str) -> Conflict:
    return Conflict(
        f"Job {job.uid} is {job.state}, which does not allow {verb}.",
        code=NOT_ALLOWED[verb],
        hint="Reload the job; its state may have changed meanwhile.",
    )
