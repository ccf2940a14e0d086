"""What is asked of jobs."""

from __future__ import annotations

from datetime import datetime

from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.kernel.clock import instant
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.finding import look


def held_until(tx: Tx, job: BrokerJob) -> datetime:
    """Until when the job is its holder's; now where nobody holds it."""
    carried = look(tx, job.ledger_id) if job.ledger_id is not None else None
    return tx.now if carried is None or carried.lease_us is None else instant(carried.lease_us)
