"""How long a connection may take to say what it wants, and how many may be saying it at once.

uvicorn waits for ever for the rest of a request: whoever opens connections and says nothing could hold all of them.
Here headers and bodies have deadlines, and when too many are still at it, the longest waiting goes, never the newcomer.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
import structlog
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol

from quarterdeck.kernel.http.doorkeeper import Doorkeeper, Patience
from quarterdeck.kernel.http.unproven import UnprovenSocket
from quarterdeck.kernel.limits import counted_as

log = structlog.get_logger("quarterdeck.http")


class StrictConnection(h11.Connection):
    """h11's parser, which takes a body of two lengths; who passed it on may have believed the other one."""

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            named = {name for name, _ in event.headers}
            if {b"content-length", b"transfer-encoding"} <= named:
                raise h11.RemoteProtocolError("both Content-Length and Transfer-Encoding")
        return event


class Flow(FlowControl):
    """uvicorn's, which also says when reading went on: until then the caller could not be heard, whatever it sent."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self.resumed = 0.0

    def resume_reading(self) -> None:
        if self.read_paused:
            self.resumed = asyncio.get_running_loop().time()
        super().resume_reading()


class PatientProtocol(H11Protocol):
    """uvicorn's protocol with deadlines. `keeper` is that of the server: see `patient`."""

    keeper: Doorkeeper

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.conn = StrictConnection(h11.SERVER)
        if self.ws_protocol_class is not None:
            self.ws_protocol_class = UnprovenSocket
        self._upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._deadline: asyncio.TimerHandle | None = None
        self._ends = self._heard = 0.0
        super().connection_made(transport)
        self.flow: Flow = Flow(transport)
        self._address = counted_as(self.client[0] if self.client else "-")
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        if self._deadline is None and self.conn.their_state is h11.IDLE:
            self._await_headers()  # the next request of a connection that was kept
        super().data_received(data)
        self._look()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """From here on the socket has the connection: nothing more is heard here, so nothing may be waited for."""
        self._said()
        self._upgraded = True
        super().handle_websocket_upgrade(event)
        successor = self.transport.get_protocol()
        if isinstance(successor, UnprovenSocket):
            successor.enter(self.keeper, self._address)

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
        if self._upgraded:
            return  # h11 never hears the end of a request that became a socket
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
        since = max(self._heard, self.flow.resumed)
        if now >= self._ends or (not paused and now - since >= self.keeper.patience.body_pause):
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
