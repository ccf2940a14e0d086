"""Telling a foreign runner at once that something waits for it, or that it has to stop (contract: infra §3.3). Nothing
depends on it: whoever hears nothing asks as often as before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from quarterdeck.infra.runners import beating
from quarterdeck.infra.runners.authenticating import caller
from quarterdeck.infra.runners.standing import CLOUD_HOSTED
from quarterdeck.infra.work import claiming
from quarterdeck.infra.work.happenings import CHANGED, STREAM
from quarterdeck.kernel.bus import Concern, Message
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.jobs.ledger import WAKE

PRESENCE = 20.0
"""Seconds after which an open connection counts as a sign of life again."""
QUIET = 0.2
"""Seconds within which what happens after a look is looked at together."""
WAKE_UP: dict[str, Any] = {"type": "wake"}


@dataclass(frozen=True, slots=True)
class Look:
    """What concerns a runner now: whether it may claim something, and which of its jobs it has to stop. `of` is the
    organization whose jobs are its, None for all.
    """

    waits: bool
    stop: list[str]
    of: int | None


def look(tx: Tx) -> Look:
    worker, runner = caller(tx)
    of = None if runner.mode == CLOUD_HOSTED else worker.organization_id
    return Look(claiming.waits(tx, worker, runner), beating.canceled(tx, worker), of)


def live(tx: Tx) -> Look:
    """A sign of life, and a look."""
    worker, runner = caller(tx)
    beating.beat(tx, worker, runner)
    return look(tx)


async def follow(db: Database) -> AsyncIterator[dict[str, Any]]:
    """`{"type": "wake"}` when something waits, told again when more may, and `{"type": "cancel", "job_id": …}` once for
    each job of the runner that was canceled lately. Runs as the runner, and is endless.
    """
    told: set[str] = set()
    loop = asyncio.get_running_loop()
    with db.bus.subscribe(WAKE, CHANGED) as inbox:
        found = await db.write(live)
        lived = looked = loop.time()
        while True:
            for uid in found.stop:
                if uid not in told:
                    told.add(uid)
                    yield {"type": "cancel", "job_id": uid}
            if found.waits:
                yield WAKE_UP
            while True:
                heard = await inbox.get(max(PRESENCE - (loop.time() - lived), 0.01))
                if heard is None or concerns([heard], found.of):
                    break
            if (rest := QUIET - (loop.time() - looked)) > 0:
                await asyncio.sleep(rest)
            inbox.drain()
            looked = loop.time()
            if looked - lived >= PRESENCE:
                lived = looked
                found = await db.write(live)
            else:
                found = await db.read(look)


def concerns(heard: Iterable[Message], of: int | None) -> bool:
    """Whether something of infrastructure jobs was told that may concern a runner of this organization."""
    return any(one.topic == CHANGED or _waits(one.payload, of) for one in heard)


def _waits(payload: object, of: int | None) -> bool:
    if not isinstance(payload, frozenset):
        return False
    return any(
        isinstance(one, Concern)
        and (one.subject or "").startswith(STREAM)
        and (of is None or one.organization_id in {None, of})
        for one in payload
    )
