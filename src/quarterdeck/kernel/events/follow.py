"""Following a stream: woken by the bus, correct without it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from quarterdeck.kernel.bus import Bus
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.events.model import Event, Gap
from quarterdeck.kernel.events.stream import read, standing

POLL = 1.0
PAGE = 200


def _next(tx: Tx, stream: str, after: int) -> tuple[Gap | None, list[Event]]:
    after, gap = standing(tx, stream, after)
    return gap, read(tx, stream, after, PAGE)


async def follow(bus: Bus, db: Database, stream: str, after: int = 0) -> AsyncIterator[Event | Gap]:
    """Every event above `after`, for as long as the caller listens; a `Gap` where some were pruned."""
    with bus.subscribe(stream) as inbox:
        while True:
            inbox.drain()
            gap, events = await db.read(_next, stream, after)
            if gap is not None:
                after = gap.until
                yield gap
            for event in events:
                after = event.sequence
                yield event
            if not events:
                await inbox.get(timeout=POLL)
