"""How long a connection may take to say what it wants, and how many may be saying it at once.

uvicorn waits for ever for the rest of a request: whoever opens connections and says nothing could hold all of them.
Here headers and bodies have deadlines, and when too many are still at it, the longest waiting goes, never the newcomer.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from dataclasses import dataclass
from typing import Any

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

from quarterdeck.kernel.limits import counted_as

log = structlog.get_logger("quarterdeck.http")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds and counts. `unsaid` are connections that have not yet said a whole request, of one address or all."""

    headers: float = 10.0
    body: float = 120.0
    body_pause: float = 20.0
    unsaid_per_address: int = 100
    unsaid: int = 1000

    def at_most(self) -> int:
        """The bound of all unsaid ones: half of what this process may open at most."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return min(self.unsaid, soft // 2) if soft != resource.RLIM_INFINITY else self.unsaid


class Doorkeeper:
    """The connections of one server that have not yet said a whole request, the longest waiting first."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self._most = patience.at_most()
        self._unsaid: dict[PatientProtocol, str] = {}
        self._of: Counter[str] = Counter()

    def waits(self, protocol: PatientProtocol, address: str) -> None:
        self.done(protocol)
        self._unsaid[protocol] = address
        self._of[address] += 1
        if self._of[address] > self.patience.unsaid_per_address:
            self._dismiss(next(one for one, where in self._unsaid.items() if where == address))
        elif len(self._unsaid) > self._most:
            self._dismiss(next(iter(self._unsaid)))

    def done(self, protocol: PatientProtocol) -> None:
        address = self._unsaid.pop(protocol, None)
        if address is not None:
            self._of[address] -= 1
            if not self._of[address]:
                del self._of[address]

    def _dismiss(self, protocol: PatientProtocol) -> None:
        self.done(protocol)
        protocol.dismiss("too many")


class PatientProtocol(H11Protocol):
    """uvicorn's protocol with deadlines. `keeper` is that of the server: see `patient`."""

    keeper: Doorkeeper

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._deadline: asyncio.TimerHandle | None = None
        self._ends = self._heard = 0.0
        super().connection_made(transport)
        self._address = counted_as(self.client[0] if self.client else "-")
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        if self._deadline is None and self.conn.their_state is h11.IDLE:
            self._await_headers()  # the next request of a connection that was kept
        super().data_received(data)
        self._look()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._said()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._said()
        super().connection_lost(exc)

    def dismiss(self, reason: str) -> None:
        """Close the connection; a request that is being handled hears that its caller is gone."""
        log.info("connection_dismissed", reason=reason, address=self._address)
        self._said()
        self.transport.abort()

    def _look(self) -> None:
        """What is being waited for now: headers, a body, or nothing."""
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            if self._ends == 0.0:
                self._said()
                self._ends = self.loop.time() + self.keeper.patience.body
                self._await_body()
        elif state is not h11.IDLE:
            self._said()

    def _await_headers(self) -> None:
        self._said()
        self._deadline = self.loop.call_later(self.keeper.patience.headers, self.dismiss, "no request")
        self.keeper.waits(self, self._address)

    def _await_body(self) -> None:
        self._deadline = self.loop.call_later(
            min(self.keeper.patience.body_pause, max(self._ends - self.loop.time(), 0)), self._body_is_late
        )

    def _body_is_late(self) -> None:
        now = self.loop.time()
        paused = self.flow.read_paused  # by us, until the handler has read what came
        if now >= self._ends or (not paused and now - self._heard >= self.keeper.patience.body_pause):
            self.dismiss("slow body")
        else:
            self._await_body()

    def _said(self) -> None:
        self._ends = 0.0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self.keeper.done(self)


def patient(patience: Patience) -> type[asyncio.Protocol]:
    """The protocol of one server."""

    class Protocol(PatientProtocol):
        keeper = Doorkeeper(patience)

    kind: Any = Protocol
    return kind  # type: ignore[no-any-return]
