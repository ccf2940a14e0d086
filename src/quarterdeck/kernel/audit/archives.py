"""Archives: copies of events that stay as they were made until somebody prunes them."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, delete, insert, select

from quarterdeck.kernel.audit import browse
from quarterdeck.kernel.audit.filter import Filter
from quarterdeck.kernel.audit.keeping import LOCK, KeepingAction, check_reason, check_span, note
from quarterdeck.kernel.audit.model import AuditEvent, audit_archives, audit_retained
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound

MOST = 500
_ARCHIVES = audit_archives.c
_SHORT = [column for column in _ARCHIVES if column.name != "content"]


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """`digest` is the SHA-256 of the content: the same events give the same. An archive that `retains` keeps its
    events from being pruned. `truncated`: more matched than were copied, and the newest were.
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
    item_count: int
    truncated: bool
    digest: str
    retains: bool
    created_at: datetime

    @property
    def kind(self) -> Literal["aggregate", "global-window"]:
        return "global-window" if self.aggregate_id is None else "aggregate"


class Pruned(msgspec.Struct, frozen=True):
    """How many archives matched, by kind of their source and by action (`*`: of all actions)."""

    matched: int
    by_kind: dict[str, int]
    by_action: dict[str, int]


def archive(tx: Tx, wanted: Filter, reason: str, *, limit: int = 100, retain: bool = False) -> Archive:
    """Copy the newest `limit` matching events. `wanted` names an aggregate, or a span with both ends. With `retain`
    the events themselves stay too, until the archive is pruned.
    """
    check_span(wanted.since, wanted.until)
    if wanted.aggregate_id is None and (wanted.since is None or wanted.until is None):
        raise Invalid(
            "Nothing says which events are meant.",
            code="audit_event_archive_scope_required",
            hint="Give aggregateId, or both from and to.",
        )
    told = check_reason(reason)
    tx.lock(LOCK)
    found, rest = _matching(tx, wanted, min(limit, MOST))
    content = msgspec.json.encode([_kept(one) for one in found])
    ref = tx.ids.ref("aar")
    row_id = tx.execute(
        insert(audit_archives)
        .values(
            uid=tx.ids.uid(),
            ref=ref,
            organization_id=wanted.organization_id,
            aggregate_id=wanted.aggregate_id,
            action=wanted.actions[0] if wanted.actions else None,
            from_at=wanted.since,
            to_at=wanted.until,
            reason=told,
            item_count=len(found),
            truncated=rest is not None,
            content=content.decode(),
            digest=hashlib.sha256(content).hexdigest(),
            retains=retain,
            created_at=tx.now,
        )
        .returning(_ARCHIVES.id)
    ).scalar_one()
    if retain and found:
        tx.execute(insert(audit_retained), [{"event_id": one.id, "archive_id": row_id} for one in found])
    made = find(tx, ref, organization_id=wanted.organization_id)
    detail = {"count": made.item_count, "sha256": made.digest, "retains": retain, "reason": told}
    note(tx, KeepingAction.ARCHIVED, "audit-archive", ref, wanted.organization_id, detail)
    return made


def _matching(tx: Tx, wanted: Filter, limit: int) -> tuple[list[AuditEvent], int | None]:
    found: list[AuditEvent] = []
    before: int | None = None
    while True:
        seen = browse.look(tx, wanted, limit - len(found), before)
        found, before = found + seen.events, seen.rest
        if before is None or len(found) >= limit:
            return found, before


def _kept(event: AuditEvent) -> dict[str, Any]:
    values = msgspec.structs.asdict(event)
    del values["id"], values["organization_id"]
    return {**values, "at": wire_time(event.at)}


def find(tx: Tx, ref: str, *, organization_id: int | None) -> Archive:
    """An archive by its `aar_…`."""
    return Archive(**_row(tx, _SHORT, ref, organization_id))


def content(tx: Tx, ref: str, *, organization_id: int | None) -> list[AuditEvent]:
    """The events as they were copied. Their ids inside are not part of the copy and read 0."""
    text = _row(tx, [_ARCHIVES.content], ref, organization_id)["content"]
    more = {"id": 0, "organization_id": organization_id}
    return [msgspec.convert({**one, **more}, AuditEvent) for one in msgspec.json.decode(text)]


def _row(tx: Tx, columns: list[Any], ref: str, organization_id: int | None) -> Any:
    where = (_ARCHIVES.ref == ref, _ARCHIVES.organization_id == organization_id)
    row = tx.execute(select(*columns).where(*where)).mappings().first()
    if row is None:
        raise NotFound(
            f"There is no audit archive {ref[:60]}, or you may not see it.",
            code="audit_event_archive_not_found",
            hint="It may have been pruned. qd audit archive ls lists what there is.",
        )
    return {**row}


def listed(
    tx: Tx,
    organization_id: int | None,
    *,
    aggregate_id: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    before: int | None = None,
) -> tuple[list[Archive], int | None]:
    """A page of those made from `since` on and before `until`, newest first, and the id below which it goes on."""
    where = _meant(organization_id, aggregate_id, action)
    if since is not None:
        where.append(_ARCHIVES.created_at >= since)
    if until is not None:
        where.append(_ARCHIVES.created_at < until)
    if before is not None:
        where.append(_ARCHIVES.id < before)
    rows = tx.execute(select(*_SHORT).where(*where).order_by(_ARCHIVES.id.desc()).limit(limit + 1)).mappings().all()
    found = [Archive(**_values(row)) for row in rows[:limit]]
    return found, found[-1].id if len(rows) > limit else None


def prune(
    tx: Tx,
    before: datetime,
    *,
    organization_id: int | None,
    aggregate_id: str | None = None,
    action: str | None = None,
    dry_run: bool = True,
) -> Pruned:
    """Remove archives made before an instant (those made at it stay), or only say which that would be. Events that one
    kept may be pruned from then on.
    """
    where = (*_meant(organization_id, aggregate_id, action), _ARCHIVES.created_at < before)
    if not dry_run:
        tx.lock(LOCK)
    rows = tx.execute(select(_ARCHIVES.id, _ARCHIVES.aggregate_id, _ARCHIVES.action).where(*where)).all()
    kinds = Counter("global-window" if row[1] is None else "aggregate" for row in rows)
    found = Pruned(len(rows), dict(kinds), dict(Counter(row[2] or "*" for row in rows)))
    if rows and not dry_run:
        going = select(_ARCHIVES.id).where(*where)
        tx.execute(delete(audit_retained).where(audit_retained.c.archive_id.in_(going)))
        tx.execute(delete(audit_archives).where(*where))
        detail = {"before": before, "count": len(rows)}
        note(tx, KeepingAction.ARCHIVES_PRUNED, "audit-archive", "*", organization_id, detail)
    return found


def _meant(organization_id: int | None, aggregate_id: str | None, action: str | None) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [_ARCHIVES.organization_id == organization_id]
    if aggregate_id is not None:
        where.append(_ARCHIVES.aggregate_id == aggregate_id)
    if action is not None:
        where.append(_ARCHIVES.action == action)
    return where


def _values(row: Any) -> dict[str, Any]:
    return {**row}
