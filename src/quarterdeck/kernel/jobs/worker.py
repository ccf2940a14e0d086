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
from quarterdeck.kernel.jobs.attempt import Attempt
from quarterdeck.kernel.jobs.handlers import WorkerRun
from quarterdeck.kernel.jobs.refusals import fenced
from quarterdeck.kernel.jobs.transport import Disconnected, Transport

UNACKED_LOGS = 2_000
"""Batches of output kept while the server is away; older ones are dropped."""
log = structlog.get_logger("quarterdeck.worker")


class Spool(Protocol):
    """Where ends of attempts wait on disk until the server has them."""

    def load(self) -> list[frames.JobResult]: ...

    def keep(self, frame: frames.JobResult) -> None: ...

    def drop(self, frame: frames.JobResult) -> None: ...


class NoSpool:
    def load(self) -> list[frames.JobResult]:
        return []

    def keep(self, frame: frames.JobResult) -> None:
        pass

    def drop(self, frame: frames.JobResult) -> None:
        pass


@dataclass(slots=True)
class _Pending:
    frame: Any
    attempt: Attempt | None
    answer: asyncio.Future[frames.Ack] | None


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
        self._frames = 0
        self._pending: dict[str, _Pending] = {}
        self._transport: Transport | None = None
        self._outbox: asyncio.Queue[Any] = asyncio.Queue()
        self._renewals: dict[str, float] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        for frame in self._spool.load():
            self._pending[frame.id] = _Pending(frame, None, None)

    # Attempts speak through these.

    async def ask(self, frame: Any, attempt: Attempt | None) -> frames.Ack:
        """Send until it is acknowledged, over as many connections as it takes."""
        answer: asyncio.Future[frames.Ack] = asyncio.get_running_loop().create_future()
        self._put(frame, _Pending(frame, attempt, answer))
        if isinstance(frame, frames.JobResult):
            self._spool.keep(frame)
        return await answer

    def tell(self, frame: Any, attempt: Attempt | None) -> None:
        """Send until it is acknowledged, without waiting for that."""
        self._put(frame, _Pending(frame, attempt, None))

    def forget(self, attempt: Attempt) -> None:
        """The attempt lost its lease: nothing of it is worth sending any more."""
        for frame_id, pending in list(self._pending.items()):
            if pending.attempt is attempt:
                del self._pending[frame_id]
                if pending.answer is not None and not pending.answer.done():
                    pending.answer.set_exception(fenced(attempt.job.id, attempt.job.fence))
                if isinstance(pending.frame, frames.JobResult):
                    self._spool.drop(pending.frame)

    def _put(self, frame: Any, pending: _Pending) -> None:
        self._name(frame)
        self._pending[frame.id] = pending
        if len(self._pending) > UNACKED_LOGS and isinstance(frame, frames.LogBatch):
            self._drop_oldest_log()
        if self._transport is not None:
            self._outbox.put_nowait(frame)

    def _drop_oldest_log(self) -> None:
        for frame_id, pending in self._pending.items():
            if isinstance(pending.frame, frames.LogBatch):
                del self._pending[frame_id]
                return

    def _name(self, frame: Any) -> Any:
        self._frames += 1
        frame.id = f"{self._boot}-{self._frames}"
        frame.ts = micros(self.clock.now()) // 1000
        return frame

    # One connection.

    async def serve(self, transport: Transport) -> None:
        """Say hello, then work until the connection ends; raises `Disconnected`. Attempts go on meanwhile."""
        self._outbox = asyncio.Queue()
        offer = self.offer
        asked_at = asyncio.get_running_loop().time()
        await transport.send(
            self._name(
                frames.Hello(
                    credential=offer.credential(),
                    name=offer.name,
                    worker_version=offer.version,
                    boot_id=self._boot,
                    fingerprint=offer.fingerprint,
                    slots=0 if self.draining else offer.slots,
                    housekeeping_slots=0 if self.draining else offer.housekeeping_slots,
                    capabilities=sorted(offer.capabilities),
                    jobs=self._held(),
                )
            )
        )
        welcome = await transport.receive()
        if not isinstance(welcome, frames.Welcome):
            await transport.close(frames.BAD_FRAME, "expected welcome")
            raise Disconnected(frames.BAD_FRAME, "expected welcome")
        self._resume(welcome, asked_at)
        self._transport = transport
        for pending in list(self._pending.values()):
            self._outbox.put_nowait(pending.frame)
        try:
            async with asyncio.TaskGroup() as group:
                sender = group.create_task(self._send(transport))
                beats = group.create_task(self._beat(welcome.heartbeat_seconds))
                try:
                    await self._receive(transport)
                finally:
                    self._transport = None
                    sender.cancel()
                    beats.cancel()
        except ExceptionGroup as failed:
            for error in failed.exceptions:
                if isinstance(error, Disconnected):
                    raise error from None
            raise
        finally:
            self._transport = None

    def _held(self) -> list[frames.HeldJob]:
        """What runs, then what has ended unreported; what a hello cannot name is given to somebody again."""
        held = [attempt.held for attempt in self.attempts.values()]
        known = {(one.job_id, one.fence) for one in held}
        for pending in self._pending.values():
            frame = pending.frame
            if isinstance(frame, frames.JobResult) and (frame.job_id, frame.fence) not in known:
                held.append(frames.HeldJob(frame.job_id, frame.fence))
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
            frame = await self._outbox.get()
            await transport.send(frame)

    async def _beat(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            frame = self._name(
                frames.Heartbeat(
                    jobs=[attempt.held for attempt in self.attempts.values()], used_slots=len(self.attempts)
                )
            )
            self._renewals = {frame.id: asyncio.get_running_loop().time()}
            self._outbox.put_nowait(frame)

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
                case frames.Ping():
                    self._outbox.put_nowait(self._name(frames.Pong()))
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
        pending = self._pending.pop(ack.ref, None)
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
            reason = "stopping" if self.draining else "unknown_kind"
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
        if self._transport is not None:
            self._outbox.put_nowait(self._name(frames.Drain()))

    async def idle(self) -> None:
        """Wait until no attempt is left."""
        await self._idle.wait()

    async def stop(self, grace: float = 5.0) -> None:
        """Take nothing more, interrupt what runs and give it back to the ledger, waiting `grace` seconds at most."""
        self.draining = True
        for attempt in list(self.attempts.values()):
            if not attempt.reporting and attempt.task is not None:
                attempt.handed_back = True
                attempt.task.cancel()
        tasks = [attempt.task for attempt in self.attempts.values() if attempt.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        for task in tasks:
            task.cancel()
