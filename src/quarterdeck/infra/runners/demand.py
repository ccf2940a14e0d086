"""How much work waits for runners, for programs that start them by need (contract: infra §1.7)."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select

from quarterdeck.infra.work import watching
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import QUEUED
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.logs import Logs


class Demand(NamedTuple):
    """Jobs that were put back into the queue by this look, and how many wait in all, of every organization."""

    recovered: int
    queued: int


async def demand(db: Database, logs: Logs) -> Demand:
    """Put back what nobody works on any more, by the looks that the server takes by itself, and count."""
    before = await db.write(_lapse)
    await watching.look(db, logs)
    after = await db.read(_queued)
    return Demand(max(after - before, 0), after)


def _lapse(tx: Tx) -> int:
    before = _queued(tx)
    jobs.requeue_lapsed(tx)
    return before


def _queued(tx: Tx) -> int:
    live = (InfraJob.completed_at.is_(None), InfraJob.status == QUEUED)
    return int(tx.execute(select(func.count(InfraJob.id)).where(*live)).scalar_one())
