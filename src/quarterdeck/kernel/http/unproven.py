"""A WebSocket whose caller is not known yet: it stays with the doorkeeper, and may say little and not for long.

uvicorn counts no sockets and assembles frames of 16 MB for whoever sends them. Here the handler says when the caller
is known (`Socket.proven`); until then a message may have 64 KB, which is enforced before it is assembled.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from quarterdeck.kernel.http.doorkeeper import Doorkeeper

DOOR = "quarterdeck.door"  # in a scope's state: the protocol of this connection, which is told when its caller is known
LARGEST_UNPROVEN = 64 * 1024  # bytes of a message
log = structlog.get_logger("quarterdeck.http")


class UnprovenSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol; `enter` follows the upgrade."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.conn.max_message_size = LARGEST_UNPROVEN
        self._keeper: Doorkeeper | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._address = "-"

    def enter(self, keeper: Doorkeeper, address: str) -> None:
        """Wait for proof, as one of the doorkeeper's."""
        if self.disconnected:
            return
        self.scope_state()[DOOR] = self
        self._keeper, self._address = keeper, address
        self._deadline = self.loop.call_later(keeper.patience.proof, self.dismiss, "no proof")
        keeper.waits(self, address)

    def scope_state(self) -> dict[str, Any]:
        """The state that the application will see; one that nobody sees where the handshake was refused."""
        scope: dict[str, Any] = getattr(self, "scope", {})
        state: dict[str, Any] = scope.get("state", {})
        return state

    def proven(self, largest: int) -> None:
        """The caller is known: no deadline any more, and messages of up to `largest` bytes."""
        self.conn.max_message_size = min(largest, self.config.ws_max_size)
        self._leave()

    def dismiss(self, reason: str) -> None:
        """End the connection at once, without waiting for the closing handshake."""
        log.info("connection_dismissed", reason=reason, address=self._address)
        self.abort()

    def abort(self) -> None:
        self._leave()
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def _leave(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._keeper is not None:
            self._keeper.done(self)
