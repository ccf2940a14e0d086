"""Who may come in: runs before the body of any request is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import ImproperlyConfiguredException, WebSocketException
from litestar.handlers import BaseRouteHandler
from litestar.types.empty import Empty

from quarterdeck.kernel.errors import Forbidden, Problem, Unauthenticated
from quarterdeck.kernel.http.failures import Refused, failure_of
from quarterdeck.kernel.http.sse import STILL_ADMITTED
from quarterdeck.kernel.http.strangers import Strangers
from quarterdeck.kernel.http.unproven import DOOR
from quarterdeck.kernel.limits import Limiter, Rate, counted_as
from quarterdeck.kernel.principal import Principal, current
from quarterdeck.kernel.protocols import Authenticator, Authorizer, Callers

PUBLIC = "public"
AUTHENTICATED = "authenticated"
PEOPLE = "people"
"""Among the callers of a route: whoever comes to any other route."""
OF_STRANGERS = 64 << 10
"""Bytes that a public route takes unless it names a limit itself: anybody may send them, as often as they like."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")
"""This machine, in a Host header."""

Connection = ASGIConnection[Any, Any, Any, Any]


class Guard:
    """The one guard of the application.

    A handler declares `opt["permission"]`: a catalogue key, "authenticated" (any caller with a credential that is not
    narrowed to scopes, see `require_opened`) or "public". `opt["whole"]` closes a permission's route to narrowed
    credentials as well. `opt["rate"]` bounds it per address; `opt["raw_body"]` says that it reads bytes rather than
    JSON. `opt["callers"]` names who comes to it beside people, or instead of them, in the order in which it is looked
    what they show; `callers` know them. They need no permission: the route is theirs.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        authorizer: Authorizer,
        *,
        callers: Mapping[str, Callers] = MappingProxyType({}),
        limiter: Limiter | None = None,
        per_credential: Rate | None = None,
        per_address: Rate | None = None,
        per_runner: Rate | None = None,
        public_url: str | None = None,
    ) -> None:
        self.authenticator = authenticator
        self.authorizer = authorizer
        self.callers = callers
        self.limiter = limiter or Limiter()
        self.strangers = Strangers(self.limiter)
        self.per_credential = per_credential
        self.per_address = per_address
        self.per_runner = per_runner
        self.public_origin = origin_of(public_url) if public_url else None

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        try:
            await self._check(connection, handler)
        except (Problem, Refused) as error:
            if connection.scope["type"] != ScopeType.WEBSOCKET:
                raise
            failure = failure_of(error, current.get().request_id)
            raise WebSocketException(detail=failure.message[:120], code=4000 + failure.status) from None

    async def _check(self, connection: Connection, handler: BaseRouteHandler) -> None:
        method = connection.scope.get("method", "GET")
        if method == "OPTIONS":
            return
        permission = handler.opt["permission"]
        address = counted_as(current.get().address or "-")
        if rate := handler.opt.get("rate"):
            endpoint = handler.opt.get("endpoint")  # by its declared path: one bucket, whatever the parameters say
            place = endpoint.path if endpoint is not None else connection.scope["path"]
            self.limiter.take(f"route {method} {place} {address}", rate)
        elif self.per_address is not None:
            self.limiter.take(f"address {address}", self.per_address)
        if permission != PUBLIC:
            await self.admit(connection, str(permission))
        if method not in SAFE_METHODS and not handler.opt.get("raw_body"):
            require_json(connection)

    async def admit(self, connection: Connection, permission: str, *, by: str | None = None) -> None:
        """Let the caller in, as whom the request acts from here on; for a route that is public because it decides by
        what the body says, called by its handler; `by` names who the caller has to be instead of a person. Raises
        `Unauthenticated`, `Forbidden` and `RateLimited`.
        """
        method = connection.scope.get("method", "GET")
        knows, said = self._asked(connection, (by,) if by else connection.route_handler.opt.get("callers", ()))
        principal = await self._known(connection, knows, said)
        bearer = said is not None
        if principal is None:
            told = "The Authorization header names no valid credential." if bearer else "Sign in first."
            code = "product_auth_invalid" if bearer else "product_auth_missing"
            raise Unauthenticated(told, code=code, hint="Sign in, or send a valid token as `Authorization: Bearer …`.")
        websocket = connection.scope["type"] == ScopeType.WEBSOCKET
        if not bearer and "cookie" in connection.headers and (websocket or method not in SAFE_METHODS):
            self.require_same_origin(connection)
        if not websocket and (door := connection.scope["state"].get(DOOR)) is not None:
            door.proven()
        connection.scope["user"] = principal
        current.set(replace(current.get(), principal=principal))
        each = self.per_runner if principal.kind == "runner" else self.per_credential
        if each is not None:
            self.limiter.take(f"credential {principal.credential or principal.uid}", each)
        if own := connection.route_handler.opt.get("each"):
            place = connection.route_handler.opt["endpoint"].path
            self.limiter.take(f"route {method} {place} of {principal.credential or principal.uid}", own)
        if knows is self.authenticator:
            await self._require(principal, permission, connection)

        async def still() -> None:
            again = await knows.authenticate(connection)
            if again is None:
                raise Unauthenticated("The session has ended.", code="product_auth_invalid", hint="Sign in again.")
            if again.organization_id != principal.organization_id:  # what was asked for lies in the one before
                raise Forbidden("This session acts in another organization now.", hint="Ask again from there.")
            if knows is self.authenticator:
                await self._require(again, permission, connection)
            current.set(replace(current.get(), principal=again))  # what is looked up from now on is looked up for them

        connection.scope["state"][STILL_ADMITTED] = still

    def _asked(self, connection: Connection, names: tuple[str, ...]) -> tuple[Authenticator | Callers, str | None]:
        """Who knows the caller, and what the caller shows."""
        for name in names:
            if name != PEOPLE and (said := self.callers[name].credential(connection)) is not None:
                return self.callers[name], said
        if names and PEOPLE not in names:
            raise self.callers[names[0]].missing()
        return self.authenticator, connection.headers.get("authorization")

    async def _known(
        self, connection: Connection, knows: Authenticator | Callers, said: str | None
    ) -> Principal | None:
        if said is None:
            return await knows.authenticate(connection)
        address = counted_as(current.get().address or "-")
        self.strangers.check(address, said)
        try:
            principal = await knows.authenticate(connection)
        except Unauthenticated:
            self.strangers.failed(address, said)
            raise
        if principal is None:
            self.strangers.failed(address, said)
        else:
            self.strangers.proved(said)
        return principal

    async def _require(self, principal: Principal, permission: str, connection: Connection) -> None:
        if permission != AUTHENTICATED:
            await self.authorizer.require(principal, permission, connection)
        opt = connection.route_handler.opt
        if principal.scopes and (permission == AUTHENTICATED or opt.get("whole")):
            require_opened(principal, opt.get("narrowed"))

    def require_same_origin(self, connection: Connection) -> None:
        """A browser's cookie counts for a change only when the change was asked for by one of our own pages."""
        if origin := connection.headers.get("origin"):
            scheme = {"ws": "http", "wss": "https"}.get(connection.scope["scheme"], connection.scope["scheme"])
            own = origin_of(f"{scheme}://{connection.headers.get('host', '')}")
            if origin_of(origin) in {own, self.public_origin} - {None}:
                return
        elif connection.headers.get("sec-fetch-site") in {"same-origin", "none"}:
            return
        raise Refused(
            403,
            "A change by cookie has to come from this server's own pages.",
            hint="Send a same-origin Origin header, or use `Authorization: Bearer …` instead of the cookie.",
        )


