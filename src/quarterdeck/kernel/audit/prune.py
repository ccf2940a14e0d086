"""Retention: the one way in which an audit event may go."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, text

from quarterdeck.kernel.audit import tallies
from quarterdeck.kernel.audit.covering import AuditAction, removed
from quarterdeck.kernel.audit.keeping import HELD, LOCK, RETAINED
from quarterdeck.kernel.audit.record import record
from quarterdeck.kernel.audit.seal import BATCH, seal
from quarterdeck.kernel.clock import micros, wire_time
from quarterdeck.kernel.db import Database, Tx

STEP = 2_000
"""Events of one unit: the writer has others waiting."""
# What a pruning says of itself stays for good: the tombstones that it left count only beside it.
_OWN = "e.action = 'audit.pruned'"
_SCOPE = (
    "e.at < :before AND (CAST(:organization AS bigint) IS NULL OR e.organization_id = :organization) "
    "AND (CAST(:aggregate AS varchar(200)) IS NULL OR e.aggregate_id = :aggregate) "
    "AND (CAST(:action AS varchar(96)) IS NULL OR e.action = :action) "
    "AND (e.organization_id IS NULL OR e.organization_id NOT IN :without)"
)
_WITHOUT = bindparam("without", expanding=True, type_=BigInteger())
_SURVEY = text(
    "SELECT f.action, COUNT(*), SUM(f.own), SUM(f.held), SUM(f.retained), "  # noqa: S608 - constant text
    "SUM(CASE WHEN f.own + f.held + f.retained > 0 THEN 1 ELSE 0 END), "
    "SUM(CASE WHEN f.own + f.held + f.retained = 0 AND f.sealed IS NULL THEN 1 ELSE 0 END) FROM ("
    f"SELECT e.action, s.event_id AS sealed, CASE WHEN {_OWN} THEN 1 ELSE 0 END AS own, "
    f"CASE WHEN {HELD} THEN 1 ELSE 0 END AS held, CASE WHEN {RETAINED} THEN 1 ELSE 0 END AS retained "
    f"FROM audit_events e LEFT JOIN audit_seals s ON s.event_id = e.id WHERE {_SCOPE}) AS f GROUP BY f.action "
    "ORDER BY f.action"
).bindparams(_WITHOUT)
# By time, not by id: the index leads through the events of that age alone, however many are newer, and ends where
# enough are found. The order of ids may differ from it where a clock was set.
GOING = text(
    "SELECT e.id, e.at, e.organization_id, e.action, e.actor_kind, e.actor_id, e.actor_label, s.digest, s.hash "  # noqa: S608
    "FROM audit_events e JOIN audit_seals s ON s.event_id = e.id "
    f"WHERE {_SCOPE} AND NOT ({_OWN} OR {HELD} OR {RETAINED}) ORDER BY e.at, e.id LIMIT :limit"
).bindparams(_WITHOUT)
_BURY = text(
    "INSERT INTO audit_tombstones (event_id, at, digest, hash, pruned_at) VALUES (:id, :at, :digest, :hash, :now)"
)
_REMOVE = text("DELETE FROM audit_events WHERE id = :id")
_KEEPERS = (
    text(
        "SELECT h.ref FROM audit_holds h WHERE h.released_at IS NULL "  # noqa: S608 - constant text
        "AND (CAST(:organization AS bigint) IS NULL OR h.organization_id = :organization) AND EXISTS ("
        f"SELECT 1 FROM audit_events e WHERE {_SCOPE} AND (h.organization_id IS NULL "
        "OR h.organization_id = e.organization_id) AND (h.aggregate_id IS NULL OR h.aggregate_id = e.aggregate_id) "
        "AND (h.action IS NULL OR h.action = e.action) AND (h.from_at IS NULL OR e.at >= h.from_at) "
        "AND (h.to_at IS NULL OR e.at < h.to_at)) ORDER BY h.id"
    ).bindparams(_WITHOUT),
    text(
        "SELECT a.ref FROM audit_archives a WHERE a.retains "  # noqa: S608 - constant text
        "AND (CAST(:organization AS bigint) IS NULL OR a.organization_id = :organization) AND EXISTS ("
        "SELECT 1 FROM audit_retained r JOIN audit_events e ON e.id = r.event_id "
        f"WHERE r.archive_id = a.id AND {_SCOPE}) ORDER BY a.id"
    ).bindparams(_WITHOUT),
)


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Events older than `before` (those exactly at it stay); of one organization, or of all except `without`."""

    before: datetime
    organization_id: int | None = None
    aggregate_id: str | None = None
    action: str | None = None
    without: tuple[int, ...] = ()

    def values(self) -> dict[str, Any]:
        return {
            "before": micros(self.before),
            "organization": self.organization_id,
            "aggregate": self.aggregate_id,
            "action": self.action,
            "without": list(self.without),
        }


