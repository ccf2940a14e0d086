"""The server's side of the control channel: proof first, then a session that claims for the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
import structlog
from sqlalchemy import select

from quarterdeck.fleet.workers import draining, hearing, registration, standing
from quarterdeck.fleet.workers.confining import confinements
from quarterdeck.fleet.workers.credentials import AccessTokens
from quarterdeck.fleet.workers.description import MOST_SLOTS, About, Condition
from quarterdeck.fleet.workers.hearing import Noted
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.jobs.grouping import Grouped
from quarterdeck.kernel.jobs.service import Jobs
from quarterdeck.kernel.jobs.session import Session
from quarterdeck.kernel.jobs.transport import Disconnected, Transport

HELLO_SECONDS = 10.0
SEEN_SECONDS = 28.0
"""Heartbeats come every 3 seconds, or every 15 from a worker that holds nothing: one of each half minute is kept."""
COMPANY_SECONDS = 0.5
"""How long a heartbeat waits for those of other workers: many of them are kept by one change."""
S = TypeVar("S")
log = structlog.get_logger("quarterdeck.workers")


class Dialled(Transport, Protocol):
    """A connection that somebody unknown has opened."""

    def proven(self) -> None:
        """It is a worker's: it may stay and send large frames."""

    def abort(self) -> None:
        """End it without waiting for its peer."""


