"""The ledger at work inside a process: grouped writes, the dispatcher, the in-process worker, connected sessions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
import structlog

from quarterdeck.kernel.db import Database, Tx, of_storage
from quarterdeck.kernel.jobs import finding, frames, ledger, recovery
from quarterdeck.kernel.jobs.dispatcher import Dispatcher
from quarterdeck.kernel.jobs.grouping import Grouped
from quarterdeck.kernel.jobs.handlers import (
    DELIVERY,
    SERVER,
    ServerHandlers,
    WorkerHandlers,
    WorkerRun,
    server_handlers,
    worker_handlers,
)
from quarterdeck.kernel.jobs.job import Enqueue, Job, Outcome
from quarterdeck.kernel.jobs.output import LogSink, nowhere
from quarterdeck.kernel.jobs.session import Session
from quarterdeck.kernel.jobs.transport import Disconnected, memory_pair
from quarterdeck.kernel.jobs.worker import Offer, Worker
from quarterdeck.kernel.principal import current
from quarterdeck.kernel.protocols import Apart

OWN = frozenset({SERVER})
DELIVERING = frozenset({DELIVERY})
OWN_SLOTS = 4
"""Places for the server's own kinds: mails and looks at the audit trail do not wait behind deployments."""
log = structlog.get_logger("quarterdeck.jobs")


