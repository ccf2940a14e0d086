"""How much work waits for runners, for programs that start them by need (contract: infra §1.7)."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select

from quarterdeck.infra.work import requeueing
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import QUEUED
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx


class Demand(NamedTuple):
    """Jobs that were put back into the queue by this look, and how many wait in all, of every organization."""

    recovered: int
    queued: int


def demand(tx: Tx) -> Demand:
    """Put back what nobody works on any more, as the server does by itself, and count."""
    before = _queued(tx)
    jobs.requeue_lapsed(tx)
    for job in requeueing.stalled(tx):
        requeueing.run(tx, job.id)
    tx.flush()
    after = _queued(tx)
    return Demand(max(after - before, 0), after)


def _queued(tx: Tx) -> int:
    live = (InfraJob.completed_at.is_(None), InfraJob.status == QUEUED)
    return int(tx.execute(select(func.count(InfraJob.id)).where(*live)).scalar_one())
