"""How long ended jobs of the broker stay. What was given out and what was not is in the audit trail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, register

JOBS = timedelta(days=365)
CHUNK = 500


def forget(tx: Tx, before: datetime) -> int:
    """Remove some that ended before an instant. Answers how many."""
    query = select(BrokerJob.id).where(BrokerJob.completed_at < before).order_by(BrokerJob.id).limit(CHUNK)
    found = [row[0] for row in tx.execute(query)]
    if found:
        tx.execute(delete(BrokerJob).where(BrokerJob.id.in_(found)))
    return len(found)


async def _forget(instance: Any, before: datetime) -> int:
    count = 0
    while gone := await instance.db.write(forget, before):
        count += gone
    return count


register(Category("secret-jobs", "Jobs about secrets that have ended", JOBS, _forget))
