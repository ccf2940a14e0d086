"""The server's own machine as a worker like any other: it is listed, drained and decommissioned as those that dial in,
and speaks the same frames, through memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog
from sqlalchemy import select

from quarterdeck.fleet.workers.actions import WorkerAction, note, tell
from quarterdeck.fleet.workers.control import WorkerControl
from quarterdeck.fleet.workers.credentials import AccessTokens
from quarterdeck.fleet.workers.enrolment import digest
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.fleet.workers.offering import Departing
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.jobs.transport import Disconnected, MemoryTransport, memory_pair
from quarterdeck.kernel.jobs.worker import Worker as Loop
from quarterdeck.kernel.text import shown

PAUSE_SECONDS = 1.0
FINAL = {frames.DECOMMISSIONED, frames.TOO_OLD}
log = structlog.get_logger("quarterdeck.workers")


def enlist(tx: Tx, organization_id: int, uid: str, name: str, capabilities: Iterable[str]) -> Worker:
    """The row of the machine with this id, made when it is first asked for. A decommissioned one is answered, too: its
    connection is refused.
    """
    tx.lock(f"worker:{uid}")
    worker = tx.first(select(Worker).where(Worker.uid == uid))
    if worker is not None:
        return worker
    worker = tx.add(
        Worker(
            uid=uid,
            organization_id=organization_id,
            name=shown(name, 200) or "machine",
            recovery_hash=digest(tx.ids.token(32)),  # nobody has it: this machine proves itself by being here
            generation=1,
            capabilities=sorted(capabilities),
            offered=[],
            agents=[],
            hardware={},
            projects=[],
            trouble={},
            ailing=[],
            created_at=tx.now,
        )
    )
    tx.flush()
    tell(tx, worker, "worker-enrolled")
    note(tx, worker, WorkerAction.ENROLLED, capabilities=worker.capabilities)
    return worker


class Near:
    """The server's end of a way through memory, as `WorkerControl` takes it."""

    def __init__(self, transport: MemoryTransport) -> None:
        self.send, self.receive, self.close = transport.send, transport.receive, transport.close

    def proven(self) -> None:
        """It was never bounded."""

    def abort(self) -> None:
        """Its close waits for nobody."""


class Pass:
    """What the machine proves itself with: an access token, drawn anew for each connection and kept nowhere."""

    def __init__(self, db: Database, tokens: AccessTokens, worker_id: int) -> None:
        self._db, self._tokens, self._worker_id = db, tokens, worker_id
        self._token: str | None = None

    async def renew(self) -> None:
        self._token = await self._db.read(self._issued)

    def shown(self) -> str | None:
        return self._token

    def _issued(self, tx: Tx) -> str:
        worker = tx.one(select(Worker).where(Worker.id == self._worker_id), what="the own machine")
        return self._tokens.issue(tx, worker)[0].reveal()


async def keep_connected(control: WorkerControl, loop: Loop, paper: Pass, departing: Departing) -> None:
    """Work over one connection after another until canceled, or until the machine is decommissioned: then what runs is
    ended, and `departing` is awaited.
    """
    while True:
        await paper.renew()
        near, far = memory_pair()
        serving = asyncio.create_task(control.serve(Near(far)))
        try:
            await loop.serve(near)
        except Disconnected as gone:
            if gone.code in FINAL:
                log.warning("own_machine_refused", code=gone.code, reason=gone.reason)
                if gone.code == frames.DECOMMISSIONED:
                    await loop.abandon()
                    await departing()
                await asyncio.Event().wait()
            log.info("own_machine_disconnected", code=gone.code, reason=gone.reason)
        finally:
            await near.close()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
        await asyncio.sleep(PAUSE_SECONDS)
