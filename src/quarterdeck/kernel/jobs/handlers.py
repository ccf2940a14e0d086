"""The code that runs jobs on the worker's side, and what it is given to speak with the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec

from quarterdeck.kernel.jobs.job import Lane
from quarterdeck.kernel.jobs.kinds import JobKind, kinds

S = TypeVar("S")
SERVER = "server"
"""The capability that only the server's own workers have."""
DELIVERY = "server:delivery"
"""What `events.deliver` asks for beside `SERVER`: the one place that is kept for it, which no other work takes."""


@dataclass(frozen=True, slots=True)
class JobInfo:
    id: int
    uid: str
    kind: str
    fence: int
    attempt: int
    subject: str | None = None


class JobContext(Protocol):
    """A running attempt's way to the ledger. `canceled` is set when the job shall stop; what a handler must undo it
    undoes then, within the grace that it has before it is interrupted.
    """

    job: JobInfo
    canceled: asyncio.Event
    lost: bool
    """The lease is gone and another attempt may run: nothing is undone then."""
    stop_seconds: float
    """How long the attempt may take to end once it is interrupted because its process is to stop. A handler that has to
    end something outside in good order says so when it begins; who says nothing has the few seconds that all have.
    """
    told: asyncio.Queue[tuple[str, Any]]
    """What the server says to this attempt, kind and data. Some of it may get lost: who waits asks by `record`, too."""

    async def record(self, kind: str, data: Any) -> Any:
        """Keep a report; durable before it returns. Raises `Fenced` or `Canceled`."""
        ...

    def log(
        self, lines: Iterable[str], stream: str = "stdout", *, source: str = "", phase: str | None = None,
        level: str = "info",
    ) -> None:  # fmt: skip
        """Send lines of output; they are in the log store within 200 ms. The oldest are dropped when the server falls
        far behind: who writes much and can wait awaits `drain` now and then.
        """
        ...

    async def drain(self) -> None:
        """Wait until the server has caught up with the output."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Sleep; raises `Canceled` as soon as the job shall stop."""
        ...

    def read(self, order: type[S]) -> S:
        """The work order as a struct."""
        ...


WorkerRun = Callable[[JobContext, Any], Awaitable[Any]]
ServerRun = Callable[[JobContext, Any], Awaitable[Any]]
R = TypeVar("R", bound=Callable[..., Awaitable[Any]])


class WorkerHandlers:
    """What a worker can run: a coroutine for each kind, given its context and its work order. `shared` are handlers
    beside those registered here.
    """

    def __init__(self, shared: WorkerHandlers | None = None) -> None:
        self._handlers: dict[str, tuple[WorkerRun, type[Any]]] = {}
        self._shared = shared

    def register(self, kind: str, order: type[msgspec.Struct]) -> Callable[[R], R]:
        def keep(run: R) -> R:
            self._handlers[kind] = (run, order)
            return run

        return keep

    def find(self, kind: str) -> WorkerRun | None:
        """A coroutine function of context and nothing else to decode: the order is read here."""
        found = self._handlers.get(kind)
        if found is None:
            return self._shared.find(kind) if self._shared is not None else None
        run, order = found

        async def decoded(context: JobContext, _instance: Any) -> Any:
            return await run(context, context.read(order))

        return decoded


class ServerHandlers:
    """Jobs that need the database: they run inside the server process alone, and are given its instance."""

    def __init__(self) -> None:
        self._handlers: dict[str, ServerRun] = {}

    def register(self, kind: str, *, lane: Lane = "housekeeping", lease_seconds: int = 30) -> Callable[[R], R]:
        """The kind is registered along; register it before, with the capability `server`, to say more of it."""
        if kinds.find(kind) is None:
            kinds.register(JobKind(kind, lane=lane, lease_seconds=lease_seconds, capabilities=frozenset({SERVER})))

        def keep(run: R) -> R:
            self._handlers[kind] = run
            return run

        return keep

    def find(self, kind: str) -> ServerRun | None:
        return self._handlers.get(kind)


worker_handlers = WorkerHandlers()
server_handlers = ServerHandlers()
