"""Retention of events: from the beginning of a stream, never past a subscriber's cursor."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import text

from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.events.subscriptions import advance

# A row stays while one before it in its stream stays: a watermark can only say "up to here".
_OLD = """
SELECT e.stream, MAX(e.sequence) FROM domain_events e WHERE e.at < :before
  AND e.sequence < COALESCE((SELECT MIN(k.sequence) FROM domain_events k
    WHERE k.stream = e.stream AND (k.at >= :before OR {guarded})), e.sequence + 1)
GROUP BY e.stream
"""
_GUARDED = (
    'EXISTS (SELECT 1 FROM event_subscribers s WHERE k."transaction" > s."transaction" '
    'OR (k."transaction" = s."transaction" AND k.id > s.event_id))'
)
_CUT = text(_OLD.format(guarded=_GUARDED))
_COUNTS = text(
    "SELECT COUNT(*), COALESCE(SUM(CASE WHEN "  # noqa: S608 - constant text
    + _GUARDED
    + " THEN 1 ELSE 0 END), 0) FROM domain_events k WHERE k.at < :before"
)
_KEPT = text("SELECT COUNT(*) FROM domain_events WHERE stream = :stream AND sequence <= :until")
_DELETE = text("DELETE FROM domain_events WHERE stream = :stream AND sequence <= :until")
_MARK = text("UPDATE event_streams SET watermark = :until WHERE stream = :stream")


class Pruning(msgspec.Struct, frozen=True):
    """Of `matched` events, `pruned` went (or would go); `guarded` ones wait for a subscriber."""

    matched: int
    pruned: int
    guarded: int


def prune(tx: Tx, before: datetime, *, dry_run: bool = True) -> Pruning:
    """Remove events older than `before` (those exactly at it stay). Readers that stood before them see a gap."""
    if not dry_run:
        advance(tx)
    values = {"before": micros(before)}
    matched, guarded = tx.execute(_COUNTS, values).one()
    pruned = 0
    for stream, until in tx.execute(_CUT, values).all():
        scope = {"stream": stream, "until": until}
        pruned += tx.execute(_KEPT, scope).scalar_one()
        if not dry_run:
            tx.execute(_DELETE, scope)
            tx.execute(_MARK, scope)
    return Pruning(matched, pruned, guarded)
