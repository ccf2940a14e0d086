"""`qd worker`: the worker loop over a WebSocket that is dialled again and again."""

from __future__ import annotations

import asyncio
import platform
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidProxy, InvalidURI

from quarterdeck.fleet.targets import machine
from quarterdeck.fleet.workers import measuring
from quarterdeck.fleet.workers.asking import why
from quarterdeck.fleet.workers.description import MOST_AGENTS
from quarterdeck.fleet.workers.offering import Departing, Saying, offer, release
from quarterdeck.fleet.workers.proving import AGAIN, Proof, base
from quarterdeck.fleet.workers.spool import FileSpool
from quarterdeck.kernel.errors import Invalid, Unauthenticated, Unavailable
from quarterdeck.kernel.ids import Entropy, SystemEntropy
from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.jobs.handlers import WorkerRun
from quarterdeck.kernel.jobs.transport import Disconnected
from quarterdeck.kernel.jobs.worker import Worker
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.kernel.vault import Secret

CONTROL = "/api/workers/control"
SHORTEST, LONGEST = 1.0, 30.0
FINAL = {
    frames.DECOMMISSIONED: "This worker was decommissioned.",
    frames.SUPERSEDED: "Another worker runs with the same identity.",
    frames.TOO_OLD: "The server speaks another version of the protocol.",
}
log = structlog.get_logger("quarterdeck.worker")


