"""Secrets that no agent has told of for long are missing; later they are forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from quarterdeck.broker.discovered.model import DiscoveredSecret
from quarterdeck.broker.discovered.upserting import MISSING, PRESENT
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, register

UNSEEN = timedelta(hours=24)
KEPT = timedelta(days=90)
CHUNK = 500


def run(tx: Tx) -> int:
    """Mark those that were not seen for a day, some at a time; answers how many."""
    some = (
        select(DiscoveredSecret.id)
        .where(DiscoveredSecret.status == PRESENT, DiscoveredSecret.last_seen_at < tx.now - UNSEEN)
        .limit(CHUNK)
    )
    marked = tx.execute(update(DiscoveredSecret).where(DiscoveredSecret.id.in_(some)).values(status=MISSING))
    return int(marked.rowcount)  # type: ignore[attr-defined]  # an UPDATE has one


def forget(tx: Tx, before: datetime) -> int:
    """Remove some of those that are missing since before an instant."""
    some = (
        select(DiscoveredSecret.id)
        .where(DiscoveredSecret.status == MISSING, DiscoveredSecret.last_seen_at < before)
        .limit(CHUNK)
    )
    gone = tx.execute(delete(DiscoveredSecret).where(DiscoveredSecret.id.in_(some)))
    return int(gone.rowcount)  # type: ignore[attr-defined]  # a DELETE has one


async def _forget(instance: Any, before: datetime) -> int:
    count = 0
    while gone := await instance.db.write(forget, before):
        count += gone
    return count


register(Category("discovered-secrets", "Secrets that no agent finds any more", KEPT, _forget))
