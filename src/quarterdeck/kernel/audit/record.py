"""Writing the audit trail, in the transaction of the change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from quarterdeck.kernel.audit.action import Action
from quarterdeck.kernel.audit.model import AuditEvent, Outcome
from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.db.tx import pyformat
from quarterdeck.kernel.redaction import redact

COLUMNS = (
    "uid, ref, organization_id, at, actor_kind, actor_id, actor_label, action, resource_type, resource_id, "
    "aggregate_id, outcome, request_id, correlation_id, address, detail"
)
_INSERT = (
    f"INSERT INTO audit_events ({COLUMNS}) VALUES (:"  # noqa: S608 - constant names
    + ", :".join(COLUMNS.split(", "))
    + ") RETURNING id"
)
_SQLITE_QUEUE = "INSERT INTO audit_unsealed (event_id) VALUES (?)"
_POSTGRESQL = pyformat(
    f"WITH written AS ({_INSERT}) INSERT INTO audit_unsealed (event_id) SELECT id FROM written RETURNING event_id"  # noqa: S608
)


def record(
    tx: Tx,
    action: Action,
    *,
    resource_type: str,
    resource_id: str,
    organization_id: int | None = None,
    outcome: Outcome = "success",
    aggregate_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
    correlation_id: str | None = None,
) -> AuditEvent:
    """Write one event; it is kept or lost with the change that it speaks of.

    Actor, request, correlation and address come from `tx.context`; without `organization_id` the actor's current
    organization is meant. `aggregate_id` (default: the resource) is what lists are scoped by. `detail` is redacted.
    """
    context, principal = tx.context, tx.principal
    written = AuditEvent(
        id=0,
        uid=tx.ids.uid(),
        ref=tx.ids.ref("aud"),
        organization_id=principal.organization_id if organization_id is None else organization_id,
        at=tx.now,
        actor_kind=principal.kind,
        actor_id=principal.id,
        actor_label=principal.label[:200],
        action=str(action),
        resource_type=resource_type,
        resource_id=resource_id,
        aggregate_id=aggregate_id or resource_id,
        outcome=outcome,
        request_id=context.request_id[:64],
        correlation_id=(correlation_id or context.correlation_id)[:64],
        address=context.address[:64] if context.address else None,
        detail=redact(detail or {}),
    )
    values = msgspec.structs.asdict(written)
    values["at"] = micros(written.at)
    values["detail"] = msgspec.json.encode(written.detail).decode()
    del values["id"]
    if tx.dialect == "postgresql":
        row_id = tx.hot(_POSTGRESQL, values).fetchone()[0]
    else:
        row_id = tx.hot(_INSERT, values).fetchone()[0]
        tx.hot(_SQLITE_QUEUE, (row_id,))
    tx.publish("audit")
    return msgspec.structs.replace(written, id=row_id)


async def record_refusal(
    db: Database,
    action: Action,
    *,
    resource_type: str,
    resource_id: str,
    organization_id: int | None = None,
    outcome: Outcome = "denied",
    aggregate_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
    correlation_id: str | None = None,
) -> AuditEvent:
    """Write down a refusal in a unit of its own, after the refused unit has rolled back."""
    return await db.write(
        record,
        action,
        resource_type=resource_type,
        resource_id=resource_id,
        organization_id=organization_id,
        outcome=outcome,
        aggregate_id=aggregate_id,
        detail=detail,
        correlation_id=correlation_id,
    )
