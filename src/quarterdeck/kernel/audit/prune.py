"""Retention: the one way in which an audit event may go, and what keeps it from going."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import insert, text, update

from quarterdeck.kernel.audit.covering import AuditAction, removed
from quarterdeck.kernel.audit.model import audit_archives, audit_holds
from quarterdeck.kernel.audit.record import record
from quarterdeck.kernel.audit.seal import BATCH, seal
from quarterdeck.kernel.clock import micros, wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound

# What a pruning says of itself stays for good: the tombstones that it left count only beside it.
_KEPT = """
e.action = 'audit.pruned'
OR EXISTS (SELECT 1 FROM audit_holds h WHERE h.released_at IS NULL
  AND (h.organization_id IS NULL OR h.organization_id = e.organization_id)
  AND (h.aggregate_id IS NULL OR h.aggregate_id = e.aggregate_id))
OR EXISTS (SELECT 1 FROM audit_archives a WHERE a.deleted_at IS NULL
  AND (a.retain_until IS NULL OR a.retain_until > :now)
  AND (a.organization_id IS NULL OR a.organization_id = e.organization_id)
  AND (a.aggregate_id IS NULL OR a.aggregate_id = e.aggregate_id)
  AND e.at >= a.from_at AND e.at < a.to_at)
"""
_SCOPE = (
    "e.at < :before AND (CAST(:organization AS bigint) IS NULL OR e.organization_id = :organization) "
    "AND (CAST(:aggregate AS varchar(200)) IS NULL OR e.aggregate_id = :aggregate)"
)
_COUNT = text(
    f"SELECT COUNT(*), COALESCE(SUM(CASE WHEN {_KEPT} THEN 1 ELSE 0 END), 0), "  # noqa: S608 - constant text
    f"COALESCE(SUM(CASE WHEN s.event_id IS NULL AND NOT ({_KEPT}) THEN 1 ELSE 0 END), 0) "
    f"FROM audit_events e LEFT JOIN audit_seals s ON s.event_id = e.id WHERE {_SCOPE}"
)
_BURY = text(
    "INSERT INTO audit_tombstones (event_id, at, digest, hash, pruned_at) "  # noqa: S608 - constant text
    "SELECT e.id, e.at, s.digest, s.hash, :now FROM audit_events e JOIN audit_seals s ON s.event_id = e.id "
    f"WHERE {_SCOPE} AND NOT ({_KEPT}) ORDER BY e.id LIMIT :limit RETURNING event_id, hash"
)
_REMOVE = text("DELETE FROM audit_events WHERE id = :id")


class Pruning(msgspec.Struct, frozen=True):
    """Of `matched` events, `pruned` went (or would go, in a dry run); `unsealed` wait. `kept` are held, archived, or
    tell of earlier prunings.
    """

    matched: int
    pruned: int
    kept: int
    unsealed: int


def prune(
    tx: Tx,
    before: datetime,
    *,
    organization_id: int | None = None,
    aggregate_id: str | None = None,
    dry_run: bool = True,
    limit: int = 5_000,
) -> Pruning:
    """Remove events older than `before` (those exactly at it stay), oldest first, at most `limit` in one unit.

    Id, time, digest and chain hash stay as a tombstone, so that `verify` still proves the chain. An event
    `audit.pruned`, sealed in the same unit, names what went, and is never pruned itself. Nothing that a hold or an
    archive keeps is touched, nor what is not sealed yet. A hold placed meanwhile waits its turn.
    """
    tx.lock("audit-keeping")
    scope: dict[str, Any] = {
        "before": micros(before),
        "organization": organization_id,
        "aggregate": aggregate_id,
        "now": micros(tx.now),
    }
    matched, kept, unsealed = tx.execute(_COUNT, scope).one()
    if dry_run:
        return Pruning(matched, matched - kept - unsealed, kept, unsealed)
    buried = [(row[0], row[1]) for row in tx.execute(_BURY, {**scope, "limit": limit})]
    if buried:
        tx.execute(_REMOVE, [{"id": event_id} for event_id, _ in buried])
        record(
            tx,
            AuditAction.PRUNED,
            resource_type="audit-event",
            resource_id="*",
            organization_id=organization_id,
            aggregate_id=aggregate_id,
            detail=msgspec.to_builtins(removed(wire_time(before), buried)),
        )
        while seal(tx) == BATCH:  # its own event too: a trail that is copied now must be whole
            pass
    return Pruning(matched, len(buried), kept, unsealed)


def hold(tx: Tx, reason: str, *, organization_id: int | None = None, aggregate_id: str | None = None) -> str:
    """Keep matching events from being pruned until the hold is released. Returns its `ahl_…`."""
    tx.lock("audit-keeping")
    ref = tx.ids.ref("ahl")
    tx.execute(
        insert(audit_holds).values(
            uid=tx.ids.uid(),
            ref=ref,
            organization_id=organization_id,
            aggregate_id=aggregate_id,
            reason=reason,
            created_at=tx.now,
        )
    )
    return ref


def release(tx: Tx, ref: str) -> None:
    """End a hold."""
    held = audit_holds.c
    done = tx.execute(
        update(audit_holds)
        .where(held.ref == ref, held.released_at.is_(None))
        .values(released_at=tx.now)
        .returning(held.id)
    )
    if done.first() is None:
        raise NotFound(f"There is no active legal hold {ref}.", code="audit_hold_not_found")


def archive(
    tx: Tx,
    from_at: datetime,
    to_at: datetime,
    *,
    organization_id: int | None = None,
    aggregate_id: str | None = None,
    retain_until: datetime | None = None,
) -> str:
    """Keep the events of a span (`to_at` excluded) until `retain_until`, or for good. Returns its `aar_…`."""
    if from_at >= to_at:
        raise Conflict("The archive would begin after its end.", code="validation_error", hint="Give from before to.")
    tx.lock("audit-keeping")
    ref = tx.ids.ref("aar")
    tx.execute(
        insert(audit_archives).values(
            uid=tx.ids.uid(),
            ref=ref,
            organization_id=organization_id,
            aggregate_id=aggregate_id,
            from_at=from_at,
            to_at=to_at,
            retain_until=retain_until,
            created_at=tx.now,
        )
    )
    return ref