class Jobs:
    """`owner` names this data directory (`process:<its process uid>`): at start, whatever it still holds is requeued,
    because the lock of the data directory proves the earlier process dead. What another directory's process holds comes
    back by its lease alone. While `may_claim` says no, nothing is claimed and no chore of the ledger is done: another
    process does that.
    """

    heartbeat_seconds = 3.0
    ping_seconds = 20.0

    def __init__(
        self,
        db: Database,
        *,
        owner: str,
        lines: LogSink = nowhere,
        on_worker: WorkerHandlers = worker_handlers,
        on_server: ServerHandlers = server_handlers,
        may_claim: Callable[[], bool] = lambda: True,
    ) -> None:
        self.db = db
        self.may_claim = may_claim
        self.owner = owner
        self._keep_lines = lines
        self._on_worker = on_worker
        self._on_server = on_server
        self._dispatcher = Dispatcher(self)
        self._complete = Grouped(db, ledger.complete_many)
        self._enqueue = Grouped(db, ledger.enqueue_many)
        self._record = Grouped(db, _record_many)
        self._logged: dict[tuple[int, int], int] = {}
        self.large_reports = asyncio.Semaphore(2)
        """How many of more than `frames.ORDINARY` bytes are read at a time: each byte may cost a hundred then."""
        self._tasks: list[asyncio.Task[None]] = []
        self._workers: list[Worker] = []
        self._stopping = False

    # Calls of single reports; those that wait together are written together.

    async def enqueue(self, request: Enqueue) -> Job:
        """`jobs.enqueue` in a unit of its own, grouped with others that wait."""
        if request.correlation_id is None:
            request = msgspec.structs.replace(request, correlation_id=current.get().correlation_id)
        return await self._enqueue(request)

    async def record(self, job_id: int, fence: int, number: int, kind: str, data: Any, owner: str) -> Any:
        return await self._record((job_id, fence, number, kind, data, owner))

    async def complete(
        self,
        job_id: int,
        fence: int,
        outcome: Outcome,
        *,
        owner: str | None = None,
        key: str | None = None,
        key_known: bool = True,
    ) -> bool:
        """False when the attempt no longer holds the job, or `owner` never did."""
        if not key_known:
            job = await self.db.read(finding.look, job_id)
            if job is None:
                return False
            key = job.concurrency_key
        report = ledger.Report(job_id, fence, outcome, key, owner)
        self.forget(job_id, fence)
        try:
            return await self._complete(report) is not None
        except Exception as error:
            if of_storage(error):
                raise  # the attempt ended as it says; its worker tells it again
            log.exception("finish_failed", job=job_id)
        told = "The result could not be applied.\nSee the server's log, and report it with a support bundle."
        failed = Outcome("failed", error_code="job_finish_failed", error_message=told, error_category="infra")
        return await self.db.write(ledger.end_anyhow, ledger.Report(job_id, fence, failed, key, owner))

    async def keep_lines(self, frame: frames.LogBatch, stream: str) -> None:
        """Store a batch once: a repeated one, after a lost connection, is cut where it is known. Where its worker had
        to drop some before it, that is said.
        """
        place = (frame.job_id, frame.fence)
        known = self._logged.get(place, 0)
        fresh = frame.lines[max(known + 1 - frame.from_seq, 0) :]
        if fresh and 0 < known < frame.from_seq - 1:
            told = f"{frame.from_seq - 1 - known} lines were dropped here: more was written than could be sent."
            fresh = [frames.LogLine(fresh[0].time, told, "system", "quarterdeck", fresh[0].phase, "warn"), *fresh]
        if fresh:
            self._logged[place] = frame.from_seq + len(frame.lines) - 1
            await self._keep_lines(stream, fresh)

    def forget(self, job_id: int, fence: int) -> None:
        """An attempt is over: no more lines of it are stored."""
        self._logged.pop((job_id, fence), None)

    async def forget_ended(self) -> None:
        """Forget attempts that ended without a report: their leases lapsed, or their workers came back without them."""
        places = list(self._logged)
        running = await self.db.read(recovery.running, places) if places else set()
        for place in places:
            if place not in running:
                self.forget(*place)

    async def tell(self, job_id: int, kind: str, data: Any = None) -> None:
        """Say something to the running attempt of a job (`context.told`). It may not arrive: the worker may be away, or
        connected to another process, so whoever waits for it asks again by a report.
        """
        for session in self.sessions:
            if session.holds(job_id):
                with contextlib.suppress(Disconnected):
                    await session.tell(job_id, kind, msgspec.to_builtins(data))

    async def wait(self, job_id: int, seconds: float) -> Job:
        """The job once it has ended, or as it stands after `seconds`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        with self.db.bus.subscribe(ledger.topic(job_id)) as inbox:
            while True:
                job = await self.db.read(finding.get, job_id)
                left = until - loop.time()
                if job.ended or left <= 0:
                    return job
                await inbox.get(min(left, 5.0))

    # Sessions.

    @property
    def sessions(self) -> Sequence[Session]:
        return tuple(self._dispatcher.sessions)

    def attach(self, session: Session) -> None:
        session.draining = session.draining or self._stopping
        self._dispatcher.sessions.append(session)
        self.wake()

    def detach(self, session: Session) -> None:
        if session in self._dispatcher.sessions:
            self._dispatcher.sessions.remove(session)

    def wake(self) -> None:
        self.db.bus.publish(ledger.WAKE)

    # The life of the process.

    async def start(
        self,
        instance: Any = None,
        *,
        capabilities: frozenset[str] = frozenset(),
        slots: int = 2,
        housekeeping_slots: int = 2,
        worker: bool = True,
        apart: Mapping[str, Apart] = MappingProxyType({}),
    ) -> None:
        """Requeue what the dead process held, start dispatching, and the in-process workers: one for the server's own
        kinds, which has its own places, one with a single place for the delivery of events, so that nobody is told late
        because housekeeping looks at servers, and with `worker` one for the work that any worker may do, and one for
        each capability of `apart`, which has places of its own: its long work and the rest never wait for each
        other.
        """
        self._stopping = False
        offers = [
            (f"{self.owner}/own", Offer("server", OWN, OWN_SLOTS, housekeeping_slots), OWN),
            (f"{self.owner}/delivery", Offer("server", OWN | DELIVERING, 0, 1), DELIVERING),
        ]
        if worker:
            offers.append((self.owner, Offer("server", capabilities, slots, housekeeping_slots), frozenset()))
            for name, kept in apart.items():
                only = frozenset({name})
                offers.append((f"{self.owner}/{name}", Offer("server", only | kept.parts, kept.places, 0), only))
        for owner in {self.owner, *(f"{self.owner}/{name}" for name in ("own", "delivery", *apart))}:
            await self.db.write(recovery.requeue_abandoned, owner)
        self._tasks.append(asyncio.create_task(self._dispatcher.run(), name="dispatcher"))
        for owner, offer, needs in offers:
            hosted = Worker(offer, self._find, instance=instance, clock=self.db.clock, ids=self.db.ids)
            self._workers.append(hosted)
            self._tasks.append(asyncio.create_task(self._host(hosted, owner, needs), name="worker"))

    def _find(self, kind: str) -> WorkerRun | None:
        return self._on_worker.find(kind) or self._on_server.find(kind)

    async def _host(self, worker: Worker, owner: str, needs: frozenset[str]) -> None:
        while True:
            near, far = memory_pair()
            serving = asyncio.create_task(worker.serve(near))
            try:
                hello = await far.receive()
                assert isinstance(hello, frames.Hello)  # noqa: S101 - it is our own worker
                await Session(
                    self,
                    far,
                    hello,
                    owner=owner,
                    capabilities=worker.offer.capabilities,
                    worker_uid="server",
                    needs=needs,
                ).run()
            except Disconnected:
                log.debug("in_process_session_ended")
            except Exception:
                # A database that is full or away for a while must not leave the server without its worker.
                log.exception("in_process_session_failed")
            finally:
                await far.close()
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)
            await asyncio.sleep(0.2)

    @property
    def stop_seconds(self) -> float:
        """How long what runs in this process may take to end, as it has said; 0 where nothing has said so."""
        return max((worker.stop_seconds for worker in self._workers), default=0.0)

    async def stop(self, grace: float = 5.0) -> None:
        """Give back what runs in this process, tell remote workers, end the dispatcher. Takes `grace` seconds at most,
        or `stop_seconds` where they are more.
        """
        self._stopping = True
        for session in self.sessions:
            session.draining = True
        await asyncio.gather(*(worker.stop(grace) for worker in self._workers))
        for session in self.sessions:
            await session.close(frames.RESTARTING, "server restart")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._workers.clear()


def _record_many(tx: Tx, items: Sequence[tuple[int, int, int, str, Any, str]]) -> list[Any]:
    return [ledger.record(tx, *item) for item in items]
