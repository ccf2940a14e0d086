"""Legal holds: while one is active, nothing that it matches is pruned."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, insert, select, update

from quarterdeck.kernel.audit.keeping import LOCK, KeepingAction, check_reason, check_span, note
from quarterdeck.kernel.audit.model import audit_holds
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound

_HOLDS = audit_holds.c


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Empty fields match everything. `requested_by` and `released_by` are whoever was named, who need not have an
    account; who did it stands in the trail.
    """

    id: int
    uid: str
    ref: str
    organization_id: int | None
    aggregate_id: str | None
    action: str | None
    from_at: datetime | None
    to_at: datetime | None
    reason: str
    requested_by: str | None
    created_at: datetime
    released_at: datetime | None
    released_by: str | None
    release_reason: str | None


def hold(
    tx: Tx,
    reason: str,
    *,
    organization_id: int | None = None,
    aggregate_id: str | None = None,
    action: str | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    requested_by: str | None = None,
) -> str:
    """Keep matching events (`to_at` excluded) from being pruned until the hold is released. Returns its `ahl_…`."""
    check_span(from_at, to_at)
    told = check_reason(reason)
    tx.lock(LOCK)
    ref = tx.ids.ref("ahl")
    scope = {"aggregate_id": aggregate_id, "action": action}
    tx.execute(
        insert(audit_holds).values(
            uid=tx.ids.uid(),
            ref=ref,
            organization_id=organization_id,
            from_at=from_at,
            to_at=to_at,
            reason=told,
            requested_by=requested_by or tx.principal.label[:200],
            created_at=tx.now,
            **scope,
        )
    )
    spans = {name: None if at is None else wire_time(at) for name, at in (("from", from_at), ("to", to_at))}
    detail = {**scope, **spans, "reason": told, "requestedBy": requested_by}
    note(tx, KeepingAction.HELD, "legal-hold", ref, organization_id, detail)
    return ref


def release(
    tx: Tx, ref: str, reason: str = "", *, organization_id: int | None = None, released_by: str | None = None
) -> Hold:
    """End a hold of an organization (None: any). One that has ended stays as it was."""
    found = find(tx, ref, organization_id=organization_id)
    if found.released_at is not None:
        return found
    tx.lock(LOCK)
    ended = {
        "released_at": tx.now,
        "released_by": released_by or tx.principal.label[:200],
        "release_reason": reason.strip() or None,
    }
    done = tx.execute(
        update(audit_holds)
        .where(_HOLDS.id == found.id, _HOLDS.released_at.is_(None))
        .values(**ended)
        .returning(_HOLDS.id)
    )
    if done.first() is not None:
        detail = {"reason": ended["release_reason"], "releasedBy": released_by}
        note(tx, KeepingAction.RELEASED, "legal-hold", ref, found.organization_id, detail)
    return find(tx, ref, organization_id=organization_id)


def find(tx: Tx, ref: str, *, organization_id: int | None) -> Hold:
    """A hold by its `ahl_…`; of one organization, or (None) of any."""
    where = [_HOLDS.ref == ref]
    if organization_id is not None:
        where.append(_HOLDS.organization_id == organization_id)
    row = tx.execute(select(audit_holds).where(*where)).mappings().first()
    if row is None:
        raise NotFound(
            f"There is no legal hold {ref[:60]}, or you may not see it.",
            code="audit_event_legal_hold_not_found",
            hint="List them: qd audit holds",
        )
    return Hold(**_values(row))


def listed(
    tx: Tx,
    organization_id: int | None,
    *,
    status: Literal["active", "released"] | None = None,
    aggregate_id: str | None = None,
    action: str | None = None,
    limit: int = 50,
    before: int | None = None,
) -> tuple[list[Hold], int | None]:
    """A page, newest first, and the id below which the next one goes on."""
    where: list[ColumnElement[bool]] = [_HOLDS.organization_id == organization_id]
    if status is not None:
        where.append(_HOLDS.released_at.is_(None) if status == "active" else _HOLDS.released_at.is_not(None))
    if aggregate_id is not None:
        where.append(_HOLDS.aggregate_id == aggregate_id)
    if action is not None:
        where.append(_HOLDS.action == action)
    if before is not None:
        where.append(_HOLDS.id < before)
    rows = tx.execute(select(audit_holds).where(*where).order_by(_HOLDS.id.desc()).limit(limit + 1)).mappings().all()
    found = [Hold(**_values(row)) for row in rows[:limit]]
    return found, found[-1].id if len(rows) > limit else None


def _values(row: Any) -> dict[str, Any]:
    return {**row}
