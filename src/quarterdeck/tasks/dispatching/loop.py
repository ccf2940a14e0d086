"""Beside the server: gives tasks to machines and looks after time. Woken by the bus, correct by its tick."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

import structlog

from quarterdeck.fleet.workers import outages
from quarterdeck.kernel.db import Database, Tx, of_storage
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.jobs.session import Seat
from quarterdeck.tasks.dispatching import dispatch
from quarterdeck.tasks.dispatching.machines import seated
from quarterdeck.tasks.settings.thresholds import heartbeat_timeout
from quarterdeck.tasks.tunnels import tunnels
from quarterdeck.tasks.work import silence
from quarterdeck.tasks.work.happenings import TELL
from quarterdeck.tasks.work.transitions import WAKE

TICK_SECONDS = 2.0
OUTAGE_SECONDS = 15.0
log = structlog.get_logger("quarterdeck.tasks")


class Ledger(Protocol):
    """What of `kernel.jobs.Jobs` is needed here."""

    may_claim: Callable[[], bool]

    @property
    def sessions(self) -> Iterable[Any]: ...

    async def tell(self, job_id: int, kind: str, data: Any = None) -> None: ...


class Dispatching:
    """One for each process of the server. `run` and `speak` live until they are canceled."""

    def __init__(self, db: Database, ledger: Ledger, *, tick_seconds: float = TICK_SECONDS) -> None:
        self._db = db
        self._ledger = ledger
        self._tick = tick_seconds
        self._outages_due = 0.0

    def seats(self) -> list[Seat]:
        return [session.seat for session in self._ledger.sessions]

    async def run(self) -> None:
        began = self._db.clock.now()
        for task_id in await self._db.read(silence.offline):
            await self._alone("task_not_given_up", silence.give_up, task_id)
        loop = asyncio.get_running_loop()
        due = loop.time()
        with self._db.bus.subscribe(WAKE) as inbox:
            while True:
                inbox.drain()
                ticks = loop.time() >= due
                if ticks:
                    due = loop.time() + self._tick
                if self._ledger.may_claim():
                    # What time does is found by the tick; whoever wakes wants a machine for a task.
                    await (self.look(began) if ticks else self.give(await self._db.read(dispatch.waiting)))
                await inbox.get(timeout=max(due - loop.time(), 0.0))

    async def look(self, began: datetime) -> list[int]:
        """Look once at everything that waits. Answers the numbers of the tasks that were given to machines."""
        due, waiting = await self._db.read(_both, began)
        for task_id in due:
            await self._alone("task_not_tended", silence.tend, task_id, began)
        await self._hear(began)
        if due:
            waiting = await self._db.read(dispatch.waiting)
        return await self.give(waiting)

    async def give(self, waiting: Iterable[int]) -> list[int]:
        """Choose machines for what waits in these organizations. Answers the numbers of the tasks that got one."""
        given: list[int] = []
        for organization_id in waiting:
            seats = seated(self.seats())
            given += await self._alone("tasks_not_dispatched", dispatch.dispatch, organization_id, seats) or []
        return given

    async def _hear(self, began: datetime) -> None:
        """Tell of machines that nothing is heard of any more, and end tunnels that none has begun: that takes its time,
        and is looked for now and then.
        """
        now = self._db.clock.monotonic()
        if now < self._outages_due:
            return
        self._outages_due = now + OUTAGE_SECONDS
        for task_id in await self._db.read(tunnels.unbegun):
            await self._alone("tunnel_not_ended", tunnels.not_begun, task_id)
        for uid in await self._db.read(outages.silent, began, heartbeat_timeout):
            await self._alone("outage_not_told", outages.tell_offline, uid, began, heartbeat_timeout)

    async def _alone(self, failed: str, verb: Callable[..., Any], about: int | str, *rest: Any) -> Any:
        """One task, organization or machine that cannot be helped keeps nobody else waiting, and does not begin `run`
        anew, which would forget for how long the others have been silent. A database that fails does: it fails for all.
        """
        try:
            return await self._db.write(verb, about, *rest)
        except Problem as problem:
            if of_storage(problem):
                raise
            log.info(failed, about=about, code=problem.code)
        except Exception as error:
            if of_storage(error):
                raise
            log.exception(failed, about=about)
        return None

    async def speak(self) -> None:
        """Bring words to running attempts."""
        with self._db.bus.subscribe(TELL) as inbox:
            while True:
                message = await inbox.get()
                if message is None:
                    continue
                job_id, kind, data = message.payload
                with contextlib.suppress(Problem, OSError):
                    await self._ledger.tell(job_id, kind, data)


async def beside(work: Dispatching) -> None:
    """Both halves; the end of one is the end of the other."""
    async with asyncio.TaskGroup() as group:
        group.create_task(work.run())
        group.create_task(work.speak())


def _both(tx: Tx, began: datetime) -> tuple[list[int], list[int]]:
    """What has to be tended, and who waits, in one look: mostly there is neither."""
    return list(silence.due(tx, began)), list(dispatch.waiting(tx))
