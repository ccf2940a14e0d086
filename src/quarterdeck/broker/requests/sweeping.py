"""Beside the server: requests whose time is over end, and emergencies that nobody has looked at are told again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import structlog

from quarterdeck.broker.requests import expiring, reviewing, telling
from quarterdeck.kernel.db import Database, Tx, of_storage

TICK = 15.0
log = structlog.get_logger("quarterdeck.broker")


class Ledger(Protocol):
    """What of `kernel.jobs.Jobs` is needed here."""

    may_claim: Callable[[], bool]


async def watch(db: Database, ledger: Ledger, tick: float = TICK) -> None:
    """Until it is canceled."""
    told: datetime | None = None
    while True:
        if ledger.may_claim():
            await look(db)
            now = db.clock.now()
            if told is None or now - told >= reviewing.REMINDED:
                told = now
                await db.write(remind)
        await asyncio.sleep(tick)


async def look(db: Database) -> int:
    """End what is over; answers how many. One that cannot be ended keeps no other waiting."""
    count = 0
    for request_id in await db.read(expiring.due):
        try:
            count += await db.write(expiring.expire, request_id)
        except Exception as error:
            if of_storage(error):
                raise
            log.exception("request_not_expired", request=request_id)
    return count


def remind(tx: Tx) -> None:
    for request in reviewing.waiting(tx):
        telling.remind(tx, request)
