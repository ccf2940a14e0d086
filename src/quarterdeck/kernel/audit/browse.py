"""Reading the trail: newest first, by keyset cursors."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from sqlalchemy import RowMapping, select

from quarterdeck.kernel.audit.model import AuditEvent, audit_events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound


class Page(msgspec.Struct, frozen=True):
    """`next_cursor` leads to older events; None at the end."""

    events: list[AuditEvent]
    next_cursor: str | None


def event(row: RowMapping) -> AuditEvent:
    values: dict[str, Any] = {**row}
    values["detail"] = msgspec.json.decode(row["detail"])
    return AuditEvent(**values)


def page(
    tx: Tx,
    *,
    organization_id: int | None,
    aggregate_id: str | None = None,
    action: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page:
    """Events of one organization (None: of no organization), newest first."""
    table = audit_events.c
    statement = select(audit_events).order_by(table.id.desc()).limit(limit + 1)
    statement = statement.where(
        table.organization_id.is_(None) if organization_id is None else table.organization_id == organization_id
    )
    if aggregate_id is not None:
        statement = statement.where(table.aggregate_id == aggregate_id)
    if action is not None:
        statement = statement.where(table.action == action)
    if cursor is not None:
        statement = statement.where(table.id < _position(cursor))
    rows = tx.execute(statement).mappings().all()
    events = [event(row) for row in rows[:limit]]
    return Page(events, _cursor(events[-1].id) if len(rows) > limit else None)


def show(tx: Tx, ref: str, *, organization_id: int | None, aggregate_id: str | None = None) -> AuditEvent:
    """One event by its `aud_…` or uid."""
    table = audit_events.c
    statement = select(audit_events).where((table.ref == ref) | (table.uid == ref))
    if organization_id is not None:
        statement = statement.where(table.organization_id == organization_id)
    if aggregate_id is not None:
        statement = statement.where(table.aggregate_id == aggregate_id)
    row = tx.execute(statement).mappings().first()
    if row is None:
        raise NotFound(f"There is no audit event {ref}, or you may not see it.", code="audit_event_not_found")
    return event(row)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def _position(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise Invalid("The cursor is not one that this list gave.", hint="Start again without a cursor.") from None
