"""The worker loop: the same in the server's process and behind a WebSocket, over whatever transport it is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from quarterdeck.kernel.clock import Clock, SystemClock, micros
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.jobs.attempt import Attempt, fitting
from quarterdeck.kernel.jobs.handlers import WorkerRun
from quarterdeck.kernel.jobs.outbox import BATCH, Outbox, Pending
from quarterdeck.kernel.jobs.refusals import fenced
from quarterdeck.kernel.jobs.transport import Disconnected, Transport

ABANDON = 60.0
"""Seconds that attempts may take to end what they had begun."""
RESTING_BEATS = 5
"""A worker that holds nothing has nothing to renew: of so many heartbeats it sends one."""
WELCOME = 60.0
"""Seconds that a server may take to say welcome: one that keeps the line alive and says nothing is dialled again."""
log = structlog.get_logger("quarterdeck.worker")


class Spool(Protocol):
    """Where ends of attempts wait on disk until the server has them."""

    def load(self) -> list[frames.JobResult]: ...

    async def keep(self, frame: frames.JobResult) -> None:
        """On disk when it returns."""
        ...

    def drop(self, frame: frames.JobResult) -> None:
        """After whatever `keep` was asked before, finished or not."""
        ...


class NoSpool:
    def load(self) -> list[frames.JobResult]:
        return []

    async def keep(self, frame: frames.JobResult) -> None:
        pass

    def drop(self, frame: frames.JobResult) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Offer:
    """What a worker brings: its hello without the jobs."""

    name: str
    capabilities: frozenset[str]
    slots: int
    housekeeping_slots: int = 1
    credential: Callable[[], str | None] = lambda: None
    version: str = ""
    fingerprint: str = ""
    about: Callable[[], Any] = lambda: None
    """What it says of its machine at each hello."""
    measured: Callable[[], dict[str, Any]] = dict
    """Fields of a heartbeat besides what it holds."""


class Worker:
    """Holds running attempts over any number of connections. `serve` lives as long as one connection."""

    def __init__(
        self,
        offer: Offer,
        find: Callable[[str], WorkerRun | None],
        *,
        instance: Any = None,
        spool: Spool | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
        log_seconds: float = 0.1,
    ) -> None:
        self.offer = offer
        self.clock = clock or SystemClock()
        self.log_seconds = log_seconds
        self.draining = False
        self.dismissed = False
        self.attempts: dict[tuple[int, int], Attempt] = {}
        self._find = find
        self._instance = instance
        self._spool: Spool = spool or NoSpool()
        self._boot = (ids or Ids(self.clock)).hex(12)
        self._frames = self._hellos = 0
        self._outbox = Outbox()
        self._connected = False
        self._renewals: dict[str, float] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        for frame in self._spool.load():
            self._outbox.keep(Pending(fitting(frame)))

    # Attempts speak through these.

    async def ask(self, frame: Any, attempt: Attempt | None) -> frames.Ack:
        """Send until it is acknowledged, over as many connections as it takes; an end is on disk before."""
        self._name(frame)
        if isinstance(frame, frames.JobResult):
            try:
                await self._spooled(frame)
            except asyncio.CancelledError:  # nobody waits for it any more, and it is told all the same
                self._outbox.keep(Pending(frame))
                raise
        answer: asyncio.Future[frames.Ack] = asyncio.get_running_loop().create_future()
        self._outbox.keep(Pending(frame, attempt, answer))
        return await answer

    async def _spooled(self, frame: frames.JobResult) -> None:
        try:
            await self._spool.keep(frame)
        except OSError as error:  # a full disk keeps nobody from telling the server
            log.warning("result_not_spooled", job=frame.job_id, reason=error.strerror)

    def tell(self, frame: Any, attempt: Attempt | None, size: int = 0) -> None:
        """Send until it is acknowledged, without waiting for that. Output says its size in bytes."""
        self._outbox.keep(Pending(self._name(frame), attempt, None, size + BATCH if size else 0))

    async def room(self) -> None:
        """Wait until the server has caught up with what was told."""
        await self._outbox.room()

    def forget(self, attempt: Attempt) -> None:
        """The attempt lost its lease: but for its end, nothing of it is worth sending any more."""
        for pending in self._outbox.forget(attempt):
            if pending.answer is not None and not pending.answer.done():
                pending.answer.set_exception(fenced(attempt.job.id, attempt.job.fence))

    def _name(self, frame: Any) -> Any:
        self._frames += 1
        frame.id = f"{self._boot}-{self._frames}"
        frame.ts = micros(self.clock.now()) // 1000
        return frame

    # One connection.

    async def serve(self, transport: Transport) -> None:
        """Say hello, then work until the connection ends; raises `Disconnected`. Attempts go on meanwhile."""
        offer = self.offer
        asked_at = asyncio.get_running_loop().time()
        self._hellos += 1
        await transport.send(
            self._name(
                frames.Hello(
                    credential=offer.credential(),
                    name=offer.name,
                    worker_version=offer.version,
                    boot_id=self._boot,
                    dialled=self._hellos,
                    fingerprint=offer.fingerprint,
                    slots=0 if self.draining else offer.slots,
                    housekeeping_slots=0 if self.draining else offer.housekeeping_slots,
                    capabilities=sorted(offer.capabilities),
                    jobs=self._held(),
                    about=offer.about(),
                )
            )
        )
        try:
            async with asyncio.timeout(WELCOME):
                welcome = await transport.receive()
        except TimeoutError:
            await transport.close(frames.SILENT, "no welcome")
            raise Disconnected(frames.SILENT, "the server said no welcome") from None
        if not isinstance(welcome, frames.Welcome):
            await transport.close(frames.BAD_FRAME, "expected welcome")
            raise Disconnected(frames.BAD_FRAME, "expected welcome")
        self._resume(welcome, asked_at)
        self._connected = True
        self._outbox.connect()
        try:
            async with asyncio.TaskGroup() as group:
                sender = group.create_task(self._send(transport))
                beats = group.create_task(self._beat(welcome.heartbeat_seconds))
                try:
                    await self._receive(transport)
                finally:
                    self._connected = False
                    sender.cancel()
                    beats.cancel()
        except ExceptionGroup as failed:
            for error in failed.exceptions:
                if isinstance(error, Disconnected):
                    raise error from None
            raise
        finally:
            self._connected = False

    def _held(self) -> list[frames.HeldJob]:
        """What runs, then what has ended unreported; what a hello cannot name is given to somebody again."""
        held = [attempt.held for attempt in self.attempts.values()]
        known = {(one.job_id, one.fence) for one in held}
        held += [
            frames.HeldJob(frame.job_id, frame.fence)
            for frame in self._outbox.results()
            if (frame.job_id, frame.fence) not in known
        ]
        return held[: frames.MOST_HELD]

    def _resume(self, welcome: frames.Welcome, asked_at: float) -> None:
        for one in welcome.lost:
            attempt = self.attempts.get((one.job_id, one.fence))
            if attempt is not None:
                attempt.lose()
        for attempt in self.attempts.values():
            attempt.renewed(asked_at)
        for one in welcome.cancel:
            attempt = self.attempts.get((one.job_id, one.fence))
            if attempt is not None:
                attempt.cancel("", 10.0)

    async def _send(self, transport: Transport) -> None:
        while True:
            await transport.send(await self._outbox.next())

    async def _beat(self, seconds: float) -> None:
        """The first soon after the welcome; one soon after the last attempt has ended, too."""
        rested = RESTING_BEATS
        while True:
            await asyncio.sleep(seconds)
            rested += 1
            if not self.attempts and rested < RESTING_BEATS:
                continue
            rested = RESTING_BEATS if self.attempts else 0
            frame = self._name(
                frames.Heartbeat(
                    jobs=[attempt.held for attempt in self.attempts.values()],
                    used_slots=len(self.attempts),
                    **self.offer.measured(),
                )
            )
            self._renewals = {frame.id: asyncio.get_running_loop().time()}
            self._outbox.once(frame)

    async def _receive(self, transport: Transport) -> None:
        while True:
            frame = await transport.receive()
            match frame:
                case frames.Ack():
                    self._acknowledged(frame)
                case frames.JobAssign():
                    self._start(frame)
                case frames.JobCancel():
                    attempt = self.attempts.get((frame.job_id, frame.fence))
                    if attempt is not None:
                        attempt.cancel(frame.reason, frame.grace_sec)
                case frames.JobTell():
                    attempt = self.attempts.get((frame.job_id, frame.fence))
                    if attempt is not None:
                        attempt.hear(frame.kind, frame.data)
                case frames.Ping():
                    self._outbox.once(self._name(frames.Pong()))
                case frames.Drain() | frames.Undrain():
                    self.draining = isinstance(frame, frames.Drain)
                case frames.Shutdown():
                    self.draining = self.dismissed = True
                case _:
                    log.debug("frame_ignored", type=type(frame).__name__)

    def _acknowledged(self, ack: frames.Ack) -> None:
        beaten = self._renewals.pop(ack.ref, None)
        if beaten is not None:
            self._renewed(ack, beaten)
            return
        pending = self._outbox.settle(ack.ref)
        if pending is None:
            return
        if isinstance(pending.frame, frames.JobResult):
            self._spool.drop(pending.frame)
        if pending.answer is not None and not pending.answer.done():
            pending.answer.set_result(ack)

    def _renewed(self, ack: frames.Ack, at: float) -> None:
        told = ack.reply or {}
        lost, stopping = set(told.get("lost", ())), set(told.get("cancel", ()))
        for attempt in list(self.attempts.values()):
            if attempt.job.id in lost:
                attempt.lose()
                continue
            attempt.renewed(at)
            if attempt.job.id in stopping:
                attempt.cancel("", 10.0)

    def _start(self, assigned: frames.JobAssign) -> None:
        place = (assigned.job_id, assigned.fence)
        if place in self.attempts:
            return
        handler = None if self.draining else self._find(assigned.kind)
        if handler is None:
            reason = "stopping" if self.draining else frames.UNKNOWN_KIND
            self.tell(frames.JobReject(job_id=assigned.job_id, fence=assigned.fence, reason=reason), None)
            return
        attempt = Attempt(self, assigned)
        self.attempts[place] = attempt
        self._idle.clear()
        attempt.task = asyncio.create_task(attempt.run(handler, self._instance), name=f"job-{assigned.kind}")
        attempt.task.add_done_callback(lambda task: self._ended(place, task))

    def _ended(self, place: tuple[int, int], task: asyncio.Task[None]) -> None:
        self.attempts.pop(place, None)
        if not self.attempts:
            self._idle.set()
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, Exception):
            log.error("attempt_ended_badly", reason=type(error).__name__)

    # Stopping.

    def drain(self) -> None:
        """Take nothing more; what runs goes on."""
        self.draining = True
        if self._connected:
            self._outbox.once(self._name(frames.Drain()))

    async def idle(self) -> None:
        """Wait until no attempt is left."""
        await self._idle.wait()

    async def abandon(self) -> None:
        """The server has ended this worker: what runs counts no longer, is ended at once, and told to nobody."""
        self.draining = True
        tasks = [attempt.task for attempt in self.attempts.values() if attempt.task is not None]
        for attempt in list(self.attempts.values()):
            attempt.lose()
        if tasks:
            await asyncio.wait(tasks, timeout=ABANDON)
        self.draining = False

    @property
    def stop_seconds(self) -> float:
        """How long what runs here may take to end, as it has said."""
        return max((attempt.stop_seconds for attempt in self.attempts.values()), default=0.0)

    async def stop(self, grace: float = 5.0) -> None:
        """Take nothing more, interrupt what runs and give it back to the ledger, waiting `grace` seconds at most, or as
        long as something that runs has said to need.
        """
        self.draining = True
        grace = max(grace, self.stop_seconds)
        for attempt in list(self.attempts.values()):
            if not attempt.reporting and attempt.task is not None:
                attempt.handed_back = not attempt.canceled.is_set()
                if attempt.handed_back or not attempt.stop_seconds:  # who was canceled is at its end already
                    attempt.task.cancel()
        tasks = [attempt.task for attempt in self.attempts.values() if attempt.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        for task in tasks:
            task.cancel()