def require_opened(principal: Principal, surface: str | None) -> None:
    """Raise `Forbidden` (`token_narrowed`) where a credential that is narrowed to scopes is not let in: a route that
    asks for no permission, or changes its caller's account, is none of its scopes. `surface` is whose scopes open it
    none the less, `*` any.
    """
    if surface == "*" or (surface and any(scope.startswith(f"{surface}:") for scope in principal.scopes)):
        return
    raise Forbidden(
        "This token is narrowed to scopes, and none of them reaches this.",
        code="token_narrowed",
        hint="Use a token without scopes, or sign in.",
    )


def origin_of(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of a URL or an Origin header; None when it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def names_this_machine(host: str) -> bool:
    """Whether a Host header is one of this machine's own names. A page elsewhere that has its name point at loopback
    reaches us too, but under its own name.
    """
    name = host.lower()
    name = name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]
    return name in OWN_NAMES or name.endswith(".localhost")


def require_json(connection: Connection) -> None:
    """A request with a body says that it is JSON; `application/problem+json` and the like count."""
    headers = connection.headers
    length = headers.get("content-length")
    if length in {None, "0"} and "transfer-encoding" not in headers:
        return
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        return
    raise Refused(415, "The body has to be JSON.", hint="Send it with `Content-Type: application/json`.")


def check_declared(app: Litestar) -> None:
    """Stop the start when a route does not say who may call it. What is public gets its bound."""
    bare = []
    for route in app.routes:
        handlers = getattr(route, "route_handlers", None) or [route.route_handler]  # type: ignore[union-attr]
        for handler in handlers:
            if getattr(handler, "http_methods", None) == {"OPTIONS"}:
                continue
            if not isinstance(handler.opt.get("permission"), str) or not handler.opt["permission"]:
                bare.append(f"{route.path} ({handler.handler_name})")
            elif handler.opt["permission"] == PUBLIC and getattr(handler, "request_max_body_size", None) is Empty:
                handler.request_max_body_size = OF_STRANGERS
    if bare:
        raise ImproperlyConfiguredException("Routes without opt['permission']: " + ", ".join(sorted(bare)))
