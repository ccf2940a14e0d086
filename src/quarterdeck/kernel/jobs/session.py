"""The server's end of one connected worker: it claims for it, pushes work to it, and keeps what it reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Tx, of_storage
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.jobs import frames, ledger, recovery
from quarterdeck.kernel.jobs.job import Job, Lane
from quarterdeck.kernel.jobs.refusals import Fenced, fenced
from quarterdeck.kernel.jobs.routes import Waiting, route
from quarterdeck.kernel.jobs.transport import Disconnected, Transport

if TYPE_CHECKING:
    from quarterdeck.kernel.jobs.service import Jobs

WORK: tuple[Lane, ...] = ("urgent", "normal", "background")
HOUSEKEEPING: tuple[Lane, ...] = ("housekeeping",)
SILENCE = 60.0
PUSH = 3.0
"""Seconds that a worker may take to read what it is given."""
OPEN_REPORTS = 16
"""Reports, ends, rejections and heartbeats of one worker that are kept at the same time; the next frame is read once
there is a place.
"""
log = structlog.get_logger("quarterdeck.jobs")


@dataclass(slots=True)
class _Given:
    """An attempt that this worker holds, as far as this process knows."""

    fence: int
    housekeeping: bool
    kind: str = ""
    subject: str | None = None
    key: str | None = None


class Seat(msgspec.Struct, frozen=True):
    """What a connected worker could take now. `worker_id` is None for the one inside of the server."""

    worker_id: int | None
    capabilities: frozenset[str]
    draining: bool
    slots: int
    free: int
    housekeeping_slots: int
    housekeeping_free: int
    organization_id: int | None = None
    """Whose worker it is; the one inside of the server works for everybody."""
    confined: frozenset[str] = frozenset()

    def serves(self, organization_id: int | None) -> bool:
        """Whether a job of this organization may come here at all."""
        return self.worker_id is None or self.organization_id == organization_id

    def able(self, job: Job) -> bool:
        """Whether it may be given a job, whatever room it has now."""
        waiting = Waiting([route(job.requires, job.worker_id, job.organization_id)])
        usable = waiting.usable(
            self.capabilities, self.worker_id, frozenset(), self.organization_id, confined=self.confined
        )
        return bool(usable)

    def room(self, lane: str) -> tuple[int, int]:
        """Places for a lane, and how many of them are free."""
        if lane in HOUSEKEEPING:
            return self.housekeeping_slots, self.housekeeping_free
        return self.slots, self.free


class Session:
    """Made after the worker has proved who it is. `run` lives as long as the connection."""

    def __init__(
        self,
        jobs: Jobs,
        transport: Transport,
        hello: frames.Hello,
        *,
        owner: str,
        capabilities: frozenset[str],
        worker_id: int | None = None,
        worker_uid: str = "",
        organization_id: int | None = None,
        draining: bool = False,
        needs: frozenset[str] = frozenset(),
        on_heartbeat: Callable[[frames.Heartbeat], None] | None = None,
    ) -> None:
        self.owner = owner
        self.worker_id = worker_id
        self.worker_uid = worker_uid
        self.organization_id = organization_id
        self.capabilities = capabilities
        self.draining = draining
        self.leaving = False
        """It has said that it takes nothing more and goes once its work is done."""
        self.needs = needs
        self.confined: frozenset[str] = frozenset()
        """Labels that what it takes has to bear, unless that is pinned to it."""
        self._unknown: set[str] = set()
        """Kinds that it has given back, since its program has nothing for them: it would do so for ever."""
        self.boot_id, self.dialled = hello.boot_id, hello.dialled
        self._jobs = jobs
        self._transport = transport
        self._hello = hello
        self._slots, self._housekeeping_slots = hello.slots, hello.housekeeping_slots
        self._given: dict[int, _Given] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._open_reports = asyncio.Semaphore(OPEN_REPORTS)
        self._sent = 0
        self._heard = 0.0
        self._on_heartbeat = on_heartbeat
        self._welcomed = False

    @property
    def seat(self) -> Seat:
        """Housekeeping has slots of its own, so neither starves the other."""
        busy = sum(given.housekeeping for given in self._given.values()) if self._given else 0
        return Seat(
            self.worker_id,
            self.capabilities,
            self.draining,
            self._slots,
            self._slots - (len(self._given) - busy),
            self._housekeeping_slots,
            self._housekeeping_slots - busy,
            self.organization_id,
            self.confined,
        )

    def takes_of(self, waiting: Waiting) -> bool:
        """Whether something may wait for this worker."""
        return bool(waiting) and bool(self._claimant(WORK, 0).usable(waiting))

    def claimants(self) -> list[ledger.Claimant]:
        """What it may be given now."""
        if self.draining:
            return []
        seat = self.seat
        pools = ((WORK, seat.free), (HOUSEKEEPING, seat.housekeeping_free))
        return [self._claimant(lanes, free) for lanes, free in pools if free > 0]

    def _claimant(self, lanes: tuple[Lane, ...], free: int) -> ledger.Claimant:
        return ledger.Claimant(
            self.owner,
            self.capabilities,
            lanes,
            free,
            self.worker_id,
            self.needs,
            self.organization_id,
            self.confined,
            unknown=frozenset(self._unknown),
        )

    def resize(self, slots: int) -> None:
        """How many jobs it may hold from now on; what it holds beyond them goes on."""
        if slots > self._slots:
            self._jobs.wake()
        self._slots = slots

    def holds(self, job_id: int) -> bool:
        return job_id in self._given

    async def send(self, frame: Any) -> None:
        self._sent += 1
        frame.id = frame.id or f"s-{self._sent}"
        frame.ts = micros(self._jobs.db.clock.now()) // 1000
        await self._transport.send(frame)

    async def assign(self, assignment: ledger.Assignment) -> None:
        """Push a claimed job; raises `Disconnected`. One dispatcher serves everybody, so a worker that does not read is
        let go soon.
        """
        job = assignment.job
        self._given[job.id] = _Given(job.fence, job.lane in HOUSEKEEPING, job.kind, job.subject, job.concurrency_key)
        frame = frames.JobAssign(
            job_id=job.id,
            uid=job.uid,
            kind=job.kind,
            fence=job.fence,
            attempt=job.attempts,
            lease_seconds=job.lease_seconds,
            subject=job.subject,
            order=msgspec.Raw(assignment.order),
        )
        await self._push(frame)

    async def _push(self, frame: Any) -> None:
        """Send what others wait for; raises `Disconnected`. A worker that does not read it is let go."""
        try:
            async with asyncio.timeout(PUSH):
                await self.send(frame)
        except TimeoutError:
            self.draining = True
            self._aside(self._transport.close(frames.SILENT, "too slow"))
            raise Disconnected(frames.SILENT, "too slow") from None

    async def stop_job(self, job_id: int, reason: str) -> None:
        given = self._given.get(job_id)
        if given is not None:
            await self._push(frames.JobCancel(job_id=job_id, fence=given.fence, reason=reason))

    async def tell(self, job_id: int, kind: str, data: Any) -> None:
        """Say something to an attempt that runs here; nothing when none does."""
        given = self._given.get(job_id)
        if given is not None:
            await self._push(frames.JobTell(job_id=job_id, fence=given.fence, kind=kind, data=data))

    async def drain(self) -> None:
        """Whoever is not welcomed yet is told after that: a worker lets go of a server that begins otherwise."""
        self.draining = True
        if self._welcomed:
            await self._push(frames.Drain())

    async def undrain(self) -> None:
        self.draining = False
        if self._welcomed:
            await self._push(frames.Undrain())
        self._jobs.wake()

    async def close(self, code: int, reason: str = "") -> None:
        await self._transport.close(code, reason)

    async def run(self) -> None:
        """Take up what the worker still runs, welcome it, listen until it goes."""
        self._heard = asyncio.get_running_loop().time()
        held = [(one.job_id, one.fence) for one in self._hello.jobs]
        adopted, stopping, returned = await self._jobs.db.write(_take_up, self.owner, held)
        for job in adopted:
            self._given[job.id] = _Given(
                job.fence, job.lane in HOUSEKEEPING, job.kind, job.subject, job.concurrency_key
            )
        if returned:
            log.info("attempts_not_resumed", worker=self.worker_uid, count=returned)
            await self._jobs.forget_ended()
        kept = set(self._given)
        await self.send(
            frames.Welcome(
                server_time=micros(self._jobs.db.clock.now()) // 1000,
                worker=self.worker_uid,
                heartbeat_seconds=self._jobs.heartbeat_seconds,
                lost=[one for one in self._hello.jobs if one.job_id not in kept],
                cancel=[one for one in self._hello.jobs if one.job_id in stopping],
            )
        )
        self._welcomed = True
        if self.draining:
            await self.send(frames.Drain())
        self._jobs.attach(self)
        watch = asyncio.create_task(self._watch_silence())
        try:
            while True:
                frame = await self._transport.receive()
                self._heard = asyncio.get_running_loop().time()
                await self._handle(frame)
        except Disconnected as gone:
            log.info("worker_gone", worker=self.worker_uid, owner=self.owner, code=gone.code)
        finally:
            watch.cancel()
            self._jobs.detach(self)

    async def _watch_silence(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(Disconnected):  # who listens hears of it, too
            while (quiet := loop.time() - self._heard) < SILENCE:
                await asyncio.sleep(min(SILENCE - quiet, self._jobs.ping_seconds))
                if loop.time() - self._heard >= self._jobs.ping_seconds:
                    await self.send(frames.Ping())
            await self._transport.close(frames.SILENT, "silent")

    async def _handle(self, frame: Any) -> None:
        match frame:
            case frames.JobRecord():
                if not self._has(frame.job_id, frame.fence):
                    await self._ack(frame.id, problem=fenced(frame.job_id, frame.fence))
                    return
                await self._beside(self._record, frame)
            case frames.JobResult():
                await self._beside(self._result, frame)
            case frames.JobReject():
                await self._beside(self._reject, frame)
            case frames.Heartbeat():
                await self._beside(self._heartbeat, frame)
            case frames.LogBatch():
                await self._logs(frame)
            case frames.Ping():
                await self.send(frames.Pong())
            case frames.Drain() | frames.Shutdown():
                self.draining = self.leaving = True
            case frames.JobAccept() | frames.Pong() | frames.Ack():
                pass
            case _:
                await self._transport.close(frames.BAD_FRAME, f"unexpected {type(frame).__name__}")

    def _has(self, job_id: int, fence: int) -> bool:
        given = self._given.get(job_id)
        return given is not None and given.fence == fence

    async def _beside(self, keep: Callable[[Any], Coroutine[Any, Any, None]], frame: Any) -> None:
        """Reports of different jobs do not wait for each other; those of one job are awaited by their sender. Whoever
        says more than is kept waits to be heard. What has a place waits for no other one's.
        """
        await self._open_reports.acquire()
        self._aside(keep(frame)).add_done_callback(lambda _: self._open_reports.release())

    def _aside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Disconnected:
            pass
        except Exception:
            # Not acknowledged, so the worker sends it again over its next connection.
            log.exception("report_not_kept", worker=self.worker_uid, owner=self.owner)
            await self._transport.close(1011, "report not kept")

    async def _ack(self, ref: str, reply: Any = None, problem: Problem | None = None) -> None:
        error = None if problem is None else frames.Failure(problem.code, problem.message)
        await self.send(frames.Ack(ref=ref, reply=reply, error=error))

    async def _record(self, frame: frames.JobRecord) -> None:
        try:
            async with self._jobs.large_reports if len(frame.data) > frames.ORDINARY else nullcontext():
                data = _read(frame)
                reply = await self._jobs.record(frame.job_id, frame.fence, frame.number, frame.kind, data, self.owner)
        except Exception as error:
            if of_storage(error):
                raise
            if not isinstance(error, Problem):
                # Sent again it would fail again, and take the connection and its other jobs along each time.
                log.exception("report_not_applied", worker=self.worker_uid, job=frame.job_id, kind=frame.kind)
            told = error if isinstance(error, Problem) else Problem("The server could not apply a report of the job.")
            if isinstance(error, Fenced):
                await self._dropped(frame.job_id, frame.fence)
            await self._ack(frame.id, problem=told)
            return
        await self._ack(frame.id, reply)

    async def _dropped(self, job_id: int, fence: int) -> None:
        """The place of an attempt that the ledger has taken away is free: its worker hears of it, and drops it, too."""
        place = (job_id, fence)
        if self._has(*place) and place not in await self._jobs.db.read(recovery.running, [place]):
            self._given.pop(job_id, None)
            self._jobs.wake()

    async def _result(self, frame: frames.JobResult) -> None:
        given = self._given.get(frame.job_id)
        known = given is not None and given.fence == frame.fence
        key = given.key if given is not None and known else None
        ended = await self._jobs.complete(
            frame.job_id, frame.fence, frame.outcome, owner=self.owner, key=key, key_known=known
        )
        if known:
            self._given.pop(frame.job_id, None)
            self._jobs.wake()
        await self._ack(frame.id, problem=None if ended else fenced(frame.job_id, frame.fence))

    async def _reject(self, frame: frames.JobReject) -> None:
        given = self._given.get(frame.job_id)
        if frame.reason == frames.UNKNOWN_KIND and given is not None and given.fence == frame.fence:
            self._unknown.add(given.kind)
        await self._jobs.db.write(ledger.hand_back, frame.job_id, frame.fence, self.owner, frame.reason)
        if self._has(frame.job_id, frame.fence):
            del self._given[frame.job_id]
        self._jobs.forget(frame.job_id, frame.fence)
        await self._ack(frame.id)

    async def _heartbeat(self, frame: frames.Heartbeat) -> None:
        held = [(one.job_id, one.fence) for one in frame.jobs]
        lost, stopping = await self._jobs.db.write(ledger.heartbeat, held, self.owner) if held else (set(), set())
        for job_id in lost:
            given = self._given.get(job_id)
            if given is not None and (job_id, given.fence) in held:
                del self._given[job_id]
                self._jobs.forget(job_id, given.fence)
        if self._on_heartbeat is not None:
            self._on_heartbeat(frame)
        await self._ack(frame.id, {"lost": sorted(lost), "cancel": sorted(stopping)})

    async def _logs(self, frame: frames.LogBatch) -> None:
        given = self._given.get(frame.job_id)
        if given is not None and given.fence == frame.fence:
            await self._jobs.keep_lines(frame, given.subject or f"job:{frame.job_id}")
        await self._ack(frame.id)


def _read(frame: frames.JobRecord) -> Any:
    """What a report holds. Raises `Invalid` (`job_report_too_large`)."""
    if len(frame.data) > frames.REPORT:
        raise Invalid(
            f"A report of a job is more than {frames.REPORT >> 20} MB.",
            code="job_report_too_large",
            hint="Let it report less, and write what is long to its output.",
        )
    return msgspec.json.decode(frame.data)


def _take_up(tx: Tx, owner: str, held: list[tuple[int, int]]) -> tuple[list[Job], set[int], int]:
    """Renew what the worker still runs; requeue what the ledger says it runs but it does not name."""
    running = recovery.held_by(tx, owner)
    named = [place for place in held if place in running]
    _, stopping = ledger.heartbeat(tx, named, owner)
    forgotten = [job for place, job in running.items() if place not in named]
    for job in forgotten:
        recovery.requeue(tx, job)
    return [running[place] for place in named], stopping, len(forgotten)
