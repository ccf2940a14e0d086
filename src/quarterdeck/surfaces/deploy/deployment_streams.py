"""Logs and events of a deployment, bounded and live."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from quarterdeck.deploy.deployments import admission, deployments
from quarterdeck.deploy.deployments.transitions import TERMINAL
from quarterdeck.kernel import events
from quarterdeck.kernel.bus import Bus
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.http.sse import Event as Sent
from quarterdeck.kernel.http.sse import EventStream, done
from quarterdeck.kernel.logs import Line, Logs
from quarterdeck.surfaces.deploy.deployment_documents import phase_word
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import present
from quarterdeck.surfaces.deploy.wire import deployments as wire
from quarterdeck.surfaces.deploy.wire.deployments_shapes import DeploymentsCreateBody
from quarterdeck.surfaces.shared.values import given

SCHEMA = "deployments.stream-events/v1"
OUTWARD = {
    "deployment-requested",
    "build-requested",
    "deployment-started",
    "deployment-succeeded",
    "deployment-failed",
    "deployment-progress",
}
HISTORY = 200
MOST_LINES = 5000
TOTAL_STEPS = 5


def log_line(line: Line) -> dict[str, Any]:
    return {
        "timestamp": wire_time(line.time),
        "source": "appaloft" if line.source == "quarterdeck" else "application",
        "phase": phase_word(line.phase),
        "level": line.level if line.level in {"debug", "info", "warn", "error"} else "info",
        "message": line.message,
        "masked": "****" in line.message,
    }


@operation("deployments.logs")
async def read_logs(call: Call, deployment_id: str, logs: Logs) -> dict[str, Any]:
    await call.read(deployments.find, deployment_id)
    lines = await logs.read(f"deployment:{deployment_id}", tail=MOST_LINES)
    return {"deploymentId": deployment_id, "logs": [log_line(line) for line in lines]}


def envelope(event: events.Event, deployment_id: str) -> dict[str, Any] | None:
    """A domain event in its outward form; None for those that are not told."""
    kind = event.type
    if kind in {
        "deployment.planning_started",
        "deployment.planned",
        "deployment.cancel_requested",
        "deployment.canceled",
    }:
        kind = "deployment-progress"
    if kind not in OUTWARD:
        return None
    data = event.data
    phase = data.get("phase")
    return {
        "schemaVersion": SCHEMA,
        "kind": "event",
        "event": present(
            deploymentId=deployment_id,
            sequence=event.sequence,
            cursor=event.cursor,
            emittedAt=wire_time(event.at),
            source="progress-projection" if kind == "deployment-progress" else "domain-event",
            eventType=kind,
            phase=phase_word(phase) if phase else None,
            status=data.get("status"),
            retriable=data.get("retriable"),
            summary=data.get("summary") or data.get("message") or data.get("reason"),
        ),
    }


def gap(code: str, phase: str, last: int) -> dict[str, Any]:
    return {
        "schemaVersion": SCHEMA,
        "kind": "gap",
        "gap": present(
            code=code, phase=phase, retriable=True, lastSequence=last or None, recommendedAction="restart-stream"
        ),
    }


def closed(reason: str, cursor: str | None) -> dict[str, Any]:
    return present(schemaVersion=SCHEMA, kind="closed", reason=reason, cursor=cursor)


REASONS = {"succeeded": "completed", "failed": "completed", "rolled-back": "completed", "canceled": "cancelled"}


def _history(
    tx: Tx, deployment_id: str, cursor: str | None, limit: int, *, history: bool
) -> tuple[list[dict[str, Any]], int, str | None, str]:
    """Envelopes of the past, the sequence to go on from, its cursor, and the deployment's status."""
    deployment = deployments.find(tx, deployment_id)
    stream = f"deployment:{deployment_id}"
    told: list[dict[str, Any]] = []
    after = 0
    if cursor is not None:
        found = events.locate(tx, stream, cursor)
        if found is None:
            told.append(gap("deployment_event_cursor_unknown", "event-replay", events.watermark(tx, stream)))
        after = found or 0
    head = events.head(tx, stream)
    start = after if history or cursor is not None else head
    rows = events.read(tx, stream, start, 1000)[-limit:] if limit else []
    told.extend(body for body in (envelope(row, deployment_id) for row in rows) if body is not None)
    last = rows[-1] if rows else None
    return told, max(head, start), last.cursor if last else cursor, deployment.status


