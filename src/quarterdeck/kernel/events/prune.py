"""Retention of events: from the beginning of a stream, never past a subscriber's cursor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text

from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.events.subscriptions import advance

# A row stays while one before it in its stream stays: a watermark can only say "up to here".
_OLD = """
SELECT e.stream, MAX(e.sequence) FROM domain_events e WHERE e.at < :before{spared}
  AND e.sequence < COALESCE((SELECT MIN(k.sequence) FROM domain_events k
    WHERE k.stream = e.stream AND (k.at >= :before OR {guarded})), e.sequence + 1)
GROUP BY e.stream
"""
_GUARDED = (
    'EXISTS (SELECT 1 FROM event_subscribers s WHERE k."transaction" > s."transaction" '
    'OR (k."transaction" = s."transaction" AND k.id > s.event_id))'
)
_COUNTS = (
    "SELECT COUNT(*), COALESCE(SUM(CASE WHEN {guarded} THEN 1 ELSE 0 END), 0) FROM domain_events k WHERE k.at < :before"
)
_KEPT = text("SELECT COUNT(*) FROM domain_events WHERE stream = :stream AND sequence <= :until")
_DELETE = text("DELETE FROM domain_events WHERE stream = :stream AND sequence <= :until")
_MARK = text("UPDATE event_streams SET watermark = :until WHERE stream = :stream")


class Pruning(msgspec.Struct, frozen=True):
    """Of `matched` events, `pruned` went (or would go); `guarded` ones wait for a subscriber."""

    matched: int
    pruned: int
    guarded: int


def prune(tx: Tx, before: datetime, *, dry_run: bool = True, spare: Sequence[str] = ()) -> Pruning:
    """Remove events older than `before` (those exactly at it stay). Readers that stood before them see a gap.

    Streams that begin with one of `spare` are left alone.
    """
    if not dry_run:
        advance(tx)
    values: dict[str, Any] = {"before": micros(before), **{f"spare{n}": f"{p}%" for n, p in enumerate(spare)}}
    kept = "".join(f" AND {{row}}.stream NOT LIKE :spare{number}" for number in range(len(spare)))
    counts = _COUNTS.format(guarded=_GUARDED) + kept.format(row="k")
    matched, guarded = tx.execute(text(counts), values).one()
    pruned = 0
    for stream, until in tx.execute(text(_OLD.format(guarded=_GUARDED, spared=kept.format(row="e"))), values).all():
        scope = {"stream": stream, "until": until}
        pruned += tx.execute(_KEPT, scope).scalar_one()
        if not dry_run:
            tx.execute(_DELETE, scope)
            tx.execute(_MARK, scope)
    return Pruning(matched, pruned, guarded)


def erase(tx: Tx, stream: str) -> int:
    """Remove the events of a stream whose subject is gone; those that wait for a subscriber stay. Readers see a gap."""
    advance(tx)
    first = tx.execute(
        text(f"SELECT MIN(k.sequence) FROM domain_events k WHERE k.stream = :stream AND {_GUARDED}"),  # noqa: S608 - own words
        {"stream": stream},
    ).scalar()
    last = tx.execute(text("SELECT head FROM event_streams WHERE stream = :stream"), {"stream": stream}).scalar()
    until = (last or 0) if first is None else int(first) - 1
    scope = {"stream": stream, "until": until}
    gone = int(tx.execute(_KEPT, scope).scalar_one())
    tx.execute(_DELETE, scope)
    tx.execute(_MARK, scope)
    return gone
