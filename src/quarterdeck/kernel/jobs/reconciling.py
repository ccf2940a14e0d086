"""Ending what a kind's `finish` was to end and did not: it was left out, or failed (see docs/adr/0012)."""

from __future__ import annotations

import asyncio

import structlog

from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Database, Tx, of_storage
from quarterdeck.kernel.jobs import ledger
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.kernel.jobs.job import Job, Outcome
from quarterdeck.kernel.jobs.kinds import JobKind, kinds
from quarterdeck.kernel.jobs.operating import JobAction
from quarterdeck.kernel.jobs.transitions import ENDED, State

EVERY = 600.0
"""Seconds between two looks."""
log = structlog.get_logger("quarterdeck.jobs")


async def keep_reconciling(db: Database) -> None:
    """Run beside the server until canceled: at its start, and every ten minutes."""
    while True:
        await reconcile(db)
        await asyncio.sleep(EVERY)


async def reconcile(db: Database) -> int:
    """End the attempts whose job has ended, each in a unit of its own. Answers how many those were."""
    ended = 0
    for kind in kinds.all():
        if kind.unsettled is None or kind.finish is None:
            continue
        for job_id in await db.read(left_open, kind):
            ended += await db.write(end, kind, job_id)
    return ended


def left_open(tx: Tx, kind: JobKind) -> list[int]:
    """The ended jobs of a kind whose attempt lives on."""
    found = kind.unsettled(tx) if kind.unsettled is not None else ()
    return [job.id for job in (look(tx, job_id) for job_id in found) if job is not None and State(job.state) in ENDED]


def end(tx: Tx, kind: JobKind, job_id: int) -> bool:
    """Finish a job again, as it ended; where its kind cannot do that, as failed. False where it is settled by now, or
    where neither can be done, which is logged.
    """
    job = look(tx, job_id)
    if job is None:
        return False
    if job.concurrency_key is not None:
        ledger.hold_turn(tx, job.concurrency_key)  # whoever ends it now holds that
    tx.session.expire_all()
    if job_id not in left_open(tx, kind):
        return False
    told = "What became of this work could not be applied when it ended."
    failed = Outcome("failed", error_code="job_finish_failed", error_message=told, error_category="infra")
    for outcome in (_outcome(job), failed):
        try:
            with tx.savepoint():
                ledger.finish(tx, job, outcome)
                _note(tx, job, outcome)
        except Exception as error:
            if of_storage(error):
                raise
            log.exception("finish_failed", job=job.id, kind=job.kind)
            tx.session.expire_all()
        else:
            log.warning("attempt_reconciled", job=job.id, kind=job.kind, outcome=outcome.state)
            return True
    return False


def _outcome(job: Job) -> Outcome:
    if job.state == State.SUCCEEDED:
        return Outcome("succeeded", result=job.result)
    if job.state == State.CANCELED:
        return Outcome("canceled", error_message=job.cancel_reason or job.error_message)
    return Outcome(
        "failed", error_code=job.error_code, error_message=job.error_message, error_category=job.error_category
    )


def _note(tx: Tx, job: Job, outcome: Outcome) -> None:
    audit.record(
        tx,
        JobAction.RECONCILED,
        resource_type="operator-work",
        resource_id=job.work_ref,
        organization_id=job.organization_id,
        aggregate_id=job.subject.partition(":")[2] if job.subject else None,
        detail={"kind": job.kind, "state": outcome.state, "errorCode": outcome.error_code},
    )
