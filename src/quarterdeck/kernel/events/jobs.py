"""Delivery to durable subscribers as a job of the ledger, enqueued when something waits for one of them."""

from __future__ import annotations

from typing import Any

import structlog

from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.events.subscriptions import deliver_all, subscribers, waits

KIND = "events.deliver"
POLL = 5.0
SETTLE = 0.05
log = structlog.get_logger("quarterdeck.events")


jobs.kinds.register(
    jobs.JobKind(
        KIND,
        lane="housekeeping",  # there is much of it: it goes after two days
        capabilities=frozenset({jobs.SERVER, jobs.DELIVERY}),  # and has a place that no housekeeping takes
        work=jobs.Work("system", "Deliver events"),
    )
)


@jobs.server_handlers.register(KIND)
async def run(_context: jobs.JobContext, instance: Any) -> dict[str, int]:
    """Deliver what waits."""
    return {"delivered": await deliver_all(instance.db)}


def demand(tx: Tx) -> bool:
    """Enqueue one delivery when an event waits for a subscriber and none is under way."""
    tx.lock(KIND)
    if not waits(tx) or jobs.count(tx, jobs.Filter(kind=KIND, states=tuple(jobs.LIVE))):
        return False
    jobs.enqueue(tx, jobs.Enqueue(KIND, {}, None, concurrency_key=KIND, max_attempts=3))
    return True


async def keep_delivering(db: Database) -> None:
    """Run beside the server until cancelled: woken by the bus (topic `events`), looks by itself every five seconds."""
    wanted = frozenset().union(*(subscriber.types for subscriber in subscribers()))
    with db.bus.subscribe("events") as inbox:
        while True:
            try:
                if await db.read(waits):
                    await db.write(demand)
            except Exception:
                log.exception("events_not_demanded")
            message = await inbox.get(timeout=POLL)
            while message is not None and message.payload.what not in wanted:
                message = await inbox.get(timeout=POLL)
            if message is not None:
                await inbox.get(timeout=SETTLE)
                inbox.drain()
