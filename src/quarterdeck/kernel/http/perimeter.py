"""What happens to every request before and after routing, known address or not.

Request id, correlation id and client address; allowed hosts; rewritten addresses; HEAD; security headers.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from quarterdeck.kernel.http.dialects import Dialect, Dialects
from quarterdeck.kernel.http.failures import Failure, Refused, failure_of
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.principal import Context, Principal, current
from quarterdeck.kernel.vault.secret import MASK

log = structlog.get_logger("quarterdeck.http")

ANONYMOUS = Principal(kind="user", id=0, uid="anonymous", label="anonymous")
SAFE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

HEAD_ONLY = "quarterdeck.head"  # extension of a scope that began as HEAD: the answer ends after its headers
Rewrite = Callable[[str, str], str]  # (method, path) -> the path that routing sees


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the program stands: who may be believed about addresses, and under which names it is reached."""

    trusted_proxies: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()  # empty: any
    public_url: str | None = None
    edge_socket: str | None = None  # path of the unix socket by which the edge comes
    content_security_policy: str = "default-src 'none'; frame-ancestors 'none'"
    quiet_paths: frozenset[str] = field(default_factory=lambda: frozenset({"/healthz", "/readyz", "/metrics"}))


class Proxies:
    """Networks whose `X-Forwarded-*` headers count."""

    def __init__(self, networks: Iterable[str]) -> None:
        self.networks = [ipaddress.ip_network(network, strict=False) for network in networks]

    def trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks if network.version == parsed.version)

    def client(self, peer: str | None, forwarded: str | None) -> str | None:
        """The nearest address that is not one of our proxies."""
        if peer is None or not forwarded or not self.trusts(peer):
            return peer
        return self.nearest(forwarded)

    def nearest(self, forwarded: str) -> str | None:
        """The same of what somebody trusted says."""
        hops = [hop.strip().removeprefix("[").removesuffix("]") for hop in forwarded.split(",")]
        for hop in reversed(hops):
            if not self.trusts(hop):
                return hop or None
        return hops[0] or None


