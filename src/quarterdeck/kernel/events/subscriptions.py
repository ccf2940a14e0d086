"""Durable subscribers: each has a cursor over all events, which moves in the transaction of what it did."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import msgspec
import structlog
from sqlalchemy import Row, TextClause, text

from quarterdeck.kernel.clock import instant, micros
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.db.tx import DialectName
from quarterdeck.kernel.events.model import Event
from quarterdeck.kernel.events.stream import COLUMNS, event

Verb = Callable[[Tx, Event], None]
BATCH = 100
FIRST_RETRY = 1.0
LONGEST_RETRY = 300.0
PATIENCE = 3
"""After so many failures at one event somebody has to be told."""
log = structlog.get_logger("quarterdeck.events")


class Subscriber(msgspec.Struct, frozen=True):
    """`verb(tx, event)` runs once for each event of `types`, in the order of their commits within a stream."""

    name: str
    types: frozenset[str]
    verb: Verb


class Stuck(msgspec.Struct, frozen=True):
    """A subscriber that an event does not pass, nor anything after it: how often it failed, the class of the last
    error, and the type and time of that event.
    """

    name: str
    failures: int
    error: str
    type: str
    since: datetime


_REGISTERED: dict[str, Subscriber] = {}

# On PostgreSQL an event counts once every transaction that began before its own is over, so that the cursor never
# steps over one that commits later.
_OLDEST_OPEN = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")
_REGISTER = text(
    'INSERT INTO event_subscribers (name, "transaction", event_id, failures) VALUES (:name, 0, 0, 0) '
    "ON CONFLICT (name) DO NOTHING"
)
_CURSOR = text('SELECT "transaction", event_id, failures, retry_at FROM event_subscribers WHERE name = :name')
# One range of an index each; spelt with OR it would be all of a type, however much of it is delivered. SQLite, where
# every event has the transaction 0, makes no range of a pair that holds the row's own id.
_AFTER: dict[DialectName, str] = {
    "postgresql": '("transaction", id) > (:transaction, :event_id) AND "transaction" < :open',
    "sqlite": '"transaction" = :transaction AND id > :event_id',
}
_OF_TYPE = (
    f'SELECT * FROM (SELECT {COLUMNS}, "transaction" FROM domain_events WHERE type = :type_{{number}} AND {{after}} '  # noqa: S608 - constant text
    'ORDER BY "transaction", id LIMIT :limit) AS of_type_{number}'
)
_LAST = {
    dialect: text(
        f'SELECT "transaction", id FROM domain_events WHERE {after} ORDER BY "transaction" DESC, id DESC LIMIT 1'  # noqa: S608 - constant text
    )
    for dialect, after in _AFTER.items()
}
_MOVE = text(
    'UPDATE event_subscribers SET "transaction" = :transaction, event_id = :event_id, failures = 0, '
    "last_error = NULL, retry_at = NULL WHERE name = :name"
)
_STUCK = text(
    'SELECT name, failures, last_error, "transaction", event_id FROM event_subscribers '
    "WHERE failures > :patience ORDER BY name"
)
_FAIL = text(
    "UPDATE event_subscribers SET failures = failures + 1, last_error = :error, retry_at = :retry_at WHERE name = :name"
)


@cache
def _waiting(dialect: DialectName, count: int) -> TextClause:
    """What waits of so many types: a range of the index for each, merged."""
    parts = (_OF_TYPE.format(number=number, after=_AFTER[dialect]) for number in range(count))
    return text(" UNION ALL ".join(parts) + ' ORDER BY "transaction", id LIMIT :limit')


def _wanted(tx: Tx, subscriber: Subscriber, values: dict[str, Any], limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """The first events after a cursor that a subscriber wants."""
    if not subscriber.types:
        return ()
    types = {f"type_{number}": type_ for number, type_ in enumerate(sorted(subscriber.types))}
    return tx.execute(_waiting(tx.dialect, len(types)), {**values, **types, "limit": limit}).all()


def subscribe(name: str, types: Collection[str], verb: Verb) -> Subscriber:
    """Register a durable subscriber when its module is imported. It begins with the oldest event that is kept."""
    subscriber = Subscriber(name, frozenset(types), verb)
    if _REGISTERED.setdefault(name, subscriber).verb is not verb:
        raise ValueError(f"two subscribers are called {name!r}")
    return subscriber


def subscribers() -> list[Subscriber]:
    return list(_REGISTERED.values())


def deliver(tx: Tx, subscriber: Subscriber, limit: int = BATCH) -> int:
    """Hand up to `limit` waiting events to a subscriber and move its cursor; all of it or nothing. Returns how many."""
    tx.lock(f"events-subscriber:{subscriber.name}")
    tx.execute(_REGISTER, {"name": subscriber.name})
    transaction, event_id, _, retry_at = tx.execute(_CURSOR, {"name": subscriber.name}).one()
    if retry_at is not None and instant(retry_at) > tx.now:
        return 0
    values: dict[str, Any] = {"transaction": transaction, "event_id": event_id, "open": _horizon(tx)}
    last = tx.execute(_LAST[tx.dialect], values).first()
    rows = _wanted(tx, subscriber, values, limit)
    for row in rows:
        subscriber.verb(tx, event(row))
    end = (rows[-1][-1], rows[-1][0]) if len(rows) == limit else last
    if end is not None:
        tx.execute(_MOVE, {"name": subscriber.name, "transaction": end[0], "event_id": end[1]})
    return len(rows)


def waits(tx: Tx) -> bool:
    """True when an event of a wanted type waits for a subscriber that is not pausing after a failure."""
    for subscriber in _REGISTERED.values():
        row = tx.execute(_CURSOR, {"name": subscriber.name}).first()
        transaction, event_id, _, retry_at = row or (0, 0, 0, None)
        if retry_at is not None and instant(retry_at) > tx.now:
            continue
        values = {"transaction": transaction, "event_id": event_id, "open": _horizon(tx)}
        if _wanted(tx, subscriber, values, 1):
            return True
    return False


def advance(tx: Tx) -> None:
    """Move the cursors of subscribers that nothing waits for, so that they keep no event from being pruned."""
    for subscriber in _REGISTERED.values():
        row = tx.execute(_CURSOR, {"name": subscriber.name}).first()
        if row is None:
            continue
        values = {"transaction": row[0], "event_id": row[1], "open": _horizon(tx)}
        last = tx.execute(_LAST[tx.dialect], values).first()
        if last is not None and not _wanted(tx, subscriber, values, 1):
            tx.execute(_MOVE, {"name": subscriber.name, "transaction": last[0], "event_id": last[1]})


def forget(tx: Tx, name: str) -> None:
    """Drop the cursor of a subscriber that this program no longer has; it would keep events from being pruned."""
    tx.execute("DELETE FROM event_subscribers WHERE name = :name", {"name": name})


def stuck(tx: Tx) -> list[Stuck]:
    """Subscribers of this program that have failed more than `PATIENCE` times at one event, by name."""
    found = []
    for row in tx.execute(_STUCK, {"patience": PATIENCE}):
        subscriber = _REGISTERED.get(row.name)
        if subscriber is None:
            continue
        values = {"transaction": row.transaction, "event_id": row.event_id, "open": _horizon(tx)}
        waiting = _wanted(tx, subscriber, values, 1)
        if waiting:
            at = event(waiting[0])
            found.append(Stuck(row.name, row.failures, row.last_error or "unknown", at.type, at.at))
    return found


def _horizon(tx: Tx) -> int:
    """Events of transactions below this number are all visible."""
    return int(tx.execute(_OLDEST_OPEN).scalar_one()) if tx.dialect == "postgresql" else 1


def fail(tx: Tx, name: str, error: str) -> None:
    """Note a failure; the next delivery waits, at most five minutes."""
    tx.execute(_REGISTER, {"name": name})
    failures: int = tx.execute(_CURSOR, {"name": name}).one()[2]
    pause = min(LONGEST_RETRY, FIRST_RETRY * 2**failures)
    retry_at = micros(tx.now + timedelta(seconds=pause))
    tx.execute(_FAIL, {"name": name, "error": error[:200], "retry_at": retry_at})


async def deliver_all(db: Database) -> int:
    """Deliver whatever waits to every subscriber: the body of the job that the topic `events` wakes.

    After a failure the events before the failing one are delivered singly; the failing one is tried again later, and
    nothing after it passes it.
    """
    total = 0
    for subscriber in subscribers():
        limit = BATCH
        while True:
            try:
                count = await db.write(deliver, subscriber, limit)
            except Exception as error:
                if limit > 1:
                    limit = 1
                    continue
                log.exception("event_not_delivered", subscriber=subscriber.name)
                await db.write(fail, subscriber.name, type(error).__name__)
                break
            total += count
            if count < limit:
                break
    return total


def reposition(tx: Tx) -> None:
    """After a restore into another PostgreSQL cluster: transaction numbers of the old one mean nothing in the new."""
    tx.execute(
        'UPDATE event_subscribers SET event_id = COALESCE((SELECT MAX(e.id) FROM domain_events e WHERE e."transaction" '
        '< event_subscribers."transaction" OR (e."transaction" = event_subscribers."transaction" '
        'AND e.id <= event_subscribers.event_id)), 0), "transaction" = 0'
    )
    tx.execute('UPDATE domain_events SET "transaction" = 0')
