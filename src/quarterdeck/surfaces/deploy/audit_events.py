"""The audit trail as the deploy surface tells it: lists, exports, pruning."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import AuditEvent
from quarterdeck.kernel.audit.keeping import check_span
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import instant_of, present
from quarterdeck.surfaces.deploy.wire import audit_events as wire
from quarterdeck.surfaces.shared.auditing import flat, masked, note_export, organization_of
from quarterdeck.surfaces.shared.values import given

DEFAULT = 50
SPAN = ((400, "validation_error"),)


def summary(event: AuditEvent) -> dict[str, Any]:
    return {
        "auditEventId": event.ref,
        "aggregateId": event.aggregate_id,
        "eventType": event.action,
        "createdAt": wire_time(event.at),
    }


def item(event: AuditEvent) -> dict[str, Any]:
    """An event with its circumstances, and what was told of it below `detail.`."""
    payload = present(
        actor=event.actor_label,
        actorKind=event.actor_kind,
        outcome=event.outcome,
        resourceType=event.resource_type,
        resourceId=event.resource_id,
        requestId=event.request_id,
        correlationId=event.correlation_id,
        address=event.address,
    ) | flat(event.detail, "detail.")
    return {**summary(event), "payload": payload, "redactedFields": masked(payload)}


def span(query: Any) -> tuple[datetime | None, datetime | None]:
    """The ends of a query or body; `Invalid` unless the first is before the second."""
    ends = [given(query.from_), given(query.to)]
    since, until = (
        None if text is None else instant_of(text, name) for text, name in zip(ends, ("from", "to"), strict=True)
    )
    check_span(since, until)
    return since, until


def wanted(call: Call, query: Any, *, spanned: bool = True) -> audit.Filter:
    since, until = span(query) if spanned else (None, None)
    kind = given(query.event_type)
    return audit.Filter(
        organization_id=organization_of(call.principal),
        aggregate_id=given(query.aggregate_id),
        actions=None if kind is None else (kind,),
        since=since,
        until=until,
    )


def scoped(query: Any) -> str:
    """The aggregate that a question has to name."""
    if given(query.aggregate_id) is None:
        raise Invalid(
            "Nothing says whose events are meant.",
            code="audit_event_scope_required",
            hint="Give aggregateId, such as prj_…; GET /audit-events/export-global reads across aggregates.",
        )
    return str(query.aggregate_id)


@operation("audit-events.list")
async def newest(call: Call, db: Database, query: wire.AuditEventsListQuery) -> dict[str, Any]:
    scoped(query)
    cursor = given(query.cursor)
    before = None if cursor is None else audit.position(cursor)
    found = await audit.find(db, wanted(call, query, spanned=False), given(query.limit) or DEFAULT, before)
    return present(
        schemaVersion="audit-events.list/v1",
        items=[summary(event) for event in found.events],
        nextCursor=audit.cursor_of(found.rest),
        generatedAt=call.stamp,
    )


@operation("audit-events.show")
async def show(call: Call, audit_event_id: str, query: wire.AuditEventsShowQuery) -> dict[str, Any]:
    aggregate, organization_id = scoped(query), organization_of(call.principal)
    found = await call.read(audit.show, audit_event_id, organization_id=organization_id, aggregate_id=aggregate)
    return {"schemaVersion": "audit-events.show/v1", "event": item(found)}


@operation("audit-events.export")
async def export(call: Call, db: Database, query: wire.AuditEventsExportQuery) -> dict[str, Any]:
    aggregate = scoped(query)
    found = await taken(call, db, query)
    return {"schemaVersion": "audit-events.export/v1", "aggregateId": aggregate, **exported(call, query, found)}


@operation("audit-events.export-global", further=SPAN)
async def export_global(call: Call, db: Database, query: wire.AuditEventsExportGlobalQuery) -> dict[str, Any]:
    found = await taken(call, db, query)
    answer = exported(call, query, found)
    answer["filters"] |= present(aggregateId=given(query.aggregate_id))
    return {"schemaVersion": "audit-events.export-global/v1", **answer}


async def taken(call: Call, db: Database, query: Any) -> audit.Look:
    """The events of an export; that they were taken away is written down, and is none of them."""
    meant = wanted(call, query)
    found = await audit.find(db, meant, query.limit)
    asked = {"aggregateId": meant.aggregate_id, "eventType": given(query.event_type), "from": given(query.from_)}
    asked = {name: value for name, value in {**asked, "to": given(query.to)}.items() if value is not None}
    await call.write(note_export, "json", asked)
    return found


def exported(call: Call, query: Any, found: audit.Look) -> dict[str, Any]:
    """The newest events that match; `truncated` says that older ones do too, or may."""
    told = {"eventType": given(query.event_type), "from": given(query.from_), "to": given(query.to)}
    return {
        "filters": present(**told, limit=query.limit),
        "items": [item(event) for event in found.events],
        "itemCount": len(found.events),
        "truncated": found.rest is not None,
        "generatedAt": call.stamp,
    }


@operation("audit-events.prune", further=SPAN)
async def prune(call: Call, db: Database, body: wire.AuditEventsPruneBody) -> dict[str, Any]:
    scope = audit.Scope(
        before=instant_of(body.before),
        organization_id=organization_of(call.principal),
        aggregate_id=given(body.aggregate_id),
        action=given(body.event_type),
    )
    found: audit.Survey = await call.read(audit.survey, scope)
    gone = {} if body.dry_run else await audit.prune_all(db, scope)
    return present(
        schemaVersion="audit-events.prune/v1",
        before=wire_time(scope.before),
        aggregateId=scope.aggregate_id,
        eventType=scope.action,
        dryRun=body.dry_run,
        matchedCount=sum(found.matched.values()),
        prunedCount=sum(gone.values()),
        heldCount=sum(found.held.values()),
        archiveRetainedCount=sum(found.retained.values()),
        countsByEventType=found.prunable if body.dry_run else gone,
        heldCountsByEventType=found.held,
        archiveRetainedCountsByEventType=found.retained,
        activeHoldIds=found.holds,
        activeArchiveIds=found.archives,
        prunedAt=call.stamp,
    )
