"""Proving the trail: every sealed event is still there and unchanged, and nothing stands beside the chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import RowMapping, text

from quarterdeck.kernel.audit.covering import Covering
from quarterdeck.kernel.audit.seal import FIELDS, GENESIS, digest, link
from quarterdeck.kernel.clock import instant
from quarterdeck.kernel.db import Tx

Kind = Literal["altered", "deleted", "inserted", "seal-altered", "seal-missing"]
PAGE = 1_000
MOST = 100  # findings that are listed
_ORGANIZATIONS = text("SELECT DISTINCT organization_id FROM audit_seals ORDER BY organization_id")
_CHAIN = text(
    "SELECT s.position, s.event_id, s.digest AS sealed, s.hash, t.event_id AS buried, t.digest AS buried_digest, "  # noqa: S608 - constant names
    f"t.hash AS buried_hash, {', '.join('e.' + name for name in FIELDS)} FROM audit_seals s "
    "LEFT JOIN audit_events e ON e.id = s.event_id LEFT JOIN audit_tombstones t ON t.event_id = s.event_id "
    "WHERE s.organization_id = :organization AND s.position > :after ORDER BY s.position LIMIT :limit"
)
_OF = "AND COALESCE(e.organization_id, 0) = :organization "
_LOOSE = (
    "SELECT e.id, e.uid, e.organization_id FROM audit_events e "
    "WHERE NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.event_id = e.id) "
    "AND NOT EXISTS (SELECT 1 FROM audit_unsealed u WHERE u.event_id = e.id) "
)
_BESIDE = text(f"{_LOOSE}ORDER BY e.id LIMIT :limit")
_BESIDE_OF = text(f"{_LOOSE}{_OF}ORDER BY e.id LIMIT :limit")
_VANISHED = text(
    "SELECT u.event_id FROM audit_unsealed u WHERE NOT EXISTS (SELECT 1 FROM audit_events e WHERE e.id = u.event_id) "
    "ORDER BY u.event_id LIMIT :limit"
)
_STRAY = text(
    "SELECT t.event_id FROM audit_tombstones t WHERE NOT EXISTS "
    "(SELECT 1 FROM audit_seals s WHERE s.event_id = t.event_id) ORDER BY t.event_id LIMIT :limit"
)
_WAITING = (
    "SELECT COUNT(*), MIN(e.id), MIN(e.at) FROM audit_unsealed u JOIN audit_events e ON e.id = u.event_id "
    "WHERE NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.event_id = e.id) "
)
_TAIL, _TAIL_OF = text(_WAITING), text(f"{_WAITING}{_OF}")


class Finding(msgspec.Struct, frozen=True):
    kind: Kind
    organization_id: int
    event_id: int
    uid: str | None
    position: int | None
    message: str


class Head(msgspec.Struct, frozen=True):
    """The end of a chain. Written down elsewhere, it proves later that the chain was not cut or made anew."""

    position: int
    hash: str


class Tail(msgspec.Struct, frozen=True):
    """Committed events that the sealer has not reached yet: more than a second of them means that it stands still."""

    count: int
    first_event_id: int | None
    oldest: datetime | None


class Report(msgspec.Struct, frozen=True):
    """Of the `sealed` events, `pruned` left only a tombstone; `prunings` are the sealed events that tell of it."""

    sealed: int
    pruned: int
    prunings: int
    unsealed: Tail
    heads: dict[int, Head]
    findings: list[Finding]

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def first(self) -> Finding | None:
        """The finding about the oldest row."""
        return self.findings[0] if self.findings else None


class _Chain:
    """Walks one organization's chain."""

    def __init__(self, organization_id: int, anchor: Head | None, covering: Covering) -> None:
        self.organization_id = organization_id
        self.head = Head(0, GENESIS)
        self.sealed = self.pruned = 0
        self._anchor = anchor
        self._covering = covering
        self.findings: list[Finding] = []

    def step(self, row: RowMapping) -> None:
        position, event_id = row["position"], row["event_id"]
        if position != self.head.position + 1:
            self._find("seal-missing", row, f"Seals {self.head.position + 1} to {position - 1} are gone.")
        elif link(self.head.hash, self.organization_id, position, event_id, row["sealed"]) != row["hash"]:
            self._find("seal-altered", row, f"The seal of event {event_id} does not continue the chain.")
        self.sealed += 1
        self._event(row)
        self.head = Head(position, row["hash"])
        if self._anchor is not None and self._anchor.position == position and self._anchor.hash != row["hash"]:
            self._find("seal-altered", row, f"Seal {position} differs from the one that was written down.")

    def _event(self, row: RowMapping) -> None:
        event_id = row["event_id"]
        if row["buried"] is not None:
            self.pruned += 1
            if (row["buried_digest"], row["buried_hash"]) != (row["sealed"], row["hash"]):
                self._find("altered", row, f"The tombstone of event {event_id} differs from its seal.")
            elif row["id"] is not None:
                self._find("inserted", row, f"Event {event_id} stands there beside a tombstone of it.")
            elif event_id not in self._covering:
                self._find(
                    "deleted",
                    row,
                    f"Event {event_id} was sealed and is gone; it has a tombstone, but no sealed and unaltered "
                    "pruning removed it.",
                )
        elif row["id"] is None:
            self._find("deleted", row, f"Event {event_id} was sealed and is gone, not by pruning.")
        elif digest(row) != row["sealed"]:
            self._find("altered", row, f"Event {event_id} ({row['uid']}) is not what was sealed.")

    def end(self) -> None:
        if self._anchor is not None and self._anchor.position > self.head.position:
            self.findings.append(
                Finding(
                    "seal-missing",
                    self.organization_id,
                    0,
                    None,
                    self.head.position + 1,
                    f"The chain ends at {self.head.position}, before {self._anchor.position} that was written down.",
                )
            )

    def _find(self, kind: Kind, row: RowMapping, message: str) -> None:
        self.findings.append(Finding(kind, self.organization_id, row["event_id"], row["uid"], row["position"], message))


