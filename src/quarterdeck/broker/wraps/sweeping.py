"""Blanking values whose time is over, and forgetting data keys: nothing depends on it but that they are gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from quarterdeck.broker.wraps import data_keys, ending
from quarterdeck.kernel.db import Database, Tx

TICK = 60.0
BATCH = 500


class Ledger(Protocol):
    """What of `kernel.jobs.Jobs` is needed here."""

    may_claim: Callable[[], bool]


async def watch(db: Database, ledger: Ledger, tick: float = TICK) -> None:
    """Until it is canceled."""
    while True:
        if ledger.may_claim():
            while await db.write(sweep) == BATCH:
                pass
        await asyncio.sleep(tick)


def sweep(tx: Tx) -> int:
    """One part of the work. Answers `BATCH` where there may be more."""
    return max(ending.lapsed(tx, BATCH), data_keys.forget(tx, BATCH))
