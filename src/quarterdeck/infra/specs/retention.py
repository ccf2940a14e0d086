"""How long versions of specs stay, and that what happened to zones and specs is known as long as these are there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select

from quarterdeck.infra.specs import happenings
from quarterdeck.infra.specs.model import Spec, SpecVersion
from quarterdeck.infra.zones import happenings as zone_happenings
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, lasting, register

KEEP = timedelta(days=730)
NEWEST = 100
"""Versions of each spec that stay however old they are."""
CHUNK = 500


def old(tx: Tx, before: datetime, limit: int) -> list[int]:
    """Row ids of versions older than `before` that are none of the newest of their spec, nor what stands there now."""
    place = func.row_number().over(partition_by=SpecVersion.spec_id, order_by=SpecVersion.number.desc()).label("place")
    ranked = select(
        SpecVersion.id, SpecVersion.spec_id, SpecVersion.created_at, SpecVersion.configuration_hash, place
    ).subquery()
    standing = select(Spec.id).where(Spec.id == ranked.c.spec_id, Spec.applied_hash == ranked.c.configuration_hash)
    query = select(ranked.c.id).where(ranked.c.place > NEWEST, ranked.c.created_at < before, ~standing.exists())
    return list(tx.execute(query.order_by(ranked.c.id).limit(limit)).scalars())


def forget(tx: Tx, before: datetime) -> int:
    """Remove some of them; answers how many that was."""
    tx.take_time()
    ids = old(tx, before, CHUNK)
    if ids:
        tx.execute(delete(SpecVersion).where(SpecVersion.id.in_(ids)))
    return len(ids)


async def _prune(instance: Any, before: datetime) -> int:
    count = 0
    while some := await instance.db.write(forget, before):
        count += some
    return count


def _specs_there(tx: Tx, streams: Sequence[str]) -> list[str]:
    uids = [one.removeprefix(happenings.STREAM) for one in streams]
    return [f"{happenings.STREAM}{uid}" for uid in tx.execute(select(Spec.uid).where(Spec.uid.in_(uids))).scalars()]


def _zones_there(tx: Tx, streams: Sequence[str]) -> list[str]:
    prefix = zone_happenings.STREAM
    uids = [one.removeprefix(prefix) for one in streams]
    return [f"{prefix}{uid}" for uid in tx.execute(select(Zone.uid).where(Zone.uid.in_(uids))).scalars()]


lasting(happenings.STREAM, _specs_there)
lasting(zone_happenings.STREAM, _zones_there)
register(
    Category(
        "infra-spec-versions",
        f"Versions of specifications beyond the newest {NEWEST} of each, except what stands",
        KEEP,
        _prune,
    )
)