class WorkerControl:
    """One for each process; `serve` is called for every accepted connection."""

    def __init__(self, jobs: Jobs, tokens: AccessTokens, thresholds: standing.ThresholdsOf = standing.defaults) -> None:
        self._jobs = jobs
        self._tokens = tokens
        self._thresholds = thresholds
        self._sessions: dict[int, Session] = {}
        self._turns: dict[int, asyncio.Lock] = {}
        self._drained: set[int] = set()
        self._hear = Grouped(jobs.db, self._heard_many, patience=COMPANY_SECONDS)

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
        about = _read(hello.about, About)
        if about is None:
            await transport.close(frames.BAD_FRAME, "not a description of a machine")
            return
        transport.proven()
        # One hello of a worker after the other: of two at once, each has to find what the other has left.
        async with self._turns.setdefault(worker.id, asyncio.Lock()):
            session = await self._seated(transport, worker, hello, about)
        if session is None:
            return
        try:
            # Who decided about it since it was seated has found no session to tell.
            if not await self._jobs.db.read(_holds, worker.id, worker.generation):
                await transport.close(frames.DECOMMISSIONED, "this worker was decommissioned")
                return
            capabilities = sorted(session.capabilities)
            log.info("worker_connected", worker=worker.uid, name=worker.name, capabilities=capabilities)
            await session.run()
        except Disconnected:
            log.info("worker_gone", worker=worker.uid)
        finally:
            if self._sessions.get(worker.id) is session:
                del self._sessions[worker.id]
                if session.leaving:
                    await asyncio.shield(self._left(worker.id, hello.boot_id))

    async def _left(self, worker_id: int, boot_id: str) -> None:
        try:
            await self._jobs.db.write(hearing.left, worker_id, boot_id)
        except Exception:  # its silence tells the same, a little later
            log.exception("leaving_not_kept", worker=worker_id)

    async def _seated(self, transport: Dialled, worker: Worker, hello: frames.Hello, about: About) -> Session | None:
        """The session of a connection, in the place of an earlier one; None where it may not stay."""
        earlier = self._sessions.get(worker.id)
        if earlier is not None:
            same = hello.boot_id != "" and earlier.boot_id == hello.boot_id
            if same and hello.dialled < earlier.dialled:
                # It was on its way for so long that its process has dialled again: what it holds it no longer says.
                await transport.close(frames.RESTARTING, "this process has a newer connection")
                return None
            # One process that has dialled again goes on; another one with the same identity ends the first.
            code = frames.RESTARTING if same else frames.SUPERSEDED
            await earlier.close(code, "a newer connection of this worker")
            self._jobs.detach(earlier)
        noted = await self._jobs.db.write(hearing.connected, worker.id, hello, about)
        if noted.revoked:
            await transport.close(frames.DECOMMISSIONED, "this worker was decommissioned")
            return None
        hello.slots, hello.housekeeping_slots = noted.slots, min(hello.housekeeping_slots, MOST_SLOTS)
        session = Session(
            self._jobs,
            transport,
            hello,
            owner=draining.owner(worker),
            capabilities=hearing.granted(worker, hello),
            worker_id=worker.id,
            worker_uid=worker.uid,
            organization_id=worker.organization_id,
            draining=noted.draining,
            on_heartbeat=lambda beat: notice(beat, session),
        )
        session.confined = await self._jobs.db.read(confinements.of, worker)
        notice = self._notice(worker, hello.boot_id)
        self._sessions[worker.id] = session
        self._note_drain(worker.id, drained=noted.draining)
        return session

    async def _admit(self, transport: Transport, hello: frames.Hello) -> Worker | None:
        token, hello.credential = hello.credential or "", None
        worker = await self._jobs.db.read(registration.authenticate, self._tokens, token)
        refusal = None
        if worker is None:
            refusal = frames.UNAUTHENTICATED, "unknown credential"
        elif worker.revoked_at is not None:
            refusal = frames.DECOMMISSIONED, "this worker was decommissioned"
        elif hello.v != frames.VERSION:
            refusal = frames.TOO_OLD, f"this server speaks version {frames.VERSION}"
        if refusal is not None:
            log.warning("worker_refused", name=hello.name[:80], code=refusal[0])
            await transport.close(*refusal)
            return None
        return worker

    def _notice(self, worker: Worker, boot_id: str) -> Callable[[frames.Heartbeat, Session], None]:
        """Keeps the first heartbeat of a connection, then one of each half minute."""
        noticed = float("-inf")
        writing: set[asyncio.Task[None]] = set()

        def notice(beat: frames.Heartbeat, session: Session) -> None:
            nonlocal noticed
            now = asyncio.get_running_loop().time()
            if now - noticed >= SEEN_SECONDS:
                noticed = now
                task = asyncio.create_task(self._heard(worker, boot_id, beat, session))
                writing.add(task)
                task.add_done_callback(writing.discard)

        return notice

    async def _heard(self, worker: Worker, boot_id: str, beat: frames.Heartbeat, session: Session) -> None:
        said = _read(beat.about, Condition)
        if said is None:
            log.warning("heartbeat_unreadable", worker=worker.uid)
            return

        try:
            await self._follow(session, await self._hear(hearing.Beat(worker, boot_id, beat, said)))
        except Disconnected:
            log.debug("worker_not_told", worker=worker.uid)
        except Exception:  # the next heartbeat comes
            log.exception("heartbeat_not_kept", worker=worker.uid)

    def _heard_many(self, tx: Tx, beats: Sequence[hearing.Beat]) -> list[Noted]:
        return hearing.heard(tx, beats, self._thresholds)

    @property
    def count(self) -> int:
        """How many workers are connected to this process."""
        return len(self._sessions)

    def connected(self, worker_id: int) -> bool:
        return worker_id in self._sessions

    async def follow(self, worker: Worker) -> None:
        """Let a connected worker follow what was decided about it: draining, its slots, its work, its end."""
        session = self._sessions.get(worker.id)
        if session is None:
            return
        session.confined = await self._jobs.db.read(confinements.of, worker)
        try:
            await self._follow(session, hearing.noted(worker))
        except Disconnected:
            log.debug("worker_not_told", worker=worker.uid)

    async def _follow(self, session: Session, noted: Noted) -> None:
        if noted.revoked:
            await self._end(session)
            return
        if noted.superseded:  # it is connected to another process of this server
            await session.close(frames.SUPERSEDED, "a newer connection of this worker")
            return
        worker_id = session.worker_id
        if worker_id is None or self._sessions.get(worker_id) is not session:
            return
        session.resize(noted.slots)
        if noted.draining != (worker_id in self._drained):
            self._note_drain(worker_id, drained=noted.draining)
            await (session.drain() if noted.draining else session.undrain())

    def _note_drain(self, worker_id: int, *, drained: bool) -> None:
        """What a connected worker was told last; one that leaves by itself drains, too, and is not told to go on."""
        (self._drained.add if drained else self._drained.discard)(worker_id)

    async def send_away(self, worker_id: int) -> None:
        """Close the connection of a decommissioned worker; it does not come back."""
        session = self._sessions.get(worker_id)
        if session is not None:
            await self._end(session)

    async def dial_again(self, worker_id: int) -> None:
        """Let a connected worker come anew, because it may be given other work than before. What it has goes on."""
        session = self._sessions.get(worker_id)
        if session is not None:
            self._jobs.detach(session)
            await session.close(frames.RESTARTING, "this worker may be given other work now")

    async def _end(self, session: Session) -> None:
        self._jobs.detach(session)
        await session.close(frames.DECOMMISSIONED, "this worker was decommissioned")
        # What it was given after the decision, while it was still connected, is nobody's now.
        await self._jobs.db.write(jobs.requeue_abandoned, session.owner)
        self._jobs.wake()


def _read(said: Any, kind: type[S]) -> S | None:
    """What a worker says in a frame; None for what is no such thing."""
    try:
        return msgspec.convert(said if said is not None else {}, kind)
    except msgspec.ValidationError:
        return None


def _holds(tx: Tx, worker_id: int, generation: int) -> bool:
    """Whether a worker is still one, by what its connection has proved."""
    mine = (Worker.id == worker_id, Worker.revoked_at.is_(None), Worker.generation == generation)
    return tx.first(select(Worker).where(*mine)) is not None