class WebSocketTransport:
    """The dialling end."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, frame: frames.Frame) -> None:
        try:
            await self._connection.send(frames.encode(frame).decode())
        except ConnectionClosed as closed:
            raise _gone(closed) from None

    async def receive(self) -> frames.Frame:
        try:
            return frames.decode_from_server(await self._connection.recv())
        except ConnectionClosed as closed:
            raise _gone(closed) from None
        except UNREADABLE:
            await self.close(frames.BAD_FRAME, "not a frame of this protocol")
            raise Disconnected(frames.BAD_FRAME, "the server sent what is no frame of this protocol") from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._connection.close(code, reason)


def _gone(closed: ConnectionClosed) -> Disconnected:
    frame = closed.rcvd
    return Disconnected(frame.code if frame else 1006, frame.reason if frame else "")


def control_url(server_url: str) -> str:
    """`https://host/base` as `wss://host/base/api/workers/control`. Raises `Invalid`."""
    return "ws" + base(server_url).removeprefix("http") + CONTROL


class Finder(Protocol):
    """What runs jobs, by their kind."""

    def find(self, kind: str) -> WorkerRun | None: ...


def _describing(name: str | None, slots: int, data_dir: Path, saying: Saying) -> Callable[[], dict[str, Any]]:
    def describe() -> dict[str, Any]:
        agents = list(saying.agents())[:MOST_AGENTS]
        return {
            "name": name or "",
            "capabilities": [one.type for one in agents],
            "agents": agents,
            "maxSlots": slots,
            "workerVersion": release(),
            "protocolVersion": frames.VERSION,
            "hardware": measuring.hardware(data_dir),
        }

    return describe


async def enrolled_for(
    server_url: str, token: Secret[str] | None, data_dir: Path, *, name: str | None = None, slots: int = 1
) -> list[str]:
    """What the machine may be given, by its enrolment, which is made where it has none yet; empty where the server has
    not said. Waits for a server that is away. Raises as `run_worker`.
    """
    proof = Proof(server_url, data_dir, token, _describing(name, slots, data_dir, Saying()))
    pause = SHORTEST
    while proof.credential() is None:
        try:
            await proof.ready()
        except Unavailable as problem:
            log.info("server_unreachable", server=server_url, reason=problem.message)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST)
    return proof.capabilities()


async def run_worker(
    server_url: str,
    token: Secret[str] | None,
    capabilities: Iterable[str],
    slots: int,
    data_dir: Path,
    *,
    handlers: Finder,
    name: str | None = None,
    fingerprint: str | None = None,
    entropy: Entropy | None = None,
    signals: bool = True,
    saying: Saying | None = None,
    departing: Departing | None = None,
) -> None:
    """Work for a server until told to end: a first SIGTERM finishes what runs, a second one gives it back.

    `token` is an enrolment token: the first start uses it up, later ones need none. Connections are tried again after
    1 to 30 seconds, jittered; a proxy is that of the environment. Raises `Unauthenticated` when the server has sent
    this worker away for good. Where it was decommissioned, all that runs is ended, and then `departing` is awaited.
    """
    url, entropy = control_url(server_url), entropy or SystemEntropy()
    mark = fingerprint or machine.fingerprint()
    saying = saying or Saying()
    called = name or platform.node()
    proof = Proof(server_url, data_dir, token, _describing(name, slots, data_dir, saying))
    offered = offer(called, capabilities, slots, data_dir, saying, credential=proof.credential, fingerprint=mark)
    worker = Worker(offered, handlers.find, spool=FileSpool(data_dir / "spool"))
    leaving = _Leaving(worker)
    if signals:
        leaving.listen()
    dialling = asyncio.create_task(_dial(worker, url, proof, entropy, departing))
    over = asyncio.create_task(leaving.wait())
    keeping = asyncio.create_task(proof.keep())
    try:
        await asyncio.wait({dialling, over}, return_when=asyncio.FIRST_COMPLETED)
        if dialling.done():
            await dialling
    finally:
        leaving.forget()
        for task in (dialling, over, keeping):
            task.cancel()
        await asyncio.gather(dialling, over, keeping, return_exceptions=True)


async def _dial(worker: Worker, url: str, proof: Proof, entropy: Entropy, departing: Departing | None) -> None:
    pause = SHORTEST
    while not worker.dismissed:
        try:
            try:
                await proof.ready()
            finally:
                if proof.decommissioned:
                    await _depart(worker, proof, departing)
            async with connect(
                url, max_size=frames.FRAME_LIMIT, open_timeout=10, ping_interval=20, ping_timeout=40, proxy=True
            ) as connection:
                log.info("connected", server=url)
                began = asyncio.get_running_loop().time()
                try:
                    await worker.serve(WebSocketTransport(connection))
                finally:
                    if asyncio.get_running_loop().time() - began > LONGEST:
                        pause = SHORTEST
        except Disconnected as gone:
            if gone.code == frames.UNAUTHENTICATED:
                proof.distrust()
            else:
                proof.trusted()
            if gone.code == frames.DECOMMISSIONED:
                await _depart(worker, proof, departing)
            if gone.code in FINAL and not (gone.code == frames.DECOMMISSIONED and proof.sent_away()):
                raise Unauthenticated(FINAL[gone.code], code="worker_refused", hint=AGAIN) from None
            log.info("disconnected", code=gone.code, reason=gone.reason)
        except Unavailable as problem:
            log.info("server_unreachable", server=url, reason=problem.message)
        except (InvalidProxy, ImportError) as error:  # of SOCKS, which needs a package more
            raise Invalid(
                f"The proxy of the environment cannot be used ({type(error).__name__}).",
                code="proxy_unusable",
                hint="Set HTTPS_PROXY to the address of an HTTP proxy, or NO_PROXY to the server's host.",
            ) from error
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
            log.info("server_unreachable", server=url, reason=why(error))
        except InvalidURI as error:
            raise Invalid(f"{url} is not a server address.", code="server_url_invalid") from error
        await asyncio.sleep(pause * (0.5 + entropy.randbits(16) / (1 << 17)))
        pause = min(pause * 2, LONGEST)


async def _depart(worker: Worker, proof: Proof, departing: Departing | None) -> None:
    proof.decommissioned = False
    log.warning("decommissioned", running=len(worker.attempts))
    await worker.abandon()
    if departing is not None:
        await departing()


class _Leaving:
    """Ends the process's work gracefully."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._asked = asyncio.Event()
        self._pressed = asyncio.Event()

    def listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ask)

    def forget(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    def ask(self) -> None:
        if self._asked.is_set():
            self._pressed.set()
        self._asked.set()

    async def wait(self) -> None:
        await self._asked.wait()
        log.info("draining", running=len(self._worker.attempts))
        self._worker.drain()
        idle = asyncio.create_task(self._worker.idle())
        pressed = asyncio.create_task(self._pressed.wait())
        await asyncio.wait({idle, pressed}, return_when=asyncio.FIRST_COMPLETED)
        for task in (idle, pressed):
            task.cancel()
        await self._worker.stop()
