"""How a route is declared: who may call it, what it parses, which function it calls, what it answers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler
from litestar.response.base import ASGIResponse
from litestar.types import ASGIApp

from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.application import dialect_of
from quarterdeck.kernel.http.coerce import QueryReader, body_issues
from quarterdeck.kernel.http.dialects import Dialect
from quarterdeck.kernel.http.failures import Issue, Malformed, msgspec_issue
from quarterdeck.kernel.http.shared_signature import SharingHandler
from quarterdeck.kernel.http.sse import EventStream
from quarterdeck.kernel.idempotency import once
from quarterdeck.kernel.limits import Rate
from quarterdeck.kernel.principal import Principal, current
from quarterdeck.kernel.unreadable import UNREADABLE

T = TypeVar("T")
R = TypeVar("R")
Handler = Callable[..., Coroutine[Any, Any, Any]]
_encode = msgspec.json.Encoder().encode

EXPLAINED = 64 << 10
"""Bytes of a body up to which each wrong field of it is told, which is to read it again piece by piece."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A value with a status, headers or cookies of its own. `content` None with status 204 sends nothing."""

    content: T
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[Cookie] = ()


class Call:
    """One request as a handler sees it."""

    __slots__ = ("endpoint", "request")

    def __init__(self, request: Request[Any, Any, Any], endpoint: Endpoint) -> None:
        self.request = request
        self.endpoint = endpoint

    @property
    def principal(self) -> Principal:
        """Who calls; on a public route the anonymous user."""
        return current.get().principal

    @property
    def request_id(self) -> str:
        return current.get().request_id

    @property
    def address(self) -> str | None:
        return current.get().address

    @property
    def path(self) -> Mapping[str, str]:
        """Path parameters by their wire names."""
        return self.request.path_params

    @property
    def headers(self) -> Mapping[str, str]:
        return self.request.headers

    def service(self, name: str) -> Any:
        """A service given to the frame by name (`db`, `clock`, …)."""
        return self.request.app.state[name]

    @property
    def stamp(self) -> str:
        """Now, as deploy writes times."""
        return wire_time(self.service("clock").now())

    async def read(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        result: R = await self.service("db").read(verb, *args, **kwargs)
        return result

    async def write(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        result: R = await self.service("db").write(verb, *args, **kwargs)
        return result

    async def write_once(
        self,
        body: Any,
        verb: Callable[[Tx], dict[str, Any]],
        *,
        before: Callable[[Tx], object] | None = None,
        own: bool = False,
        sealed: bool = False,
    ) -> dict[str, Any]:
        """As `write`, and under the body's `idempotency_key`, where it has one, only once: see `idempotency.once`.

        `before` runs every time, also where the answer is one of before: what decides whether the caller may have it.
        `own`: a key is its caller's alone. `sealed`: the answer holds a secret, and is kept sealed.
        """
        key = body.idempotency_key
        scope = f"{self.endpoint.method} {self.request.url.path}"

        def unit(tx: Tx) -> dict[str, Any]:
            if before is not None:
                before(tx)
            if not isinstance(key, str) or (sealed and tx.principal.by_token):
                return verb(tx)  # a program is refused by the rule, not answered with what a person was told
            whose = f"{scope} {tx.principal.uid}" if own else scope
            return once(tx, whose, key, body, lambda: verb(tx), sealed=sealed)

        return await self.write(unit)


@dataclass
class Endpoint:
    """The declaration of one route: what the frame does with it and what the OpenAPI document says about it."""

    method: str
    path: str
    permission: str
    summary: str = ""
    key: str = ""
    status: int = 200
    body: Any = None
    query: Any = None
    response: Any = None
    done: Any = None
    stream: bool = False
    errors: tuple[tuple[int, str], ...] = ()
    body_required: bool = False
    raw_body: bool = False
    also: Mapping[int, str] = field(default_factory=dict)  # further statuses: what each means
    rate: Rate | None = None
    body_limit: int | None = None  # bytes; None: the frame's, or of a public route the guard's for strangers
    dialect: Dialect | None = None
    tags: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)  # request headers it reads: what each means
    shadowed: Mapping[str, str] = field(default_factory=dict)  # path parameter: the sibling literal that hides it
    elsewhere: bool = False  # the request names the organization that is meant: the handler decides in that one
    deploy_tokens: bool = False  # takes deploy tokens too, which no other route does
    installation: bool = False  # of the installation as a whole: its permission counts in the first organization alone
    narrowed: str | None = None  # "authenticated": the surface whose scopes open it to a narrowed token, "*" for any
    whole: bool = False  # it changes its caller's account: no scope reaches it, though one has its permission
    callers: tuple[str, ...] = ()  # whose credentials it takes: names in `Frame.callers`, `people` among them or not
    each: Rate | None = None  # how often one credential may call it
    place: Callable[[Request[Any, Any, Any]], AbstractContextManager[object]] | None = None  # held until it is answered

    def __deepcopy__(self, memo: dict[int, Any]) -> Endpoint:
        """A declaration is shared by every application that is built with it: it is never changed, and its decoders
        cannot be copied.
        """
        return self

    @cached_property
    def decoder(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(self.body)

    @cached_property
    def reader(self) -> QueryReader:
        return QueryReader(self.query)

    async def parse_body(self, request: Request[Any, Any, Any]) -> Any:
        """The body as its documented type. An empty body and `null` mean an object without fields."""
        raw = await request.body()
        return raw if self.raw_body else self.decoded(raw)

    def decoded(self, raw: bytes, *, cleaned: bool = False) -> Any:
        """A body as its documented type; `cleaned` by `storable_json` before. Raises `Malformed`."""
        if not raw.strip() or raw.strip() == b"null":
            raw = b"{}"
        if b"\\u0000" in raw and not cleaned:
            raise Malformed(Issue("invalid_text", (), "Texts may not contain the character U+0000."))
        try:
            try:
                return self.decoder.decode(raw)
            except msgspec.ValidationError as error:
                each = body_issues(msgspec.json.decode(raw), self.body) if len(raw) <= EXPLAINED else ()
                raise Malformed(*(each or [msgspec_issue(str(error))])) from None
        except UNREADABLE:
            raise Malformed(
                Issue("invalid_json", (), "The body is not valid JSON."), message="invalid JSON body"
            ) from None

    def parse_query(self, request: Request[Any, Any, Any]) -> Any:
        pairs = list(request.query_params.multi_items())
        if any("\x00" in text for _, text in pairs):
            raise Malformed(Issue("invalid_text", (), "Texts may not contain the character U+0000.", "query"))
        return self.reader.read(pairs)


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).replace("-", "_").lower()


def path_names(path: str) -> list[str]:
    """Path parameters in order: `/api/a/{b}/{c}` → ["b", "c"]."""
    return re.findall(r"{(\w+)", path)


def declare(endpoint: Endpoint, handler: Handler) -> HTTPRouteHandler:
    """Bind a function to its declaration. The function's parameters are filled by name:

    `call` (the Call), `body`, `query`, path parameters in snake case, and services of the frame (`db`, `fleet`, …).
    It returns the documented value, None, an `Answer`, an `EventStream`, or a Litestar response.
    """
    params = list(inspect.signature(handler).parameters)
    routed = {snake(name): name for name in path_names(endpoint.path)}
    services = [name for name in params if name not in {"call", "body", "query", *routed}]
    wants_body, wants_query, wants_call = "body" in params, "query" in params, "call" in params
    paths = [(name, wire) for name, wire in routed.items() if name in params]
    if wants_body and endpoint.body is None and not endpoint.raw_body:
        raise TypeError(f"{handler.__qualname__} takes a body, {endpoint.method} {endpoint.path} has none")

    async def handle(request: Request[Any, Any, Any]) -> ASGIApp:
        with endpoint.place(request) if endpoint.place else nullcontext():
            return await answer(request)

    async def answer(request: Request[Any, Any, Any]) -> ASGIApp:
        given: dict[str, Any] = {}
        if wants_call:
            given["call"] = Call(request, endpoint)
        for name, wire in paths:
            given[name] = request.path_params.get(wire) or endpoint.shadowed[wire]
        if endpoint.query is not None:
            asked = endpoint.parse_query(request)
            if wants_query:
                given["query"] = asked
        if wants_body:
            given["body"] = await endpoint.parse_body(request)
        for name in services:
            given[name] = request.app.state[name]
        return answered(await handler(**given), endpoint, request)

    handle.__name__ = handle.__qualname__ = handler.__name__
    handle.__module__ = handler.__module__
    handle.__doc__ = handler.__doc__
    handle.__annotations__ = {"request": Request, "return": ASGIApp}
    opt: dict[str, Any] = {"permission": endpoint.permission, "endpoint": endpoint, "key": endpoint.key}
    if endpoint.rate:
        opt["rate"] = endpoint.rate
    if endpoint.raw_body:
        opt["raw_body"] = True
    if endpoint.dialect:
        opt["dialect"] = endpoint.dialect
    if endpoint.elsewhere:
        opt["elsewhere"] = True
    if endpoint.deploy_tokens:
        opt["deploy_tokens"] = True
    if endpoint.installation:
        opt["installation"] = True
    if endpoint.narrowed:
        opt["narrowed"] = endpoint.narrowed
    if endpoint.whole:
        opt["whole"] = True
    if endpoint.callers:
        opt["callers"] = endpoint.callers
    if endpoint.each:
        opt["each"] = endpoint.each
    options: dict[str, Any] = {"request_max_body_size": endpoint.body_limit} if endpoint.body_limit else {}
    paths_served = [endpoint.path] + [
        endpoint.path.replace(f"{{{name}}}", literal) for name, literal in endpoint.shadowed.items()
    ]
    return SharingHandler(
        [litestar_path(path) for path in paths_served],
        http_method=endpoint.method,  # type: ignore[arg-type]
        status_code=200,  # the status is set by `answered`; 204 would forbid the return annotation
        opt=opt,
        include_in_schema=False,
        **options,
    )(handle)


def litestar_path(path: str) -> str:
    """`/a/{b}` as Litestar spells it: `/a/{b:str}`."""
    return re.sub(r"{(\w+)}", r"{\1:str}", path)


def answered(value: Any, endpoint: Endpoint, request: Request[Any, Any, Any]) -> ASGIApp:
    """What a handler returned, as something that answers."""
    status, headers, cookies = endpoint.status, None, None
    if isinstance(value, Answer):
        status, headers, cookies = value.status or status, dict(value.headers), value.cookies
        value = value.content
    if isinstance(value, EventStream):
        value.dialect = dialect_of(request)
        return value
    if isinstance(value, Response):
        return value.to_asgi_response(app=None, request=request)
    if isinstance(value, ASGIResponse):
        return value
    if status == 204:
        return ASGIResponse(status_code=204, headers=headers, cookies=cookies)
    if isinstance(value, bytes):
        media_type = (headers or {}).pop("content-type", "application/octet-stream")
        return ASGIResponse(body=value, status_code=status, headers=headers, cookies=cookies, media_type=media_type)
    body = _encode(value)
    return ASGIResponse(body=body, status_code=status, headers=headers, cookies=cookies, media_type="application/json")


def route(
    method: str, path: str, *, permission: str, summary: str = "", status: int = 200, **options: Any
) -> Callable[[Handler], HTTPRouteHandler]:
    """Declare a route by hand. Body, query and response types are read from the function's annotations.

    `options` are the remaining fields of `Endpoint` (`key`, `errors`, `rate`, `raw_body`, `also`, …).
    """

    def bind(handler: Handler) -> HTTPRouteHandler:
        hints = get_type_hints(handler, include_extras=True)
        given = {"body": hints.get("body"), "query": hints.get("query"), "response": documented(hints.get("return"))}
        if given["body"] is bytes:
            options.setdefault("raw_body", True)
            given["body"] = None
        text = summary or (inspect.getdoc(handler) or "").partition("\n")[0]
        stream = hints.get("return") is EventStream
        endpoint = Endpoint(method, path, permission, text, status=status, **{"stream": stream, **given, **options})
        return declare(endpoint, handler)

    return bind


def documented(annotation: Any) -> Any:
    """The type that a return annotation documents: `Answer[T]` is T, responses and streams are none."""
    if get_origin(annotation) is Answer:
        return documented(get_args(annotation)[0])
    if annotation in {None, type(None), Any, EventStream, Answer}:
        return None
    if isinstance(annotation, type) and issubclass(annotation, Response | ASGIResponse | bytes):
        return None
    return annotation


def handlers_of(*modules: ModuleType) -> list[HTTPRouteHandler | WebsocketRouteHandler]:
    """Every route that the modules declare, in order of declaration."""
    declared = (value for module in modules for value in vars(module).values())
    found = {id(value): value for value in declared if isinstance(value, HTTPRouteHandler | WebsocketRouteHandler)}
    return list(found.values())


__all__ = [
    "Answer",
    "Call",
    "Endpoint",
    "declare",
    "handlers_of",
    "route",
]
