"""The frame as a whole: handlers in, Litestar application out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from litestar import Litestar, Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.types import ControllerRouterHandler, Scope

from quarterdeck.kernel.http.arriving import ArrivingRequest
from quarterdeck.kernel.http.dialects import Dialect, Dialects
from quarterdeck.kernel.http.failures import failure_of
from quarterdeck.kernel.http.guard import Guard, check_declared
from quarterdeck.kernel.http.perimeter import Perimeter, Rewrite, Surroundings, rendered
from quarterdeck.kernel.http.routing import Application, Routes
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.limits import Limiter, Rate
from quarterdeck.kernel.principal import current
from quarterdeck.kernel.protocols import Authenticator, Authorizer, Callers

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]
__all__ = ["AsyncGenerator", "Frame", "build", "dialect_of"]


@dataclass(frozen=True)
class Frame:
    """Everything the frame needs to know that is not a route."""

    authenticator: Authenticator
    authorizer: Authorizer
    dialects: Dialects
    rewrite: Rewrite | None = None
    respell: Rewrite | None = None  # the same of methods: (method, path) -> the method that routing sees
    callers: Mapping[str, Callers] = field(default_factory=dict)  # who comes to some routes beside people, by name
    surroundings: Surroundings = field(default_factory=Surroundings)
    services: Mapping[str, Any] = field(default_factory=dict)  # what handlers may ask for by name: db, clock, …
    ids: Ids = field(default_factory=Ids)
    limiter: Limiter = field(default_factory=Limiter)
    per_credential: Rate | None = None
    per_address: Rate | None = None
    per_runner: Rate | None = None
    body_limit: int = 10_000_000  # bytes; a handler may set its own


def build(handlers: Sequence[ControllerRouterHandler], frame: Frame, *, lifespan: Sequence[Lifespan] = ()) -> Litestar:
    """The application. Raises ImproperlyConfiguredException when a route declares no permission."""
    guard = Guard(
        frame.authenticator,
        frame.authorizer,
        callers=frame.callers,
        limiter=frame.limiter,
        per_credential=frame.per_credential,
        per_address=frame.per_address,
        per_runner=frame.per_runner,
        public_url=frame.surroundings.public_url,
    )
    app = Application(
        route_handlers=[Routes(path="/", route_handlers=list(handlers))],
        guards=[guard],
        exception_handlers={Exception: refuse},
        after_exception=[prepare],
        request_class=ArrivingRequest,
        request_max_body_size=frame.body_limit,
        openapi_config=None,
        logging_config=None,
        state=State({**frame.services, "frame": frame, "guard": guard}, deep_copy=False),
        lifespan=list(lifespan),
    )
    check_declared(app)
    app.asgi_handler = Perimeter(
        app.asgi_handler,
        dialects=frame.dialects,
        surroundings=frame.surroundings,
        ids=frame.ids,
        rewrite=frame.rewrite,
        respell=frame.respell,
    )
    return app


def dialect_of(request: ASGIConnection[Any, Any, Any, Any]) -> Dialect:
    """The dialect of the handler when it names one, else of the address."""
    handler = request.scope.get("route_handler")
    named = handler.opt.get("dialect") if handler is not None else None
    if isinstance(named, Dialect):
        return named
    dialects: Dialects = request.app.state["frame"].dialects
    return dialects.at(request.scope["path"])


async def prepare(error: Exception, scope: Scope) -> None:
    """Let a route that declares `opt["before_failure"]` read what its answer to a failure needs: exception handlers
    read nothing, and what fails here is a failure of its own.
    """
    handler = scope.get("route_handler")
    if handler is not None and (reading := handler.opt.get("before_failure")) is not None:
        await reading(error, scope)


def refuse(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The one exception handler: any failure, in the words of the surface that was called."""
    status, body, headers = rendered(dialect_of(request), failure_of(error, current.get().request_id))
    media_type = headers.pop("content-type")
    return Response(content=body, status_code=status, media_type=media_type, headers=headers)
