"""One for each process: claims for all free slots at once, and does the ledger's own chores."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Tx, of_storage
from quarterdeck.kernel.jobs import ledger, operating, recovery, schedules
from quarterdeck.kernel.jobs.session import Session
from quarterdeck.kernel.jobs.transport import Disconnected

if TYPE_CHECKING:
    from quarterdeck.kernel.jobs.service import Jobs

POLL = 1.0
log = structlog.get_logger("quarterdeck.jobs")


CHORES = (recovery.requeue_lapsed, recovery.wake_parked, schedules.fire_due)


def chores(tx: Tx) -> int:
    """Requeue lapsed leases, wake parked jobs, fire due schedules. Answers how much was done. One that fails for
    another reason than the database is logged, and undoes nothing of the others.
    """
    done = 0
    for chore in CHORES:
        try:
            with tx.savepoint():
                done += chore(tx)
        except Exception as error:
            if of_storage(error):
                raise
            log.exception("chore_failed", chore=chore.__name__)
    return done


def due(tx: Tx) -> bool:
    """Is there a chore? A read, so that an idle ledger writes nothing."""
    now = micros(tx.now)
    return (
        tx.execute(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM jobs WHERE lease_until <= :now) "
            "OR EXISTS (SELECT 1 FROM jobs WHERE wake_at <= :now) "
            "OR EXISTS (SELECT 1 FROM job_schedules WHERE next_due_at <= :now)",
            {"now": now},
        ).first()
        is not None
    )


class Dispatcher:
    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self.sessions: list[Session] = []

    async def run(self) -> None:
        """Until canceled. Woken by the bus, and every second without it."""
        loop = asyncio.get_running_loop()
        with self._jobs.db.bus.subscribe(ledger.WAKE) as inbox:
            polled = 0.0
            while True:
                try:
                    if loop.time() - polled >= POLL:
                        polled = loop.time()
                        while await self._chores():
                            pass
                except Exception:
                    log.exception("chores_failed")  # what waits is claimed all the same
                try:
                    while await self._claim():
                        pass
                except Exception:
                    log.exception("dispatch_failed")
                    await asyncio.sleep(POLL)
                first = await inbox.get(max(POLL - (loop.time() - polled), 0.01))
                if first is not None:
                    await self._tell([first.payload, *(message.payload for message in inbox.drain())])

    async def _chores(self) -> bool:
        """Do what is due, unless another server does it; true when there may be more."""
        if not self._jobs.may_claim() or not await self._jobs.db.read(due):
            return False
        done = await self._jobs.db.write(chores)
        await self._jobs.forget_ended()
        return done >= recovery.BATCH

    async def _claim(self) -> bool:
        """Claim what fits now; true when another round may bring more. Mostly nothing waits, or something for one of
        many workers: that is looked at first, so that the others cost nothing and no change is begun for them.
        """
        if not self._jobs.may_claim() or not self.sessions:
            return False
        waiting = await self._jobs.db.read(ledger.waiting)
        concerned = (session for session in self.sessions if session.takes_of(waiting))
        asked = [(session, claimant) for session in concerned for claimant in session.claimants()]
        if not asked:
            return False
        given = await self._jobs.db.write(ledger.claim_for_all, [claimant for _, claimant in asked])
        for (session, _), assignments in zip(asked, given, strict=True):
            for assignment in assignments:
                try:
                    await session.assign(assignment)
                except Disconnected:
                    await self._jobs.db.write(ledger.hand_back, assignment.job.id, assignment.job.fence)
        return any(given)

    async def _tell(self, payloads: Sequence[object]) -> None:
        for payload in payloads:
            if not isinstance(payload, str) or not payload.startswith(operating.CANCEL):
                continue
            job_id = int(payload.removeprefix(operating.CANCEL))
            for session in self.sessions:
                if session.holds(job_id):
                    try:
                        await session.stop_job(job_id, "")
                    except Disconnected:
                        log.debug("cancel_not_told", job=job_id)