def _asked(query: Any) -> tuple[str | None, int, bool]:
    limit = given(query.history_limit)
    return (
        given(query.cursor),
        HISTORY if limit is None else min(int(limit), HISTORY),
        given(query.include_history) is not False,
    )


@operation("deployments.stream-events")
async def read_events(call: Call, deployment_id: str, query: wire.DeploymentsStreamEventsQuery) -> dict[str, Any]:
    cursor, limit, history = _asked(query)
    told, _, last, status = await call.read(_history, deployment_id, cursor, limit, history=history)
    if status in TERMINAL:
        told.append(closed(REASONS[status], last))
    return {"deploymentId": deployment_id, "envelopes": told}


@operation("deployments.stream-events/stream")
async def follow_events(
    call: Call, deployment_id: str, query: wire.DeploymentsStreamEventsStreamQuery, bus: Bus, db: Database
) -> EventStream:
    cursor, limit, history = _asked(query)
    if cursor is None:
        cursor = call.headers.get("last-event-id")
    told, after, last, status = await call.read(_history, deployment_id, cursor, limit, history=history)
    until_end = given(query.until_terminal) is not False
    live = given(query.follow) is not False

    async def source() -> AsyncIterator[Sent]:
        now, at_cursor = status, last
        for body in told:
            event = body.get("event")
            yield Sent(body, id=event["cursor"] if event else None)
        if now not in TERMINAL and live:
            async for item in events.follow(bus, db, f"deployment:{deployment_id}", after):
                if isinstance(item, events.Gap):
                    yield Sent(gap("deployment_event_gap", "live-follow", item.until))
                    continue
                outward = envelope(item, deployment_id)
                at_cursor, now = item.cursor, item.data.get("status") or now
                if outward is not None:
                    yield Sent(outward, id=item.cursor)
                if until_end and now in TERMINAL:
                    break
        yield Sent(closed(REASONS.get(now, "source-ended"), at_cursor))
        yield done({"deploymentId": deployment_id})

    return EventStream(source(), found=lambda: call.read(deployments.find, deployment_id))


@operation("deployments.create/stream")
async def create_and_follow(call: Call, body: DeploymentsCreateBody, bus: Bus, db: Database) -> EventStream:
    made = await call.write(
        admission.create,
        project_ref=body.project_id,
        environment_ref=body.environment_id,
        resource_ref=body.resource_id,
        server_ref=body.server_id,
        destination_ref=given(body.destination_id),
    )
    ref = made.ref

    async def source() -> AsyncIterator[Sent]:
        async for item in events.follow(bus, db, f"deployment:{ref}", 0):
            if isinstance(item, events.Gap):
                continue
            status = item.data.get("status")
            if envelope(item, ref) is not None:
                yield Sent(progress(item, ref))
            if status in TERMINAL:
                break
        yield done({"id": ref})

    return EventStream(source(), found=lambda: call.read(deployments.find, ref))


def progress(event: events.Event, ref: str) -> dict[str, Any]:
    """The documented progress event of a domain event."""
    data = event.data
    phase = phase_word(data.get("phase"))
    ended = {"succeeded": "succeeded", "failed": "failed", "rolled-back": "failed", "canceled": "failed"}
    state = ended.get(str(data.get("status")), "running")
    return {
        "timestamp": wire_time(event.at),
        "source": "appaloft",
        "phase": phase,
        "level": "error" if state == "failed" else "info",
        "message": str(data.get("summary") or data.get("message") or event.type),
        "deploymentId": ref,
        "status": state,
        "step": {"current": int(data.get("step") or 1), "total": TOTAL_STEPS, "label": phase},
    }
