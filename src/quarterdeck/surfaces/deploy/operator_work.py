"""Operator work: what waits, runs and failed, and what a person does about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quarterdeck.deploy.work import work
from quarterdeck.kernel import jobs
from quarterdeck.kernel.clock import instant, wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.jobs.transitions import RECOVER
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import at, instant_of, limit_of, present
from quarterdeck.surfaces.deploy.wire import operator_work as wire
from quarterdeck.surfaces.shared.values import given

MOST = 200
PRUNABLE = tuple(one.value for one in jobs.State if one in jobs.ENDED)
NO_SUCH_WORK = ((404, "operator_work_not_found"),)


def seats(call: Call) -> Sequence[jobs.Seat]:
    return [session.seat for session in call.service("jobs").sessions]


def item(seen: work.Seen) -> dict[str, Any]:
    job = seen.job
    return {
        **present(
            id=job.work_ref,
            kind=seen.kind,
            status=job.state,
            operationKey=seen.about.operation,
            phase=job.closed_by or seen.about.phase,
            step=seen.about.step,
            startedAt=at(job.started_at),
            updatedAt=wire_time(seen.updated_at),
            finishedAt=at(job.finished_at),
            errorCode=job.error_code,
            errorCategory=job.error_category,
            retriable=None if job.retriable is None else bool(job.retriable),
            nextActions=next_actions(seen),
            safeDetails=details(seen),
        ),
        **seen.about.links,
    }


def next_actions(seen: work.Seen) -> list[str]:
    if seen.may_retry:
        return ["diagnostic", "retry", "manual-review"]
    if seen.job.state in RECOVER.sources:
        return ["diagnostic", "manual-review"]
    stuck = seen.waiting is not None and seen.waiting.reason.startswith("worker-")
    return ["diagnostic"] if stuck else ["no-action"]


def details(seen: work.Seen) -> dict[str, Any]:
    """Facts without secrets; `nextEligibleAt` and the reason of waiting stand here, since the item has no field."""
    job, waits = seen.job, seen.waiting
    return present(
        title=seen.title,
        jobRef=job.short_ref,
        attempts=job.attempts,
        maxAttempts=job.max_attempts,
        lane=job.lane,
        createdAt=wire_time(job.created_at),
        correlationId=job.correlation_id,
        retryOfWorkId=jobs.work_ref(job.retry_of_id) if job.retry_of_id else None,
        cancelRequestedAt=None if job.cancel_us is None else wire_time(instant(job.cancel_us)),
        reason=job.cancel_reason,
        message=job.error_message,
        nextEligibleAt=at(waits.until) if waits else None,
        waitingReason=waits.reason if waits else None,
        waitingMessage=waits.message if waits else None,
        waitingHint=waits.hint if waits else None,
        waitingForWorkId=waits.behind.work_ref if waits and waits.behind else None,
        **seen.about.details,
    )


@operation("operator-work.list")
async def newest(call: Call, query: wire.OperatorWorkListQuery) -> dict[str, Any]:
    wanted = work.Wanted(
        kind=given(query.kind),
        status=given(query.status),
        resource=given(query.resource_id),
        server=given(query.server_id),
        deployment=given(query.deployment_id),
    )
    found = await call.read(work.newest, wanted, limit_of(query, MOST), seats(call))
    return {
        "schemaVersion": "operator-work.list/v1",
        "items": [item(one) for one in found],
        "generatedAt": call.stamp,
    }


@operation("operator-work.show", further=NO_SUCH_WORK)
async def show(call: Call, work_id: str) -> dict[str, Any]:
    connected = seats(call)

    def verb(tx: Tx) -> dict[str, Any]:
        return item(work.seen(tx, [work.find(tx, work_id)], connected, whole=True)[0])

    return {"schemaVersion": "operator-work.show/v1", "item": await call.read(verb), "generatedAt": call.stamp}


@operation("operator-work.mark-recovered")
async def mark_recovered(call: Call, work_id: str, body: wire.OperatorWorkMarkRecoveredBody) -> dict[str, Any]:
    job = await call.write(work.mark_recovered, work_id, given(body.reason))
    return {"workId": job.work_ref, "status": job.state, "recoveredAt": at(job.finished_at)}


@operation("operator-work.dead-letter")
async def dead_letter(call: Call, work_id: str, body: wire.OperatorWorkDeadLetterBody) -> dict[str, Any]:
    job = await call.write(work.dead_letter, work_id, body.reason)
    return {"workId": job.work_ref, "status": job.state, "deadLetteredAt": at(job.finished_at)}


@operation("operator-work.cancel")
async def cancel(call: Call, work_id: str, body: wire.OperatorWorkCancelBody) -> dict[str, Any]:
    job = await call.write(work.cancel, work_id, body.reason)
    return {"workId": job.work_ref, "status": job.state, "canceledAt": at(job.finished_at)}


@operation("operator-work.retry")
async def retry(call: Call, work_id: str, body: wire.OperatorWorkRetryBody) -> dict[str, Any]:
    job = await call.write(work.retry, work_id, given(body.reason))
    return {
        "workId": job.work_ref,
        "status": "pending",
        "retryOfWorkId": work_id,
        "retriedAt": wire_time(job.created_at),
    }


@operation("operator-work.prune")
async def prune(call: Call, body: wire.OperatorWorkPruneBody) -> dict[str, Any]:
    """A look unless `dryRun` is false. Old work goes in batches, each a unit of its own, so that nothing waits long."""
    before, dry_run = instant_of(body.before), given(body.dry_run) is not False
    statuses = list(dict.fromkeys(given(body.statuses) or PRUNABLE))
    states = [jobs.State(status) for status in statuses]
    counts = await call.read(work.prunable, before, states)
    matched = sum(counts.values())
    pruned = 0
    if not dry_run:
        counts = {}
        while gone := await call.write(work.prune, before, states):
            for state, number in gone.items():
                counts[state] = counts.get(state, 0) + number
        pruned = sum(counts.values())
    return {
        "prunedCount": pruned,
        "matchedCount": max(matched, pruned),
        "dryRun": dry_run,
        "before": wire_time(before),
        "statuses": statuses,
        "countsByStatus": {status: counts.get(status, 0) for status in statuses},
        "prunedAt": call.stamp,
    }
