"""What a pruning says of itself in the trail: a tombstone counts only where such an event, sealed, names it."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import text

from quarterdeck.kernel.audit.action import Action
from quarterdeck.kernel.audit.seal import FIELDS, digest
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.unreadable import UNREADABLE


class AuditAction(Action):
    PRUNED = "audit.pruned"


_PRUNINGS = text(
    f"SELECT s.digest AS sealed, {', '.join('e.' + name for name in FIELDS)} FROM audit_events e "  # noqa: S608 - constant names
    f"JOIN audit_seals s ON s.event_id = e.id WHERE e.action = '{AuditAction.PRUNED}' ORDER BY e.id"
)
_SEALS = text("SELECT event_id, hash FROM audit_seals WHERE event_id BETWEEN :first AND :last ORDER BY event_id")


class Removed(msgspec.Struct, frozen=True, rename="camel"):
    """The detail of an `audit.pruned` event. `events` are ranges of ids, ends included; `sha256` is over ids and hashes
    of their seals.
    """

    before: str
    count: int
    events: list[tuple[int, int]]
    sha256: str


def removed(before: str, buried: Iterable[tuple[int, str]]) -> Removed:
    """What is to be said of these ids and hashes."""
    known = sorted(buried)
    ranges: list[tuple[int, int]] = []
    for event_id, _ in known:
        if ranges and ranges[-1][1] == event_id - 1:
            ranges[-1] = (ranges[-1][0], event_id)
        else:
            ranges.append((event_id, event_id))
    return Removed(before, len(known), ranges, _sha256(known))


class Covering:
    """What the prunings that stand sealed and unaltered in the trail removed."""

    def __init__(self, tx: Tx) -> None:
        ranges: list[tuple[int, int]] = []
        self.prunings = 0
        for row in tx.execute(_PRUNINGS).mappings():
            said = _said(row["detail"]) if digest(row) == row["sealed"] else None
            if said is not None and _holds(tx, said):
                self.prunings += 1
                ranges += said.events
        self._ranges = sorted(ranges)

    def __contains__(self, event_id: int) -> bool:
        at = bisect_right(self._ranges, event_id, key=_first) - 1
        return at >= 0 and event_id <= self._ranges[at][1]


def _first(span: tuple[int, int]) -> int:
    return span[0]


def _said(detail: str) -> Removed | None:
    try:
        return msgspec.json.decode(detail, type=Removed)
    except UNREADABLE:
        return None  # not written by a pruning: it covers nothing


def _holds(tx: Tx, said: Removed) -> bool:
    """Whether the seals in the ranges are the ones that were counted and hashed."""
    if sum(last - first + 1 for first, last in said.events) != said.count:
        return False
    seals: list[tuple[int, str]] = []
    for first, last in said.events:
        seals += [(row[0], row[1]) for row in tx.execute(_SEALS, {"first": first, "last": last})]
    return len(seals) == said.count and _sha256(seals) == said.sha256


def _sha256(seals: Iterable[tuple[int, str]]) -> str:
    content: list[Any] = [[event_id, hash_] for event_id, hash_ in seals]
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()
