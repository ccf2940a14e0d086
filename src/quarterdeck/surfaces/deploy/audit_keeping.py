"""What keeps audit events beyond their time: archives and legal holds."""

from __future__ import annotations

from typing import Any

from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import archives, holds
from quarterdeck.kernel.audit.archives import Archive
from quarterdeck.kernel.audit.holds import Hold
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.audit_events import item, span, wanted
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import at, instant_of, present
from quarterdeck.surfaces.deploy.wire import audit_events as wire
from quarterdeck.surfaces.shared.auditing import organization_of
from quarterdeck.surfaces.shared.values import given

BAD = ((400, "validation_error"),)


def place(query: Any) -> int | None:
    cursor = given(query.cursor)
    return None if cursor is None else audit.position(cursor)


def archive_item(kept: Archive) -> dict[str, Any]:
    ends = {"from": at(kept.from_at), "to": at(kept.to_at)}
    return present(
        archiveId=kept.ref,
        archiveSchemaVersion="audit-events.archive/v1",
        source=present(kind=kept.kind, aggregateId=kept.aggregate_id, **ends),
        eventType=kept.action,
        reason=kept.reason,
        itemCount=kept.item_count,
        truncated=kept.truncated,
        contentDigest=f"sha256:{kept.digest}",
        retainSourceRows=kept.retains,
        createdAt=wire_time(kept.created_at),
    )


@operation("audit-events.archives.list", further=BAD)
async def archives_newest(call: Call, query: wire.AuditEventsArchivesListQuery) -> dict[str, Any]:
    since, until = span(query)
    found, rest = await call.read(
        archives.listed,
        organization_of(call.principal),
        aggregate_id=given(query.aggregate_id),
        action=given(query.event_type),
        since=since,
        until=until,
        limit=query.limit,
        before=place(query),
    )
    return present(
        schemaVersion="audit-events.archives.list/v1",
        items=[archive_item(one) for one in found],
        nextCursor=audit.cursor_of(rest),
        generatedAt=call.stamp,
    )


@operation("audit-events.archives.create")
async def archives_create(call: Call, body: wire.AuditEventsArchivesCreateBody) -> dict[str, Any]:
    meant = wanted(call, body)
    made = await call.write(audit.archive, meant, body.reason, limit=body.limit, retain=body.retain_source_rows)
    return {"schemaVersion": "audit-events.archives.archive/v1", "archive": archive_item(made)}


@operation("audit-events.archives.show")
async def archives_show(call: Call, archive_id: str) -> dict[str, Any]:
    organization_id = organization_of(call.principal)

    def verb(tx: Tx) -> dict[str, Any]:
        kept = archives.find(tx, archive_id, organization_id=organization_id)
        copied = archives.content(tx, archive_id, organization_id=organization_id)
        return {**archive_item(kept), "items": [item(one) for one in copied]}

    shown = await call.read(verb)
    return {"schemaVersion": "audit-events.archives.show/v1", "archive": shown, "generatedAt": call.stamp}


@operation("audit-events.archives.prune", further=BAD)
async def archives_prune(call: Call, body: wire.AuditEventsArchivesPruneBody) -> dict[str, Any]:
    before, run = instant_of(body.before), call.read if body.dry_run else call.write
    found = await run(
        archives.prune,
        before,
        organization_id=organization_of(call.principal),
        aggregate_id=given(body.aggregate_id),
        action=given(body.event_type),
        dry_run=body.dry_run,
    )
    return present(
        schemaVersion="audit-events.archives.prune/v1",
        before=wire_time(before),
        aggregateId=given(body.aggregate_id),
        eventType=given(body.event_type),
        dryRun=body.dry_run,
        matchedCount=found.matched,
        prunedCount=0 if body.dry_run else found.matched,
        countsBySourceKind=found.by_kind,
        countsByEventType=found.by_action,
        prunedAt=call.stamp,
    )


def hold_item(hold: Hold) -> dict[str, Any]:
    kind = "global-window" if hold.aggregate_id is None else "aggregate"
    ends = {"from": at(hold.from_at), "to": at(hold.to_at)}
    return present(
        holdId=hold.ref,
        status="active" if hold.released_at is None else "released",
        scope=present(kind=kind, aggregateId=hold.aggregate_id, **ends),
        eventType=hold.action,
        reason=hold.reason,
        requestedBy=hold.requested_by,
        createdAt=wire_time(hold.created_at),
        releasedAt=at(hold.released_at),
        releaseReason=hold.release_reason,
        releasedBy=hold.released_by,
    )


@operation("audit-events.legal-holds.list", further=BAD)
async def holds_newest(call: Call, query: wire.AuditEventsLegalHoldsListQuery) -> dict[str, Any]:
    found, rest = await call.read(
        holds.listed,
        organization_of(call.principal),
        status=given(query.status),
        aggregate_id=given(query.aggregate_id),
        action=given(query.event_type),
        limit=query.limit,
        before=place(query),
    )
    return present(
        schemaVersion="audit-events.legal-holds.list/v1",
        items=[hold_item(one) for one in found],
        nextCursor=audit.cursor_of(rest),
        generatedAt=call.stamp,
    )


@operation("audit-events.legal-holds.configure")
async def holds_place(call: Call, body: wire.AuditEventsLegalHoldsConfigureBody) -> dict[str, Any]:
    organization_id = organization_of(call.principal)
    since, until = span(body)
    aggregate = given(body.aggregate_id)
    if aggregate is None and since is None and until is None:
        raise Invalid(
            "Nothing says what is held.",
            code="audit_event_legal_hold_scope_required",
            hint="Give aggregateId, or from or to or both.",
        )

    def verb(tx: Tx) -> Hold:
        ref = audit.hold(
            tx,
            body.reason,
            organization_id=organization_id,
            aggregate_id=aggregate,
            action=given(body.event_type),
            from_at=since,
            to_at=until,
            requested_by=given(body.requested_by),
        )
        return holds.find(tx, ref, organization_id=organization_id)

    return {"schemaVersion": "audit-events.legal-holds.hold/v1", "hold": hold_item(await call.write(verb))}


@operation("audit-events.legal-holds.show")
async def holds_show(call: Call, hold_id: str) -> dict[str, Any]:
    found = await call.read(holds.find, hold_id, organization_id=organization_of(call.principal))
    return {"schemaVersion": "audit-events.legal-holds.show/v1", "hold": hold_item(found), "generatedAt": call.stamp}


@operation("audit-events.legal-holds.release")
async def holds_release(call: Call, hold_id: str, body: wire.AuditEventsLegalHoldsReleaseBody) -> dict[str, Any]:
    ended = await call.write(
        audit.release,
        hold_id,
        body.release_reason,
        organization_id=organization_of(call.principal),
        released_by=given(body.released_by),
    )
    return {"schemaVersion": "audit-events.legal-holds.hold/v1", "hold": hold_item(ended)}