class Survey(msgspec.Struct, frozen=True):
    """What a pruning of a scope finds, by action. `kept` are `held`, `retained`, or tell of earlier prunings;
    `unsealed` wait; the rest may go. `holds` and `archives` keep something of it.
    """

    matched: dict[str, int]
    prunable: dict[str, int]
    held: dict[str, int]
    retained: dict[str, int]
    kept: int
    unsealed: int
    holds: list[str]
    archives: list[str]


class Pruning(msgspec.Struct, frozen=True):
    """Of `matched` events, `pruned` went (or would go, in a dry run); `unsealed` wait. `kept` are held, archived, or
    tell of earlier prunings.
    """

    matched: int
    pruned: int
    kept: int
    unsealed: int


def survey(tx: Tx, scope: Scope) -> Survey:
    """Look without touching: what would go, and what stands in the way."""
    tx.take_time()
    rows = tx.execute(_SURVEY, scope.values()).all()
    holds, archives = ([row[0] for row in tx.execute(one, scope.values())] for one in _KEEPERS)
    return Survey(
        matched={row[0]: int(row[1]) for row in rows},
        prunable={row[0]: left for row in rows if (left := int(row[1] - row[5] - row[6]))},
        held={row[0]: int(row[3]) for row in rows if row[3]},
        retained={row[0]: int(row[4]) for row in rows if row[4]},
        kept=sum(int(row[5]) for row in rows),
        unsealed=sum(int(row[6]) for row in rows),
        holds=holds,
        archives=archives,
    )


def step(tx: Tx, scope: Scope, limit: int = STEP) -> dict[str, int]:
    """Remove the oldest events that may go, at most `limit`. Answers how many of each action went.

    Id, time, digest and chain hash stay as a tombstone, so that `verify` still proves the chain. An event
    `audit.pruned`, sealed in the same unit, names what went, and is never pruned itself. Nothing that a hold or an
    archive keeps is touched, nor what is not sealed yet. A hold placed meanwhile waits its turn.
    """
    tx.take_time()
    tx.lock(LOCK)
    tx.lock("audit-seal")  # before the tallies, which the sealer writes too
    going = [{**row} for row in tx.execute(GOING, {**scope.values(), "limit": limit}).mappings()]
    gone: dict[str, int] = {}
    if not going:
        return gone
    for row in going:
        gone[row["action"]] = gone.get(row["action"], 0) + 1
    tx.execute(_BURY, [{**row, "now": micros(tx.now)} for row in going])
    tx.execute(_REMOVE, [{"id": row["id"]} for row in going])
    tallies.add(tx, going, -1)
    record(
        tx,
        AuditAction.PRUNED,
        resource_type="audit-event",
        resource_id="*",
        organization_id=scope.organization_id,
        aggregate_id=scope.aggregate_id,
        detail=msgspec.to_builtins(removed(wire_time(scope.before), ((row["id"], row["hash"]) for row in going))),
    )
    while seal(tx) == BATCH:  # its own event too: a trail that is copied now must be whole
        pass
    return gone


def prune(
    tx: Tx,
    before: datetime,
    *,
    organization_id: int | None = None,
    aggregate_id: str | None = None,
    dry_run: bool = True,
    limit: int = 5_000,
) -> Pruning:
    """One step of a pruning with what it found, or (`dry_run`) only what it would find."""
    scope = Scope(before=before, organization_id=organization_id, aggregate_id=aggregate_id)
    found = survey(tx, scope)
    matched, kept, unsealed = sum(found.matched.values()), found.kept, found.unsealed
    if dry_run:
        return Pruning(matched, matched - kept - unsealed, kept, unsealed)
    return Pruning(matched, sum(step(tx, scope, limit).values()), kept, unsealed)


async def prune_all(db: Database, scope: Scope) -> dict[str, int]:
    """Every event that may go, step by step, so that nothing waits long. Answers how many of each action went."""
    gone: dict[str, int] = {}
    while True:
        done: dict[str, int] = await db.write(step, scope, STEP)
        for action, count in done.items():
            gone[action] = gone.get(action, 0) + count
        if sum(done.values()) < STEP:
            return gone
