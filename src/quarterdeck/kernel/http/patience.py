"""How long a connection may take to say what it wants and to hear the answer, and how many may be at it at once.

uvicorn waits for ever for the rest of a request: whoever opens connections and says nothing could hold all of them.
Here headers, bodies and the reading of answers have deadlines, and when too many are still at it, the longest waiting
goes, never the newcomer.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
import structlog
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol

from quarterdeck.kernel.http.doorkeeper import EDGE, Doorkeeper, Patience
from quarterdeck.kernel.http.unproven import DOOR, UnprovenSocket
from quarterdeck.kernel.limits import counted_as

LEAST_READ = 16 * 1024
"""Bytes that somebody must have read of what is written, each time that it is looked at."""
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
    """uvicorn's protocol with deadlines. `keeper` is that of the server: see `patient`.

    A connection is with the keeper for as long as it owes something: its head, its body, or to read the answer. Whoever
    has proven who it is (`proven`) is counted there no more for that request, but its body has a deadline all the same.
    """

    keeper: Doorkeeper

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.conn = StrictConnection(h11.SERVER)
        if self.ws_protocol_class is not None:
            self.ws_protocol_class = UnprovenSocket
        self.app_state = {**self.app_state, DOOR: self}
        self._upgraded = self._proven = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._deadline: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._ends = self._heard = 0.0
        self._unread = self.keeper.patience.unread
        super().connection_made(transport)
        self.flow: Flow = Flow(transport)
        self._address = counted_as(self.client[0]) if self.client else EDGE
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        if self._deadline is None and self.conn.their_state is h11.IDLE:
            self._await_headers()  # the next request of a connection that was kept
        super().data_received(data)
        self._look()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """From here on the socket has the connection: nothing more is heard here, so nothing may be waited for."""
        self._end_waiting()
        self._upgraded = True
        super().handle_websocket_upgrade(event)
        successor = self.transport.get_protocol()
        if isinstance(successor, UnprovenSocket):
            successor.enter(self.keeper, self._address)

    def proven(self) -> None:
        """The caller of this request is known: it is counted no more among those who keep the server waiting."""
        self._proven = True
        self.keeper.done(self)

    def on_response_complete(self) -> None:
        patience = self.keeper.patience
        self._unread = patience.unread_of_known if self._proven else patience.unread
        self._proven = False
        if self.conn.their_state is h11.SEND_BODY:
            # Nobody wants the rest any more. It is heard for a moment, so that whoever sends it can read the answer.
            self._cease()
            self._ends = self.loop.time() + patience.rest
            self._await_body()
        super().on_response_complete()
        self._look()
        self._look_whether_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_waiting()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if not self._proven:  # who is known may stop reading: to page through a log, say
            self._unread = self.keeper.patience.unread
            self.keeper.stays(self, self._address)
            self._await_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._end_reading()

    def send_400_response(self, msg: str) -> None:
        super().send_400_response(msg)
        self._look_whether_closing()

    def shutdown(self) -> None:
        super().shutdown()
        self._look_whether_closing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._look_whether_closing()

    def dismiss(self, reason: str) -> None:
        """Close the connection; a request that is being handled hears that its caller is gone."""
        log.info("connection_dismissed", reason=reason, address=self._address)
        self._end_waiting()
        self.transport.abort()

    def _look(self) -> None:
        """What is being waited for now: headers, a body, or nothing."""
        if self._upgraded:
            return  # h11 never hears the end of a request that became a socket
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            if self._ends == 0.0:
                self._cease()
                self._ends = self.loop.time() + self.keeper.patience.body
                self.keeper.stays(self, self._address)
                self._await_body()
        elif state is not h11.IDLE:
            self._end_body()
        elif self._ends:
            # The rest of a body that was answered before it was whole: uvicorn has forgotten its own deadline by now.
            self._end_body()
            self._await_headers()

    def _await_headers(self) -> None:
        self._cease()
        self._proven = False
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

    def _look_whether_closing(self) -> None:
        """A transport closes when all is written, which whoever never reads could put off for ever."""
        if self.transport.is_closing() and self._reading is None:
            self._await_reading()

    def _await_reading(self) -> None:
        self._end_reading_deadline()
        left = self.transport.get_write_buffer_size()
        self._reading = self.loop.call_later(self._unread, self._is_read, left)

    def _is_read(self, before: int) -> None:
        left = self.transport.get_write_buffer_size()
        if before - left < min(LEAST_READ, before):
            self.dismiss("not read")
        else:
            self._await_reading()

    def _end_body(self) -> None:
        self._cease()
        if self._reading is None:
            self.keeper.done(self)

    def _end_reading(self) -> None:
        self._end_reading_deadline()
        if self._deadline is None:
            self.keeper.done(self)

    def _end_waiting(self) -> None:
        self._cease()
        self._end_reading_deadline()
        self.keeper.done(self)

    def _cease(self) -> None:
        self._ends = 0.0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end_reading_deadline(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None


def patient(patience: Patience) -> type[asyncio.Protocol]:
    """The protocol of one server."""

    class Protocol(PatientProtocol):
        keeper = Doorkeeper(patience)

    kind: Any = Protocol
    return kind  # type: ignore[no-any-return]
