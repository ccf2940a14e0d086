"""How a server of ours tells another whose request it passes on: by a header that only who has their key can make."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
from typing import Any

from litestar.types import ASGIApp, Receive, Send

from quarterdeck.kernel.clock import Clock
from quarterdeck.kernel.vault.secret import Secret

HEADER = b"x-quarterdeck-beside"
PASSED_ON = "quarterdeck.passed-on"
"""In a scope: another server has passed it on, or says so. It is not passed on again."""
LIFE_SECONDS = 60
"""How long one holds: clocks of servers differ a little."""
SCHEMES = frozenset({"http", "https", "ws", "wss"})


class Vouching:
    """Makes the header and believes it. It is bound to the method and the whole address, and soon ends."""

    def __init__(self, key: Secret[bytes], clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def header(self, scope: Any) -> bytes:
        """For a request as it came here, by the method that it is passed on with."""
        address = scope["client"][0] if scope.get("client") else None
        said = {"at": int(self._clock.now().timestamp()), "client": address, "as": scope["scheme"]}
        body = base64.urlsafe_b64encode(json.dumps(said).encode())
        return body + b"." + self._mac(scope, body)

    def read(self, scope: Any, header: bytes) -> tuple[str | None, str] | None:
        """The address and the scheme by which the caller came to the other server; None for what is not believed."""
        body, _, mac = header.partition(b".")
        if not hmac.compare_digest(mac, self._mac(scope, body)):
            return None
        said = json.loads(base64.urlsafe_b64decode(body))
        if abs(self._clock.now().timestamp() - said["at"]) > LIFE_SECONDS or said["as"] not in SCHEMES:
            return None
        return said["client"], said["as"]

    def _mac(self, scope: Any, body: bytes) -> bytes:
        place = [scope.get("method", "WS").encode(), scope["raw_path"].partition(b"?")[0], scope["query_string"], body]
        text = b"\n".join([b"beside", *place])
        return hmac.new(self._key.reveal(), text, hashlib.sha256).hexdigest().encode()


class Believing:
    """Wraps the application: what another server of ours passes on counts as coming from its caller. Whoever is on
    that server's own machine is, here, whoever that machine is: nobody is let in as a neighbour who is none.
    """

    def __init__(self, app: ASGIApp, vouching: Vouching) -> None:
        self.app = app
        self._vouching = vouching

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            given = [value for name, value in scope["headers"] if name == HEADER]
            if given:
                scope = dict(scope)
                scope["headers"] = [pair for pair in scope["headers"] if pair[0] != HEADER]
                scope[PASSED_ON] = True
                if len(given) == 1 and (said := self._vouching.read(scope, given[0])) is not None:
                    address, scope["scheme"] = said
                    if address is not None and not _loopback(address):
                        scope["client"] = (address, 0)
        await self.app(scope, receive, send)


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
