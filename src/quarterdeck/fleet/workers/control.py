"""The server's side of the control channel: proof first, then a session that claims for the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from quarterdeck.fleet.workers import enrolment
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.jobs.service import Jobs
from quarterdeck.kernel.jobs.session import Session
from quarterdeck.kernel.jobs.transport import Disconnected, Transport

HELLO_SECONDS = 10.0
SEEN_SECONDS = 30.0
log = structlog.get_logger("quarterdeck.workers")


class Dialled(Transport, Protocol):
    """A connection that somebody unknown has opened."""

    def proven(self) -> None:
        """It is a worker's: it may stay and send large frames."""

    def abort(self) -> None:
        """End it without waiting for its peer."""


class WorkerControl:
    """One for each process; `serve` is called for every accepted connection."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._sessions: dict[int, Session] = {}

    async def serve(self, transport: Dialled) -> None:
        """Lives as long as the connection. Nothing is read before the hello, nothing done before its proof."""
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                hello = await transport.receive()
        except TimeoutError:
            await transport.close(frames.UNAUTHENTICATED, "no hello within 10 seconds")
            transport.abort()
            return
        except Disconnected:
            return
        if not isinstance(hello, frames.Hello):
            await transport.close(frames.UNAUTHENTICATED, "hello comes first")
            return
        worker = await self._admit(transport, hello)
        if worker is None:
            return
        transport.proven()
        earlier = self._sessions.get(worker.id)
        if earlier is not None:
            await earlier.close(frames.SUPERSEDED, "a newer connection of this worker")
            self._jobs.detach(earlier)
        await self._jobs.db.write(enrolment.connected, worker.id, hello)
        session = Session(
            self._jobs,
            transport,
            hello,
            owner=f"worker:{worker.uid}",
            capabilities=enrolment.granted(worker, hello),
            worker_id=worker.id,
            worker_uid=worker.uid,
            draining=worker.drain_requested_at is not None,
            on_heartbeat=self._notice(worker.id),
        )
        self._sessions[worker.id] = session
        log.info("worker_connected", worker=worker.uid, name=worker.name, capabilities=sorted(session.capabilities))
        try:
            await session.run()
        except Disconnected:
            log.info("worker_gone", worker=worker.uid)
        finally:
            if self._sessions.get(worker.id) is session:
                del self._sessions[worker.id]

    async def _admit(self, transport: Transport, hello: frames.Hello) -> Worker | None:
        token, hello.credential = hello.credential or "", None
        worker = await self._jobs.db.read(enrolment.authenticate, token)
        refusal = None
        if worker is None:
            refusal = frames.UNAUTHENTICATED, "unknown credential"
        elif worker.revoked_at is not None:
            refusal = frames.DECOMMISSIONED, "this worker was revoked"
        elif hello.v != frames.VERSION:
            refusal = frames.TOO_OLD, f"this server speaks version {frames.VERSION}"
        if refusal is not None:
            log.warning("worker_refused", name=hello.name[:80], code=refusal[0])
            await transport.close(*refusal)
            return None
        return worker

    def _notice(self, worker_id: int) -> Callable[[frames.Heartbeat], None]:
        noticed = asyncio.get_running_loop().time()
        writing: set[asyncio.Task[None]] = set()

        def notice(beat: frames.Heartbeat) -> None:
            nonlocal noticed
            now = asyncio.get_running_loop().time()
            if now - noticed >= SEEN_SECONDS:
                noticed = now
                task = asyncio.create_task(self._seen(worker_id, beat.used_slots))
                writing.add(task)
                task.add_done_callback(writing.discard)

        return notice

    async def _seen(self, worker_id: int, used_slots: int) -> None:
        if not await self._jobs.db.write(enrolment.seen, worker_id, used_slots):
            await self.send_away(worker_id)

    def connected(self, worker_id: int) -> bool:
        return worker_id in self._sessions

    async def drain(self, worker_id: int, *, drain: bool = True) -> None:
        """Tell a connected worker what `enrolment.request_drain` has kept."""
        session = self._sessions.get(worker_id)
        if session is not None:
            await (session.drain() if drain else session.undrain())

    async def send_away(self, worker_id: int) -> None:
        """Close the connection of a revoked worker; it does not come back."""
        session = self._sessions.get(worker_id)
        if session is not None:
            await session.close(frames.DECOMMISSIONED, "this worker was revoked")
