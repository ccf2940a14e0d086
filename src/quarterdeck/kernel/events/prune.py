"""Retention of events: from the beginning of a stream, never past a subscriber's cursor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, text

from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.events.subscriptions import advance

_GUARDED = (
    'EXISTS (SELECT 1 FROM event_subscribers s WHERE k."transaction" > s."transaction" '
    'OR (k."transaction" = s."transaction" AND k.id > s.event_id))'
)
_SOME = (
    "FROM domain_events k WHERE k.at < :before AND (k.at > :at OR (k.at = :at AND k.id > :id)){meant} "
    "ORDER BY k.at, k.id"
)
_OLD = (
    "SELECT stream, MAX(sequence), COUNT(*), SUM(guarded) FROM (SELECT k.stream, k.sequence, "  # noqa: S608 - own words
    f"CASE WHEN {_GUARDED} THEN 1 ELSE 0 END AS guarded {_SOME}{{limit}}) AS found GROUP BY stream"
)
_LAST = f"SELECT k.at, k.id {_SOME} LIMIT 1 OFFSET :skipped"
# A row stays while one before it in its stream stays: a watermark can only say "up to here".
_FIRST_KEPT = (
    "SELECT MIN(k.sequence) FROM domain_events k "  # noqa: S608 - own words
    f"WHERE k.stream = :stream AND k.sequence <= :until AND (k.at >= :before OR {_GUARDED}{{other}})"
)
_KEPT = text("SELECT COUNT(*) FROM domain_events WHERE stream = :stream AND sequence <= :until")
_TYPES = text(
    "SELECT type, COUNT(*) FROM domain_events WHERE stream = :stream AND sequence <= :until GROUP BY type ORDER BY type"
)
_DELETE = text("DELETE FROM domain_events WHERE stream = :stream AND sequence <= :until")
_MARK = text("UPDATE event_streams SET watermark = :until WHERE stream = :stream")

_EMPTY = text(
    "SELECT stream FROM event_streams WHERE head = watermark AND stream > :after ORDER BY stream LIMIT :limit"
)
_HOLDING = text(
    "SELECT stream FROM event_streams WHERE stream LIKE :named ESCAPE '!' AND stream > :after AND head > watermark "
    "ORDER BY stream LIMIT :limit"
)
_DROP = text("DELETE FROM event_streams WHERE stream IN :streams AND head = watermark").bindparams(
    bindparam("streams", expanding=True)
)


class Old(msgspec.Struct, frozen=True, kw_only=True):
    """Events older than `before` (those exactly at it stay); of one organization, or of all except `without`. `kind`
    and `subject` are the two halves of a stream's name. With `type` a stream loses what it begins with, as long as that
    is of this type.
    """

    before: datetime
    organization_id: int | None = None
    without: tuple[int, ...] = ()
    kind: str | None = None
    subject: str | None = None
    type: str | None = None

    def meant(self) -> tuple[str, dict[str, Any]]:
        """The condition beside the time, as SQL over `k`, and its values."""
        words = ""
        values: dict[str, Any] = {}
        if self.organization_id is not None:
            words += " AND k.organization_id = :organization"
            values["organization"] = self.organization_id
        if self.without:
            spared = ", ".join(str(int(one)) for one in self.without)
            words += f" AND (k.organization_id IS NULL OR k.organization_id NOT IN ({spared}))"
        if self.type is not None:
            words += " AND k.type = :type"
            values["type"] = self.type
        if self.kind is not None and self.subject is not None:
            words += " AND k.stream = :stream"
            values["stream"] = f"{self.kind}:{self.subject}"
        elif self.kind is not None or self.subject is not None:
            words += " AND k.stream LIKE :named ESCAPE '!'"
            values["named"] = (
                f"%:{_plain(self.subject)}" if self.subject is not None else f"{_plain(self.kind or '')}:%"
            )
        return words, values


def _plain(text_: str) -> str:
    """A text in which LIKE finds nothing special."""
    return text_.replace("!", "!!").replace("%", "!%").replace("_", "!_")


class Pruning(msgspec.Struct, frozen=True):
    """Of `matched` events, `pruned` went (or would go), as `by_type` says; `guarded` ones wait for a subscriber, others
    stay behind one that stays. `rest` is where to go on, None at the end.
    """

    matched: int
    pruned: int
    guarded: int
    rest: tuple[int, int] | None = None
    by_type: dict[str, int] = {}


def prune(
    tx: Tx,
    before: datetime | Old,
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
    tx.take_time()
    wanted = before if isinstance(before, Old) else Old(before=before)
    if not dry_run:
        advance(tx)
    meant, more = wanted.meant()
    values: dict[str, Any] = {"before": micros(wanted.before), "at": after[0], "id": after[1], **more}
    rest = None
    if limit is not None:
        last = tx.execute(_LAST.format(meant=meant), values | {"skipped": limit - 1}).first()
        rest = None if last is None else (last[0], last[1])
    bounded = "" if limit is None else " LIMIT :limit"
    old = _OLD.format(meant=meant, limit=bounded)
    found = tx.execute(old, values if limit is None else values | {"limit": limit}).all()
    matched = guarded = 0
    by_type: dict[str, int] = {}
    for stream, until, number, waiting in found:
        if stream.startswith(tuple(spare)):
            continue
        matched, guarded = matched + number, guarded + int(waiting)
        gone = _cut(tx, wanted, stream, until, dry_run=dry_run)
        for type_, count in gone.items():
            by_type[type_] = by_type.get(type_, 0) + count
    return Pruning(matched, sum(by_type.values()), guarded, rest, by_type)


def _cut(tx: Tx, wanted: Old, stream: str, until: int, *, dry_run: bool) -> dict[str, int]:
    """Cut the beginning of a stream off, up to the first event that stays. Answers how many of each type that is."""
    scope: dict[str, Any] = {"stream": stream, "until": until}
    other, more = ("", {}) if wanted.type is None else (" OR k.type <> :type", {"type": wanted.type})
    first = tx.execute(_FIRST_KEPT.format(other=other), scope | {"before": micros(wanted.before)} | more).scalar()
    if first is not None:
        scope["until"] = first - 1
    gone = {row[0]: row[1] for row in tx.execute(_TYPES, scope)}
    if gone and not dry_run:
        tx.execute(_DELETE, scope)
        tx.execute(_MARK, scope)
    return gone


def erase(tx: Tx, stream: str) -> int:
    """Remove the events of a stream whose subject is gone, and the stream itself; events that wait for a subscriber
    stay, and the stream with them until it is erased again.
    """
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
    drop(tx, [stream])
    return gone


def empty(tx: Tx, after: str, limit: int) -> list[str]:
    """Names above `after`, in order, of streams that hold no event any more."""
    return list(tx.execute(_EMPTY, {"after": after, "limit": limit}).scalars())


def holding(tx: Tx, prefix: str, after: str, limit: int) -> list[str]:
    """Names above `after`, in order, that begin so, of streams that hold events."""
    return list(tx.execute(_HOLDING, {"named": f"{_plain(prefix)}%", "after": after, "limit": limit}).scalars())


def drop(tx: Tx, streams: Sequence[str]) -> int:
    """Forget those of the streams that hold no event any more. Whoever appends to one afterwards begins it anew, so ask
    for none whose numbers somebody may still hold. Answers how many went.
    """
    return int(tx.execute(_DROP, {"streams": list(streams)}).rowcount) if streams else 0  # type: ignore[attr-defined]
