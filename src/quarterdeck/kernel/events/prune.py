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

_GUARDED = (
    'EXISTS (SELECT 1 FROM event_subscribers s WHERE k."transaction" > s."transaction" '
    'OR (k."transaction" = s."transaction" AND k.id > s.event_id))'
)
_SOME = "FROM domain_events k WHERE k.at < :before AND (k.at > :at OR (k.at = :at AND k.id > :id)) ORDER BY k.at, k.id"
_OLD = (
    "SELECT stream, MAX(sequence), COUNT(*), SUM(guarded) FROM (SELECT k.stream, k.sequence, "  # noqa: S608 - own words
    f"CASE WHEN {_GUARDED} THEN 1 ELSE 0 END AS guarded {_SOME}{{limit}}) AS found GROUP BY stream"
)
_LAST = f"SELECT k.at, k.id {_SOME} LIMIT 1 OFFSET :skipped"
# A row stays while one before it in its stream stays: a watermark can only say "up to here".
_FIRST_KEPT = text(
    "SELECT MIN(k.sequence) FROM domain_events k "  # noqa: S608 - own words
    f"WHERE k.stream = :stream AND k.sequence <= :until AND (k.at >= :before OR {_GUARDED})"
)
_KEPT = text("SELECT COUNT(*) FROM domain_events WHERE stream = :stream AND sequence <= :until")
_DELETE = text("DELETE FROM domain_events WHERE stream = :stream AND sequence <= :until")
_MARK = text("UPDATE event_streams SET watermark = :until WHERE stream = :stream")


class Pruning(msgspec.Struct, frozen=True):
    """Of `matched` events, `pruned` went (or would go); `guarded` ones wait for a subscriber. `rest` is where to go on,
    None at the end.
    """

    matched: int
    pruned: int
    guarded: int
    rest: tuple[int, int] | None = None


def prune(
    tx: Tx,
    before: datetime,
    *,
    dry_run: bool = True,
    spare: Sequence[str] = (),
    limit: int | None = None,
    after: tuple[int, int] = (-1, -1),
) -> Pruning:
    """Remove events older than `before` (those exactly at it stay). Readers that stood before them see a gap.

    Streams that begin with one of `spare` are left alone. With a `limit` only so many old events are looked at, the
    oldest first; go on with `after=rest` of the answer.
    """
    if not dry_run:
        advance(tx)
    values: dict[str, Any] = {"before": micros(before), "at": after[0], "id": after[1]}
    rest = None
    if limit is not None:
        last = tx.execute(_LAST, values | {"skipped": limit - 1}).first()
        rest = None if last is None else (last[0], last[1])
    bounded = "" if limit is None else " LIMIT :limit"
    found = tx.execute(_OLD.format(limit=bounded), values if limit is None else values | {"limit": limit}).all()
    matched = pruned = guarded = 0
    for stream, until, number, waiting in found:
        if stream.startswith(tuple(spare)):
            continue
        matched, guarded = matched + number, guarded + int(waiting)
        scope = {"stream": stream, "until": until}
        first = tx.execute(_FIRST_KEPT, scope | {"before": micros(before)}).scalar()
        if first is not None:
            scope["until"] = first - 1
        gone = tx.execute(_KEPT, scope).scalar_one()
        pruned += gone
        if gone and not dry_run:
            tx.execute(_DELETE, scope)
            tx.execute(_MARK, scope)
    return Pruning(matched, pruned, guarded, rest)


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
