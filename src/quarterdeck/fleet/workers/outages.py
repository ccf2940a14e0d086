"""Telling, once for each outage, that nothing is heard of a worker any more (contract: tasks §7.4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from quarterdeck.fleet.workers.actions import tell
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx

Timeout = Callable[[Tx, int], float]
"""Of an organization: seconds of silence after which its workers are offline."""


def silent(tx: Tx, began: datetime, timeout: Timeout) -> list[str]:
    """Uids of workers that are offline, and nobody was told of this outage yet. `began` is when this process began to
    listen: nobody is blamed for a time in which nobody listened.
    """
    untold = or_(Worker.offline_told_at.is_(None), Worker.offline_told_at < Worker.last_seen_at)
    columns = (Worker.uid, Worker.organization_id, Worker.last_seen_at)
    query = select(*columns).where(Worker.revoked_at.is_(None), Worker.last_seen_at.is_not(None), untold)
    rows = tx.execute(query.order_by(Worker.id)).all()
    limits = {one: timeout(tx, one) for one in {row.organization_id for row in rows}}
    return [row.uid for row in rows if _is_silent(tx, row.last_seen_at, began, limits[row.organization_id])]


def tell_offline(tx: Tx, uid: str, began: datetime, timeout: Timeout) -> bool:
    """Tell it, unless somebody was faster or the worker has said something meanwhile. Answers whether it was told."""
    tx.lock(f"worker:{uid}")
    worker = tx.one(select(Worker).where(Worker.uid == uid), what=f"worker {uid}")
    tx.session.refresh(worker)
    if worker.last_seen_at is None or worker.revoked_at is not None:
        return False
    told = worker.offline_told_at is not None and worker.offline_told_at >= worker.last_seen_at
    if told or not _is_silent(tx, worker.last_seen_at, began, timeout(tx, worker.organization_id)):
        return False
    worker.offline_told_at = tx.now
    minutes = max(round((tx.now - worker.last_seen_at).total_seconds() / 60), 1)
    reason = f"Nothing was heard of it for {minutes} {'minute' if minutes == 1 else 'minutes'}."
    tell(tx, worker, "worker-offline", reason=reason)
    return True


def _is_silent(tx: Tx, seen: datetime, began: datetime, seconds: float) -> bool:
    return tx.now - max(seen, began) > timedelta(seconds=seconds)
