"""Serving an installation: from settings to the first answered request, and from a signal to the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator

import structlog
import uvicorn

from quarterdeck import __version__, front_door
from quarterdeck.instance import Instance
from quarterdeck.kernel import telemetry
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.http.doorkeeper import Patience
from quarterdeck.kernel.http.patience import patient
from quarterdeck.kernel.settings import Settings

REQUESTS_SECONDS = 7
"""How long requests may finish."""
STOP_SECONDS = 10.0
"""When the stop is forced, beside what jobs that run here have said to need. Nothing is lost then: what was answered is
durable, what runs is taken up again.
"""
FORCED = 128
log = structlog.get_logger("quarterdeck")


class Server(uvicorn.Server):
    """Leaves signals to `serve`, and says when it answers."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._told = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._told()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: Settings, *, announce: Callable[[str], None]) -> None:
    """Serve until told to stop. `announce` gets what a person at the terminal should know, line by line.

    The first SIGTERM or SIGINT ends gracefully, the second at once. Raises a `Problem` when it cannot start; then
    nothing of it is left running or locked.
    """
    from quarterdeck.app import application

    telemetry.configure(settings.log_level)
    # uvicorn tells of every WebSocket with its query string; Alembic of every plug-in.
    for chatty in ("uvicorn", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    if not settings.data_dir.exists():
        listen(settings.host, settings.port).close()  # nothing is made for a server that cannot listen
    instance = await asyncio.to_thread(Instance.open, settings)
    async with contextlib.AsyncExitStack() as undo:
        undo.push_async_callback(instance.close)
        app = application(instance, lifespan=False)
        listener = listen(settings.host, settings.port)
        undo.callback(listener.close)
        instance.reached_at(listener.getsockname()[1])
        listeners = [listener]
        if instance.edge is not None and front_door.route(settings) is not None:
            listeners.append(front_door.listen(instance.edge.layout))
            undo.callback(listeners[-1].close)
        config = uvicorn.Config(
            app, log_config=None, lifespan="off", access_log=False, server_header=False, proxy_headers=False,
            timeout_graceful_shutdown=REQUESTS_SECONDS, ws="websockets-sansio", http=patient(Patience()),
            timeout_keep_alive=front_door.KEPT_SECONDS,
        )  # fmt: skip
        server = Server(config, lambda: tell(instance, listener, announce))
        with signals(lambda: end(instance, server)):
            undo.push_async_callback(instance.stop)
            await instance.start()
            await server.serve(sockets=listeners)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Raises `Conflict` (`listen_failed`)."""
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        if listener is not None:
            listener.close()
        raise Conflict(
            f"Port {port} of {host} cannot be had ({error.strerror}).",
            code="listen_failed",
            hint="Stop what listens there, or choose another port with --port or another address with --host.",
        ) from None
    return listener


def tell(instance: Instance, listener: socket.socket, announce: Callable[[str], None]) -> None:
    """What a person should know as soon as requests are answered."""
    settings = instance.settings
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    shown = settings.public_url or f"http://{host}:{listener.getsockname()[1]}"
    announce(f"Quarterdeck {__version__} listens on {shown}")
    announce(f"Console: {shown}/console/")
    if settings.beside:
        announce("It stands beside the server that works on its database, and passes on to it what it does not answer.")
    root = front_door.root_certificate(instance.edge, settings)
    if root is not None:
        announce(f"Its certificate is signed by the edge itself, so nobody trusts it yet. Its root: {root}")
        announce(f"Where you sign in from, copy that file, and name it once: qd login {shown} --ca root.crt")
    if instance.setup_token is not None:
        announce(f"Setup token for the first administrator: {instance.setup_token.reveal()}")


def end(instance: Instance, server: Server) -> None:
    """Take no new requests, let those that run finish, and give jobs back meanwhile. A job that has said to need time
    to end has that before: what it started may speak to this server by requests of its own.
    """
    seconds = instance.jobs.stop_seconds
    log.info("stopping", hint="Once more ends at once.", **({"jobs_have_seconds": seconds} if seconds else {}))

    def leave(_: object = None) -> None:
        server.should_exit = True
        instance.leave()

    if seconds:
        instance.hand_back().add_done_callback(leave)
    else:
        leave()
    asyncio.get_running_loop().call_later(STOP_SECONDS + seconds, force, "the graceful stop took too long", 1)


@contextlib.contextmanager
def signals(stop: Callable[[], None]) -> Iterator[None]:
    """The first signal calls `stop`, the second ends the process. No effect outside of the main thread."""
    loop = asyncio.get_running_loop()
    asked: list[signal.Signals] = []

    def heard(number: signal.Signals) -> None:
        asked.append(number)
        if len(asked) > 1:
            force("asked twice", FORCED + number)
        stop()

    handled = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError, RuntimeError):
            loop.add_signal_handler(number, heard, number)
            handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


def force(reason: str, status: int) -> None:
    """End without waiting for anything. Stores survive that by design; a lock goes with its process."""
    log.warning("stop_forced", reason=reason)
    os._exit(status)
