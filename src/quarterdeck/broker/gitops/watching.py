"""Beside the server: asks ArgoCD about what is watched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from quarterdeck.broker.gitops import argocd, observing
from quarterdeck.broker.gitops.observing import Look
from quarterdeck.broker.work.sanitising import sanitised
from quarterdeck.kernel.db import Database, of_storage
from quarterdeck.kernel.errors import Problem

TICK = 15.0
AT_ONCE = 4
log = structlog.get_logger("quarterdeck.broker")


class Ledger(Protocol):
    """What of `kernel.jobs.Jobs` is needed here."""

    may_claim: Callable[[], bool]


async def watch(db: Database, ledger: Ledger, tick: float = TICK) -> None:
    """Until it is canceled."""
    while True:
        if ledger.may_claim():
            await look(db)
        await asyncio.sleep(tick)


async def look(db: Database) -> int:
    """Ask once about each that is due; answers how many that were."""
    while await db.write(observing.give_up) == observing.BATCH:
        pass
    some = await db.read(observing.due)
    places = asyncio.Semaphore(AT_ONCE)

    async def one(each: Look) -> None:
        async with places:
            try:
                await ask(db, each)
            except Exception as error:
                if of_storage(error):
                    raise
                log.exception("application_not_observed", observation=each.id)

    await asyncio.gather(*(one(each) for each in some))
    return len(some)


async def ask(db: Database, each: Look) -> str | None:
    """Ask about one and keep the answer."""
    if each.server is None:
        return await db.write(observing.heard, each, None, "The endpoint is switched off or gone.")
    try:
        seen = await argocd.application(each.server, each.application)
    except Problem as problem:
        return await db.write(observing.heard, each, None, sanitised(problem.message))
    return await db.write(observing.heard, each, seen, None)
