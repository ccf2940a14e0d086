"""Ending the job of a request that is over before it was carried out."""

from __future__ import annotations

from quarterdeck.broker.work import holding
from quarterdeck.broker.work.actions import JobAction, note
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.transitions import CANCELLED, LIVE, move
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.transitions import ENDED, State


def cancel(tx: Tx, job: BrokerJob, reason: str, code: str = "request_over") -> bool:
    """End a job, whoever holds it; false where it has ended. Take it before the lock of its request. Whoever works on
    it hears that it is over, and can take and deliver nothing more.
    """
    row, carried = holding.held(tx, job)
    if row.status not in LIVE:
        return False
    move(tx, row, CANCELLED, code=code, message=reason)
    note(tx, row, JobAction.COMPLETED, job_status=CANCELLED, error_code=code)
    if carried is not None and State(carried.state) not in ENDED:
        if carried.state == State.RUNNING and holding.foreign(carried):
            jobs.give_up(tx, carried.id, code, reason)  # nobody tells a foreign agent to stop
        else:
            jobs.cancel(tx, carried.id, reason)
    return True
