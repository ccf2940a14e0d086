"""One running attempt on the worker's side: its task, its lease, its reports, its output."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import structlog

from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.jobs.handlers import JobInfo, WorkerRun
from quarterdeck.kernel.jobs.job import Outcome
from quarterdeck.kernel.jobs.refusals import Canceled, Fenced, canceled, failure, fenced

if TYPE_CHECKING:
    from quarterdeck.kernel.jobs.worker import Worker

S = TypeVar("S")
LINES = 500
LINE = 16_384
"""Characters of one line; longer ones are cut."""
BYTES = 256 << 10
"""Bytes of one batch of lines: some of them reach the store before the rest is on its way."""
MOST_TOLD = 1000
"""Words of the server that wait to be read; who reads none loses the newest."""
MUCH = f"{frames.REPORT >> 20} MB"
log = structlog.get_logger("quarterdeck.worker")


def fitting(result: frames.JobResult) -> frames.JobResult:
    """The end of an attempt as a server can be told it: one that is too large for a frame would be sent for ever."""
    if frames.fits(result):
        return result
    outcome = Outcome(
        "failed",
        error_code="job_result_too_large",
        error_message=f"The job ended ({result.outcome.state}), but what it answered is more than {MUCH}.\n"
        "Let it answer less, and write what is long to its output.",
    )
    return frames.JobResult(id=result.id, job_id=result.job_id, fence=result.fence, outcome=outcome)


class Attempt:
    """Implements `JobContext`. Reports go out one after another, numbered from 1."""

    def __init__(self, worker: Worker, assigned: frames.JobAssign) -> None:
        self.job = JobInfo(
            assigned.job_id, assigned.uid, assigned.kind, assigned.fence, assigned.attempt, assigned.subject
        )
        self.canceled = asyncio.Event()
        self.told: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(MOST_TOLD)
        self.lost = False
        self.stop_seconds = 0.0
        self.handed_back = False
        self.reporting = False
        self.task: asyncio.Task[None] | None = None
        self._worker = worker
        self._order = bytes(assigned.order)
        self._lease = assigned.lease_seconds
        self._expiry: asyncio.TimerHandle | None = None
        self._grace: asyncio.TimerHandle | None = None
        self._reports = 0
        self._reporting = asyncio.Lock()
        self._lines: list[frames.LogLine] = []
        self._bytes = 0
        self._logged = 0
        self.renewed(asyncio.get_running_loop().time())

    @property
    def held(self) -> frames.HeldJob:
        return frames.HeldJob(self.job.id, self.job.fence)

    # What the handler calls.

    def read(self, order: type[S]) -> S:
        return msgspec.json.decode(self._order, type=order)

    async def record(self, kind: str, data: Any) -> Any:
        async with self._reporting:
            self._check()
            frame = frames.JobRecord(
                job_id=self.job.id,
                fence=self.job.fence,
                number=self._reports + 1,
                kind=kind,
                data=msgspec.Raw(msgspec.json.encode(data)),
            )
            if len(frame.data) > frames.REPORT:
                raise Invalid(
                    f"The job's report of its {kind} is more than {MUCH}.",
                    code="job_report_too_large",
                    hint="Let it report less, and write what is long to its output.",
                )
            self._reports += 1
            ack = await self._worker.ask(frame, self)
        if ack.error is None:
            return ack.reply
        if ack.error.code == Fenced.default_code:
            self.lose()
            raise fenced(self.job.id, self.job.fence)
        if ack.error.code == Canceled.default_code:
            self.cancel("", None)
            raise canceled(self.job.id)
        raise Problem(ack.error.message, code=ack.error.code)

    def log(
        self, lines: Iterable[str], stream: str = "stdout", *, source: str = "", phase: str | None = None,
        level: str = "info",
    ) -> None:  # fmt: skip
        now = micros(self._worker.clock.now())
        if not self._lines:
            asyncio.get_running_loop().call_later(self._worker.log_seconds, self.send_lines)
        for text in lines:
            message = text[:LINE]
            if not message.isascii():  # half a character is sent as none
                message = message.encode("utf-8", "replace").decode()
            line = frames.LogLine(now, message, stream, source, phase, level)
            size = frames.size(line)
            if self._bytes + size > BYTES or len(self._lines) >= LINES:
                self.send_lines()
            self._lines.append(line)
            self._bytes += size
        if len(self._lines) >= LINES:
            self.send_lines()

    async def drain(self) -> None:
        await self._worker.room()

    async def sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.canceled.wait()
        except TimeoutError:
            return
        self._check()

    def _check(self) -> None:
        if self.lost:
            raise fenced(self.job.id, self.job.fence)
        if self.canceled.is_set():
            raise canceled(self.job.id)

    # What the worker calls.

    def send_lines(self) -> None:
        if not self._lines:
            return
        part, size = self._lines, self._bytes
        self._lines, self._bytes = [], 0
        first = self._logged + 1
        self._logged += len(part)
        batch = frames.LogBatch(job_id=self.job.id, fence=self.job.fence, from_seq=first, lines=part)
        self._worker.tell(batch, self, size)

    def renewed(self, at: float) -> None:
        """The server was known to hold the lease at this loop time: stop well before it can end."""
        if self._expiry is not None:
            self._expiry.cancel()
        if not self.lost:
            self._expiry = asyncio.get_running_loop().call_at(at + self._lease * 0.8, self._expired)

    def _expired(self) -> None:
        log.warning("lease_not_renewed", job=self.job.uid, fence=self.job.fence)
        self.lose()

    def lose(self) -> None:
        """Another attempt may run: stop at once and report nothing. Of one that has ended the worker tells the end
        all the same: the server knows what to do with it.
        """
        if not self.lost:
            self.lost = True
            self.canceled.set()
            self._worker.forget(self)
            if self.task is not None and self.task is not asyncio.current_task():
                self.task.cancel()

    def cancel(self, reason: str, grace: float | None) -> None:
        """Ask the handler to stop, and interrupt it when `grace` seconds have passed."""
        if self.canceled.is_set():
            return
        self.canceled.set()
        if grace is not None and self.task is not None:
            self._grace = asyncio.get_running_loop().call_later(grace, self.task.cancel)

    def hear(self, kind: str, data: Any) -> None:
        with suppress(asyncio.QueueFull):
            self.told.put_nowait((kind, data))

    async def run(self, handler: WorkerRun, instance: Any) -> None:
        outcome = await self._outcome(handler, instance)
        self.reporting = True
        for timer in (self._expiry, self._grace):
            if timer is not None and not (timer is self._expiry and outcome is not None):
                timer.cancel()
        self.send_lines()
        if outcome is None or self.lost:
            return
        if self.handed_back and outcome.state != "succeeded":  # what was carried to its end is not done twice
            frame: frames.JobReject | frames.JobResult = frames.JobReject(
                job_id=self.job.id, fence=self.job.fence, reason="stopping"
            )
        else:
            frame = fitting(frames.JobResult(job_id=self.job.id, fence=self.job.fence, outcome=outcome))
        try:
            await self._worker.ask(frame, self)
        finally:
            if self._expiry is not None:
                self._expiry.cancel()

    async def _outcome(self, handler: WorkerRun, instance: Any) -> Outcome | None:
        try:
            answer = await handler(self, instance)
            return Outcome("succeeded", result=None if answer is None else msgspec.json.encode(answer).decode())
        except Fenced:
            return None
        except Canceled:
            return Outcome("canceled")
        except asyncio.CancelledError:
            if self.lost:
                return None
            asyncio.current_task().uncancel()  # type: ignore[union-attr]
            return Outcome("canceled")
        except Problem as problem:
            return Outcome("canceled") if self.canceled.is_set() else failure(problem)
        except msgspec.DecodeError as error:
            log.error("work_order_unreadable", job=self.job.uid, kind=self.job.kind, reason=str(error))  # noqa: TRY400
            return Outcome(
                "failed",
                error_code="work_order_unreadable",
                error_message="The worker does not understand the work order.\nUpdate the worker to this release.",
            )
        except Exception as error:
            log.exception("job_crashed", job=self.job.uid, kind=self.job.kind)
            return Outcome(
                "failed",
                error_code="internal_error",
                error_message=f"The program failed unexpectedly ({type(error).__name__}).\n"
                "See the worker's own log, and report it with a support bundle.",
                error_category="infra",
            )
