"""Telling a foreign runner at once that something waits for it, or that it has to stop (contract: infra §3.3). Nothing
depends on it: whoever hears nothing asks as often as before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners import beating
from quarterdeck.infra.runners.authenticating import caller
from quarterdeck.infra.work import claiming
from quarterdeck.infra.work.happenings import CHANGED
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.jobs.ledger import WAKE

PRESENCE = 20.0
"""Seconds after which an open connection counts as a sign of life again."""
QUIET = 0.2
"""Seconds within which what happens after a look is looked at together."""
WAKE_UP: dict[str, Any] = {"type": "wake"}


def look(tx: Tx, sign_of_life: bool = True) -> tuple[bool, list[str]]:
    """Whether something waits that the runner may claim now, and which of its jobs it has to stop."""
    worker, runner = caller(tx)
    if sign_of_life:
        beating.seen(tx, worker.id)
    return claiming.waits(tx, worker, runner), beating.canceled(tx, worker)


async def follow(db: Database) -> AsyncIterator[dict[str, Any]]:
    """`{"type": "wake"}` while something waits, told again when more of it may, and `{"type": "cancel", "job_id": …}`
    once for each job of the runner that was canceled lately. Runs as the runner; endless.
    """
    told: set[str] = set()
    loop = asyncio.get_running_loop()
    with db.bus.subscribe(WAKE, CHANGED) as inbox:
        waits, stopped = await db.write(look)
        alive = loop.time()
        while True:
            for uid in stopped:
                if uid not in told:
                    told.add(uid)
                    yield {"type": "cancel", "job_id": uid}
            if waits:
                yield WAKE_UP
            looked = loop.time()
            heard = await inbox.get(max(PRESENCE - (loop.time() - alive), 0.01))
            if heard is not None:
                if (rest := QUIET - (loop.time() - looked)) > 0:
                    await asyncio.sleep(rest)
                inbox.drain()
            if loop.time() - alive >= PRESENCE:
                alive = loop.time()
                waits, stopped = await db.write(look)
            else:
                waits, stopped = await db.read(look, False)


def in_reach(worker: Worker, organization_id: int | None) -> bool:
    """Whether something of an organization concerns a runner at all."""
    return organization_id in {None, worker.organization_id}
