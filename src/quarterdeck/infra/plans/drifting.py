"""Beside the server: asks for looks at what may have drifted, each due time once on however many servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from quarterdeck.infra.plans import drift
from quarterdeck.kernel.db import Database, of_storage
from quarterdeck.kernel.errors import Problem

TICK = 30.0
log = structlog.get_logger("quarterdeck.infra")


class Ledger(Protocol):
    """What of `kernel.jobs.Jobs` is needed here."""

    may_claim: Callable[[], bool]


async def watch(db: Database, ledger: Ledger, tick: float = TICK) -> None:
    """Until it is canceled."""
    while True:
        if ledger.may_claim():
            await look(db)
        await asyncio.sleep(tick)


async def look(db: Database) -> list[str]:
    """Take up what is due. Answers the uids of the jobs that were asked for. One that cannot be looked at keeps no
    other waiting; its time has passed all the same.
    """
    asked = []
    for spec_id in await db.read(drift.due):
        try:
            job = await db.write(drift.look_due, spec_id)
        except Exception as error:
            if of_storage(error):
                raise
            if isinstance(error, Problem):
                log.info("drift_not_looked_at", spec=spec_id, code=error.code)
            else:
                log.exception("drift_not_looked_at", spec=spec_id)
            await db.write(drift.put_off, spec_id)
            continue
        if job is not None:
            asked.append(job.uid)
    return asked
