"""A small application inside the whole frame, for the tests of this room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Litestar, Request, post
from litestar.connection import ASGIConnection

from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.errors import Conflict, Forbidden, ProviderFailure, Unauthenticated
from quarterdeck.kernel.http.application import Frame, build
from quarterdeck.kernel.http.dialects import Broker, Deploy, Dialects, Infra, Runbooks, Shared, Tasks
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.kernel.http.sse import Event, EventStream, done
from quarterdeck.kernel.http.websocket import Socket, socket
from quarterdeck.kernel.limits import Limiter, Rate
from quarterdeck.kernel.principal import Principal

USER = Principal(kind="user", id=1, uid="user-1", label="Ada")
SURFACES = {"deploy": Deploy(), "tasks": Tasks(), "runbooks": Runbooks(), "infra": Infra(), "broker": Broker()}
DIALECTS = Dialects({f"/{name}": dialect for name, dialect in SURFACES.items()} | {"/shared": Shared()}, Deploy())


class Doors:
    """Knows one token and one cookie; refuses the permission `forbidden`."""

    async def authenticate(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Principal | None:
        if token := connection.headers.get("authorization"):
            if token == "Bearer good":
                return USER
            raise Unauthenticated("This token is not valid.", code="product_auth_invalid")
        return USER if connection.cookies.get("qd_session") == "good" else None

    async def require(self, principal: Principal, permission: str, connection: object) -> None:
        if permission == "forbidden":
            raise Forbidden(f"{principal.label} may not do this.")


class Inner(msgspec.Struct, rename="camel"):
    port_number: int


class Body(msgspec.Struct, rename="camel", kw_only=True):
    full_name: str
    items: list[Inner] = []
    inner: Inner | msgspec.UnsetType = msgspec.UNSET


class Query(msgspec.Struct, rename="camel", kw_only=True):
    page_size: int = 20
    archived: bool | msgspec.UnsetType = msgspec.UNSET
    tags: list[str] = []
    dotted: str | msgspec.UnsetType = msgspec.field(name="scope.kind", default=msgspec.UNSET)


class Frames(msgspec.Struct):
    text: str


class Sources:
    """What the streams of the test application leave behind."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()


def surface(name: str) -> list[Any]:
    @route("POST", f"/{name}/things", permission="things:create", status=201, key=f"{name}.create")
    async def create(call: Call, body: Body) -> Body:
        """Create a thing."""
        if body.full_name == "taken":
            raise Conflict("That name is taken.", code="thing_slug_conflict", hint="Choose another.")
        if body.full_name == "down":
            raise ProviderFailure("The engine does not answer.")
        if body.full_name == "defect":
            raise RuntimeError("secret-in-the-message")
        return body

    @route("GET", f"/{name}/things", permission="things:list", key=f"{name}.list")
    async def index(query: Query) -> dict[str, Any]:
        return {"query": msgspec.to_builtins(query)}

    @route("GET", f"/{name}/things/{{thingId}}", permission="authenticated", key=f"{name}.show")
    async def show(call: Call, thing_id: str) -> dict[str, Any]:
        return {"id": thing_id, "address": call.address, "principal": call.principal.uid}

    @route("DELETE", f"/{name}/things/{{thingId}}", permission="forbidden", status=204, key=f"{name}.delete")
    async def delete(thing_id: str) -> None:
        return None

    return [create, index, show, delete]


@route("GET", "/deploy/open", permission="public")
async def open_door(call: Call) -> dict[str, Any]:
    return {"principal": call.principal.uid, "kind": call.principal.kind}


@route("POST", "/shared/login", permission="public", rate=Rate(2, 60))
async def login() -> Answer[dict[str, Any]]:
    return Answer({"ok": True}, status=202, headers={"x-extra": "yes"})


@route("POST", "/deploy/raw", permission="public", body_limit=10)
async def raw(body: bytes) -> dict[str, int]:
    return {"length": len(body)}


@route("POST", "/shared/knock", permission="public")
async def knock(body: Body) -> Body:
    return body


@post("/deploy/knock", opt={"permission": "public", "raw_body": True})
async def knock_by_form(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return dict(await request.form())


@post("/deploy/form", opt={"permission": "things:create", "raw_body": True})
async def form(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return dict(await request.form())


@route("GET", "/deploy/stream/{how}", permission="authenticated")
async def stream(how: str, sources: Sources) -> EventStream:
    async def events() -> AsyncIterator[Any]:
        try:
            yield Event({"n": 1}, id=7)
            if how == "fails":
                raise Conflict("The stream broke.", code="stream_conflict")
            if how == "waits":
                await asyncio.sleep(60)
            yield done({"last": True})
        finally:
            sources.closed.set()

    return EventStream(events(), keep_alive=0.05)


@socket("/deploy/echo/{room}", permission="things:echo", frames={"client": [Frames], "server": [Frames]})
async def echo(socket: Socket, room: str) -> None:
    """Say it again."""
    async for frame in socket.frames(Frames):
        await socket.send(Frames(text=f"{room}: {frame.text}"))


def application(**options: Any) -> Litestar:
    clock = HeldClock()
    handlers = [handler for name in SURFACES for handler in surface(name)]
    doors = Doors()
    frame = Frame(
        dialects=DIALECTS,
        services={"clock": clock, "sources": Sources()},
        **{"authenticator": doors, "authorizer": doors, "limiter": Limiter(clock), **options},
    )
    return build([*handlers, open_door, login, raw, knock, knock_by_form, form, stream, echo], frame)