def verify(tx: Tx, anchors: Mapping[int, Head] | None = None) -> Report:
    """Walk every chain and look for rows beside them. `anchors` are heads of earlier reports, by organization.

    Findings are in the order of their events; at most 100 are listed. A tombstone is believed only when an
    `audit.pruned` event that is sealed and unaltered names it. Two things this cannot tell. Whoever can rewrite rows
    and all seals after them leaves a chain that holds in itself: only an anchor kept elsewhere shows that. And whoever
    can write rows can have an `audit.pruned` event of their own sealed, like any event: it then stands in the trail for
    good and is counted in `prunings`.
    """
    tx.take_time()
    covering = Covering(tx)
    known = {row[0] for row in tx.execute(_ORGANIZATIONS)} | set(anchors or {})
    chains = [_walked(tx, one, (anchors or {}).get(one), covering) for one in sorted(known)]
    loose = _beside(tx.execute(_BESIDE, {"limit": MOST})) + _of_none(tx)
    return _report(chains, loose, covering, tx.execute(_TAIL).one())


def verify_chain(tx: Tx, organization_id: int) -> Report:
    """As `verify`, of one organization alone (0: what belongs to none), so that a unit reads no more than its chain."""
    tx.take_time()
    covering, mine = Covering(tx), {"organization": organization_id}
    loose = _beside(tx.execute(_BESIDE_OF, {**mine, "limit": MOST})) + ([] if organization_id else _of_none(tx))
    chain = _walked(tx, organization_id, None, covering)
    return _report([chain], loose, covering, tx.execute(_TAIL_OF, mine).one())


def _walked(tx: Tx, organization: int, anchor: Head | None, covering: Covering) -> _Chain:
    chain = _Chain(organization, anchor, covering)
    for row in _rows(tx, organization):
        chain.step(row)
    chain.end()
    return chain


def _beside(rows: Iterable[Any]) -> list[Finding]:
    return [
        Finding(
            "inserted",
            row[2] or 0,
            row[0],
            row[1],
            None,
            f"Event {row[0]} ({row[1]}) was never written through the trail: no seal, and none awaited.",
        )
        for row in rows
    ]


def _of_none(tx: Tx) -> list[Finding]:
    """Where the row is gone that would say whose it was."""
    vanished, stray = (tx.execute(one, {"limit": MOST}).all() for one in (_VANISHED, _STRAY))
    return [
        *(
            Finding("deleted", 0, row[0], None, None, f"Event {row[0]} vanished before it was sealed.")
            for row in vanished
        ),
        *(
            Finding(
                "deleted", 0, row[0], None, None, f"There is a tombstone of event {row[0]}, which was never sealed."
            )
            for row in stray
        ),
    ]


def _report(chains: Sequence[_Chain], loose: list[Finding], covering: Covering, tail: Any) -> Report:
    count, first, oldest = tail
    findings = [one for chain in chains for one in chain.findings] + loose
    return Report(
        sealed=sum(chain.sealed for chain in chains),
        pruned=sum(chain.pruned for chain in chains),
        prunings=covering.prunings,
        unsealed=Tail(count, first, None if oldest is None else instant(oldest)),
        heads={chain.organization_id: chain.head for chain in chains},
        findings=sorted(findings, key=lambda finding: finding.event_id)[:MOST],
    )


def _rows(tx: Tx, organization: int) -> Any:
    after = 0
    while True:
        found = tx.execute(_CHAIN, {"organization": organization, "after": after, "limit": PAGE}).mappings().all()
        yield from found
        if len(found) < PAGE:
            return
        after = found[-1]["position"]
