"""Chaining committed events: each organization has a chain, each seal covers one event and the seal before it."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from sqlalchemy import RowMapping, text

from quarterdeck.kernel.audit import tallies
from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Tx

GENESIS = "0" * 64
BATCH = 1000
FIELDS = (
    "id", "uid", "ref", "organization_id", "at", "actor_kind", "actor_id", "actor_label", "action", "resource_type",
    "resource_id", "aggregate_id", "outcome", "request_id", "correlation_id", "address", "detail",
)  # fmt: skip
_WAITING = text(
    f"SELECT {', '.join('e.' + name for name in FIELDS)} "  # noqa: S608 - constant names
    "FROM audit_unsealed u JOIN audit_events e ON e.id = u.event_id ORDER BY u.event_id LIMIT :limit"
)
_HEAD = text(
    "SELECT position, hash FROM audit_seals WHERE organization_id = :organization ORDER BY position DESC LIMIT 1"
)
_SEAL = text(
    "INSERT INTO audit_seals (organization_id, position, event_id, digest, hash, at) "
    "VALUES (:organization_id, :position, :event_id, :digest, :hash, :at)"
)
_DONE = text("DELETE FROM audit_unsealed WHERE event_id = :event_id")


def digest(row: RowMapping) -> str:
    """SHA-256 over every stored field of an event, names in the fixed order of `FIELDS`."""
    return hashlib.sha256(msgspec.json.encode([row[name] for name in FIELDS])).hexdigest()


def link(previous: str, organization_id: int, position: int, event_id: int, content: str) -> str:
    """The hash that continues a chain."""
    return hashlib.sha256(f"{previous}:{organization_id}:{position}:{event_id}:{content}".encode()).hexdigest()


def seal(tx: Tx, limit: int = BATCH) -> int:
    """Seal up to `limit` committed events, oldest first. Returns how many. One sealer at a time over all replicas."""
    tx.lock("audit-seal")
    waiting = tx.execute(_WAITING, {"limit": limit}).mappings().all()
    heads: dict[int, tuple[int, str]] = {}
    seals: list[dict[str, Any]] = []
    for row in waiting:
        organization = row["organization_id"] or 0
        if organization not in heads:
            head = tx.execute(_HEAD, {"organization": organization}).first()
            heads[organization] = (head[0], head[1]) if head else (0, GENESIS)
        position, previous = heads[organization]
        content = digest(row)
        chained = link(previous, organization, position + 1, row["id"], content)
        heads[organization] = (position + 1, chained)
        seals.append(
            {
                "organization_id": organization,
                "position": position + 1,
                "event_id": row["id"],
                "digest": content,
                "hash": chained,
                "at": micros(tx.now),
            }
        )
    if seals:
        tx.execute(_SEAL, seals)
        tallies.add(tx, waiting)
        tx.execute(_DONE, [{"event_id": row["event_id"]} for row in seals])
    return len(seals)
