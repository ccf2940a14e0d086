"""Appending to and reading from a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, text

from quarterdeck.kernel.bus import Concern
from quarterdeck.kernel.clock import instant, micros
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.db.tx import pyformat
from quarterdeck.kernel.events.model import Event, Gap

COLUMNS = "id, stream, sequence, cursor, type, data, at, organization_id, correlation_id"
_NUMBER = (
    "INSERT INTO event_streams (stream, organization_id, head, watermark) VALUES (:stream, :organization_id, 1, 0) "
    "ON CONFLICT (stream) DO UPDATE SET head = event_streams.head + 1 RETURNING head"
)
_INSERT = (
    "INSERT INTO domain_events "
    '(stream, sequence, cursor, type, data, at, organization_id, correlation_id, "transaction") '
)
_SQLITE = _INSERT + "VALUES (:stream, :sequence, :cursor, :type, :data, :at, :organization_id, :correlation_id, 0)"
_POSTGRESQL = pyformat(
    f"WITH numbered AS ({_NUMBER}) {_INSERT}"  # noqa: S608 - constant text
    "SELECT :stream, head, :cursor, :type, :data, :at, :organization_id, :correlation_id, "
    "CAST(CAST(pg_current_xact_id() AS text) AS bigint) FROM numbered RETURNING sequence"
)
_READ = text(
    f"SELECT {COLUMNS} FROM domain_events WHERE stream = :stream AND sequence > :after ORDER BY sequence LIMIT :limit"  # noqa: S608
)
_NEWEST = (
    f"SELECT * FROM (SELECT {COLUMNS} FROM domain_events WHERE stream = :stream{{0}} "  # noqa: S608 - constant text
    "AND type <> :without ORDER BY sequence DESC LIMIT :limit) AS part{0}"
)
STREAMS = 100
"""Of so many streams one statement reads the newest events."""
_LOCATE = text("SELECT sequence FROM domain_events WHERE cursor = :cursor AND stream = :stream")
_STREAM = text("SELECT head, watermark FROM event_streams WHERE stream = :stream")


def append(
    tx: Tx,
    stream: str,
    type: str,  # noqa: A002 - the word of the field
    data: Mapping[str, Any] | None = None,
    *,
    organization_id: int | None = None,
) -> int:
    """Add an event to a stream (`deployment:dep_…`) in the transaction of the change. Returns its sequence.

    Units that append to one stream follow each other, so sequences have no holes. `data` must be plain JSON.
    Whoever follows the stream, or listens to the topic `events` (each wake-up with its `Concern`), is woken after the
    commit.
    """
    values: dict[str, Any] = {
        "stream": stream,
        "organization_id": organization_id,
        "cursor": tx.ids.hex(32),
        "type": type,
        "data": msgspec.json.encode(data or {}).decode(),
        "at": micros(tx.now),
        "correlation_id": tx.context.correlation_id[:64],
    }
    if tx.dialect == "postgresql":
        sequence: int = tx.hot(_POSTGRESQL, values).fetchone()[0]
    else:
        numbered = {"stream": stream, "organization_id": organization_id}
        sequence = values["sequence"] = tx.hot(_NUMBER, numbered).fetchone()[0]
        tx.hot(_SQLITE, values)
    tx.publish(stream)
    tx.publish("events", Concern(organization_id, stream, type))
    return sequence


def read(tx: Tx, stream: str, after: int = 0, limit: int = 500) -> list[Event]:
    """Events of a stream with a sequence above `after`, in order."""
    return [event(row) for row in tx.execute(_READ, {"stream": stream, "after": after, "limit": limit})]


def event(row: Row[*tuple[Any, ...]]) -> Event:
    return Event(
        id=row[0],
        stream=row[1],
        sequence=row[2],
        cursor=row[3],
        type=row[4],
        data=msgspec.json.decode(row[5]),
        at=instant(row[6]),
        organization_id=row[7],
        correlation_id=row[8],
    )


def locate(tx: Tx, stream: str, cursor: str) -> int | None:
    """The sequence that a cursor stands for; None when it is unknown, of another stream, or pruned."""
    sequence: int | None = tx.execute(_LOCATE, {"stream": stream, "cursor": cursor}).scalar()
    return sequence


def head(tx: Tx, stream: str) -> int:
    """The sequence of the newest event, 0 for a stream that has none."""
    row = tx.execute(_STREAM, {"stream": stream}).first()
    return row[0] if row else 0


def watermark(tx: Tx, stream: str) -> int:
    """The sequence up to which events were pruned: a reader that stood before it has missed some."""
    row = tx.execute(_STREAM, {"stream": stream}).first()
    return row[1] if row else 0


def standing(tx: Tx, stream: str, after: int) -> tuple[int, Gap | None]:
    """Where a reader that stood at `after` goes on, and the gap that it is to be told of. A stream that was forgotten
    since and has begun anew is read from its beginning.
    """
    row = tx.execute(_STREAM, {"stream": stream}).first()
    newest_, pruned = (row[0], row[1]) if row else (0, 0)
    after = after if after <= newest_ else 0
    return (pruned, Gap(stream, after, pruned)) if after < pruned else (after, None)


def newest(tx: Tx, streams: Sequence[str], limit: int, *, without: str = "") -> list[Event]:
    """The newest events of some streams together, newest first, so many at most, none of the type `without`. Each
    stream is read along its own index, and no further than the limit.
    """
    found: list[Event] = []
    for first in range(0, len(streams), STREAMS):
        some = streams[first : first + STREAMS]
        query = " UNION ALL ".join(_NEWEST.format(number) for number in range(len(some)))
        values = {f"stream{number}": stream for number, stream in enumerate(some)}
        found += [event(row) for row in tx.execute(text(query), {**values, "limit": limit, "without": without})]
    return sorted(found, key=lambda one: (one.at, one.id), reverse=True)[:limit]