class Perimeter:
    """Wraps the application: the outermost ASGI layer."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        dialects: Dialects,
        surroundings: Surroundings,
        ids: Ids,
        rewrite: Rewrite | None = None,
        respell: Rewrite | None = None,
    ) -> None:
        self.app = app
        self.dialects = dialects
        self.surroundings = surroundings
        self.ids = ids
        self.rewrite = rewrite
        self.respell = respell
        self.proxies = Proxies(surroundings.trusted_proxies)
        self.edge = surroundings.edge_socket
        self.hosts = frozenset(host.lower() for host in surroundings.allowed_hosts)
        headers = {
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
        }
        if (surroundings.public_url or "").startswith("https://"):
            headers["strict-transport-security"] = "max-age=31536000"
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.policy = surroundings.content_security_policy.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        received: dict[bytes, bytes] = {}
        hops: list[bytes] = []
        for name, value in scope["headers"]:
            received.setdefault(name, value)
            if name == b"x-forwarded-for":
                hops.append(value)
        given = received.get(b"x-correlation-id", b"").decode("latin-1").strip().lower()
        client = scope.get("client")
        # A proxy may add its word as a line of its own below the one that the client made up.
        forwarded = b",".join(hops).decode("latin-1")
        # What comes by the socket that only our own edge may open: its word counts.
        edge = self.edge is not None and tuple(scope.get("server") or ()) == (self.edge, None)
        nearest = self.proxies.nearest(forwarded) if edge else None
        address = nearest or self.proxies.client(client[0] if client else None, forwarded or None)
        believed = edge or (client is not None and self.proxies.trusts(client[0]))
        # An id of a stranger's choosing could be that of somebody else's request, in the log and in the audit trail.
        request_id = received.get(b"x-request-id", b"").decode("latin-1").strip() if believed else ""
        if not SAFE_ID.fullmatch(request_id):
            request_id = f"req_{self.ids.text(12)}"
        if believed:
            proto = received.get(b"x-forwarded-proto", b"").decode("latin-1").strip()
            if proto in {"http", "https", "ws", "wss"}:
                secure = proto in {"https", "wss"}
                websocket = scope["type"] == ScopeType.WEBSOCKET
                scope["scheme"] = ("wss" if secure else "ws") if websocket else ("https" if secure else "http")
        context = Context(
            principal=ANONYMOUS,
            request_id=request_id,
            correlation_id=given if UID.fullmatch(given) else self.ids.uid(),
            address=address,
        )
        token = current.set(context)
        try:
            if scope["type"] == ScopeType.WEBSOCKET:
                await self._websocket(scope, receive, send, received)
            else:
                await self._http(scope, receive, send, received, request_id)
        finally:
            current.reset(token)

    def _host_allowed(self, received: dict[bytes, bytes]) -> bool:
        host = received.get(b"host", b"").decode("latin-1").lower()
        if not _readable(host):
            return False
        if not self.hosts:
            return True
        return host in self.hosts or host.rsplit(":", 1)[0] in self.hosts

    def _route(self, scope: Any, method: str) -> None:
        if self.rewrite is not None:
            scope["path"] = self.rewrite(method, scope["path"])
        if self.respell is not None and method != "WS":
            scope["method"] = self.respell(method, scope["path"])

    async def _websocket(self, scope: Any, receive: Receive, send: Send, received: dict[bytes, bytes]) -> None:
        if not self._host_allowed(received):
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "host not allowed"})
            return
        self._route(scope, "WS")
        await self.app(scope, receive, send)

    async def _http(
        self, scope: Any, receive: Receive, send: Send, received: dict[bytes, bytes], request_id: str
    ) -> None:
        started = time.perf_counter()
        asked = scope["path"]
        head = scope["method"] == "HEAD"
        if head:
            scope["method"] = "GET"
            scope.setdefault("extensions", {})[HEAD_ONLY] = {}
        answered = 0
        echo = (b"x-request-id", request_id.encode("latin-1"))

        async def outgoing(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = message["status"]
                headers = list(message["headers"])
                present = {name.lower() for name, _ in headers}
                headers += [pair for pair in (*self.headers, echo) if pair[0] not in present]
                if b"content-security-policy" not in present:
                    headers.append((b"content-security-policy", self.policy))
                if b"cache-control" not in present:
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            elif head and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        try:
            refused = None
            if not self._host_allowed(received):
                refused = Refused(421, "This server is not known by that host name.", hint="Use the public URL.")
            elif "\x00" in asked:  # no database takes it, so nothing can have this address
                refused = Refused(404, "There is nothing at this address.")
            if refused is not None:
                await answer(self.dialects.at(asked), failure_of(refused, request_id), outgoing)
                return
            self._route(scope, scope["method"])
            await self.app(scope, receive, outgoing)
        except Exception as error:  # whatever got past the application's own handlers
            if answered:
                raise
            await answer(self.dialects.at(scope["path"]), failure_of(error, request_id), outgoing)
        finally:
            if asked not in self.surroundings.quiet_paths:
                context = current.get()
                log.info(
                    "request",
                    method="HEAD" if head else scope["method"],
                    path=LINK.sub(MASK, asked),
                    status=answered,
                    ms=round((time.perf_counter() - started) * 1000, 2),
                    request_id=context.request_id,
                    address=context.address,
                    principal=context.principal.uid,
                )


def rendered(dialect: Dialect, failure: Failure) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of a failure in a dialect."""
    status = dialect.status(failure)
    body = dialect.body(failure, status)
    encoded = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    return status, encoded, {"content-type": dialect.media_type, **failure.headers}


async def answer(dialect: Dialect, failure: Failure, send: Send) -> None:
    status, body, headers = rendered(dialect, failure)
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body, "more_body": False})


LINK = re.compile(r"[^/]{41,}")
"""A part of an address that is longer than any id: it may be the secret of a link, which no log keeps."""
_HOST = re.compile(r"[a-z0-9_.\-]+(:\d+)?|\[[0-9a-f:.]+\](:\d+)?")


def _readable(host: str) -> bool:
    """Whether a Host header names a host and a port: what is made of it later must not fail."""
    try:
        parts = urlsplit(f"//{host}")
        port = parts.port
    except ValueError:
        return False
    return not host or (_HOST.fullmatch(host) is not None and parts.netloc == host and port != 0)
