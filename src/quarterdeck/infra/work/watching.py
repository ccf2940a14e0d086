"""Beside the server: looks for jobs whose runner lives and does nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from quarterdeck.infra.work import requeueing
from quarterdeck.infra.work.happenings import stream
from quarterdeck.kernel.db import Database, of_storage
from quarterdeck.kernel.logs import Logs

TICK = 60.0
log = structlog.get_logger("quarterdeck.infra")


class Ledger(Protocol):
    """What of `kernel.jobs.Jobs` is needed here."""

    may_claim: Callable[[], bool]


async def watch(db: Database, logs: Logs, ledger: Ledger, tick: float = TICK) -> None:
    """Until it is canceled."""
    while True:
        if ledger.may_claim():
            await look(db, logs)
        await asyncio.sleep(tick)


async def look(db: Database, logs: Logs) -> list[str]:
    """Look once. Answers the uids of jobs that were taken from their runners. One that cannot be helped keeps no other
    waiting.
    """
    taken = []
    for job in await db.read(requeueing.stalled):
        try:
            newest = await logs.read(stream(job.uid), tail=1)
            if newest and newest[-1].time > db.clock.now() - requeueing.STALLED:
                await db.write(requeueing.wrote, job.id, newest[-1].time)
            elif await db.write(requeueing.run, job.id):
                taken.append(job.uid)
        except Exception as error:
            if of_storage(error):
                raise
            log.exception("stalled_job_not_taken", job=job.uid)
    return taken
