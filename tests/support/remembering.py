"""What Litestar works out of the program's routes is the same in each application of a run: thousands of tests make one
of their own, and two thirds of the time of most went there.
"""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeVar

import pytest
from jinja2.bccache import Bucket, BytecodeCache
from litestar import Litestar
from litestar._asgi.asgi_router import ASGIRouter
from litestar._kwargs import KwargsModel
from litestar._signature import SignatureModel
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.events.emitter import SimpleEventEmitter
from litestar.handlers import BaseRouteHandler
from litestar.utils.signature import ParsedSignature
from sqlalchemy import URL, Dialect, Engine, create_engine

from quarterdeck.kernel.db import postgresql, sqlite
from quarterdeck.kernel.http import application
from quarterdeck.kernel.http.routing import Application, Routes

App = TypeVar("App", bound=Litestar)
STATEMENTS = 5000
MANY = 100
"""Handlers, from which on it is the program that is served, and not what a test wants to try."""
ROUTING = (
    "_mount_paths_regex", "_mount_routes", "_plain_routes", "_registered_routes", "handle_routing",
    "root_route_map_node", "route_handler_index", "route_mapping",
)  # fmt: skip
OPTIONS = "HTTPRoute.create_options_handler.<locals>.options_handler"


def remember_routes(patch: pytest.MonkeyPatch) -> None:
    """Register the routes of the whole program once. Each application has its own state, guard and lifespan; its routes
    are those of the first.
    """
    patch.setattr(application, "Routes", _Given)
    patch.setattr(application, "Application", _Applications())
    if "quarterdeck.app" in sys.modules:  # who has not imported it makes no application, and need not wait for one
        from quarterdeck import app
        from quarterdeck.console import composition

        patch.setattr(app, "handlers", cache(app.handlers))
        patch.setattr(composition, "console_handlers", cache(composition.console_handlers))


def remember_pages(patch: pytest.MonkeyPatch) -> None:
    """Read and compress the console's files once, and compile each of its templates once."""
    if "quarterdeck.console" in sys.modules:
        from quarterdeck.console import render

        patch.setattr(render, "Assets", cache(render.Assets))
        patch.setattr(render, "Environment", partial(render.Environment, bytecode_cache=_Compiled()))


def remember_statements(patch: pytest.MonkeyPatch) -> None:
    """Compile a statement once for each kind of database: SQLAlchemy would for each engine, and so in each test."""
    engines = _Engines()
    for module in (sqlite, postgresql):
        patch.setattr(module, "create_engine", engines)


class _Engines:
    """Stands in for `create_engine`."""

    def __init__(self) -> None:
        self._known: dict[type[Dialect], tuple[Dialect, Any]] = {}

    def __call__(self, url: str | URL, **options: Any) -> Engine:
        made = create_engine(url, query_cache_size=STATEMENTS, **options)
        dialect, statements = self._known.get(type(made.dialect), (None, None))
        if dialect is None or dialect.server_version_info is None:  # that engine was made, and has never connected
            self._known[type(made.dialect)] = (made.dialect, made._compiled_cache)
        else:  # together: a statement is compiled for a dialect
            made.dialect, made._compiled_cache = dialect, statements
        return made


class _Compiled(BytecodeCache):
    """What templates compile to, by their text."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key, bucket.checksum] = bucket.code


class _Given:
    """Stands in for `Routes` until it is known whether they have been registered before."""

    def __init__(self, path: str, route_handlers: list[Any]) -> None:
        self.path, self.handlers = path, route_handlers

    def routes(self) -> Routes:
        return Routes(path=self.path, route_handlers=self.handlers)


class _Applications:
    """Stands in for `Application`."""

    def __init__(self) -> None:
        # With the handlers themselves: another one might come to lie where one has been that is gone.
        self._known: dict[tuple[int, ...], tuple[list[Any], Application]] = {}

    def __call__(self, *, route_handlers: list[_Given], **options: Any) -> Application:
        [given] = route_handlers
        if len(given.handlers) < MANY:
            return Application(route_handlers=[given.routes()], **options)
        key = (options["request_max_body_size"], *map(id, given.handlers))
        if key not in self._known:
            unframed = {**options, "guards": [_guard], "state": None, "lifespan": []}
            self._known[key] = (given.handlers, Application(route_handlers=[given.routes()], **unframed))
        made = alike(self._known[key][1], options["state"])
        made.guards, made._lifespan_managers = options["guards"], list(options["lifespan"])
        return made


def alike(known: App, state: State) -> App:
    """An application with the routes of a known one, and with its own state."""
    made = copy.copy(known)
    made.state = state
    made.event_emitter = SimpleEventEmitter(listeners=[])
    made.asgi_router = router = ASGIRouter(app=made)
    for name in ROUTING:
        setattr(router, name, getattr(known.asgi_router, name))
    made.asgi_handler = made._create_asgi_handler()
    return made


async def _guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """That of the application which was called: handlers know but the one that they were registered with."""
    [guard] = connection.scope["litestar_app"].guards
    await guard(connection, handler)


def remember(patch: pytest.MonkeyPatch) -> None:
    """Ask Litestar once for each function, signature and path. What depends on more than these is asked anew."""
    _once(patch, ParsedSignature, "from_fn", lambda given: (_of(given["fn"]),))
    _once(
        patch, SignatureModel, "create",
        lambda given: None if given["data_dto"] else (_of(given["fn"]), *sorted(given["dependency_name_set"])),
    )  # fmt: skip
    _once(
        patch, KwargsModel, "create_for_signature_model",
        lambda given: None if given["dependencies"] or given["layered_parameters"]
        else (given["signature_model"], *sorted(given["path_parameters"])),
    )  # fmt: skip


def _of(function: Any) -> Any:
    """Litestar makes a function that answers OPTIONS for each path; they are all alike."""
    return OPTIONS if getattr(function, "__qualname__", "") == OPTIONS else function


def _once(patch: pytest.MonkeyPatch, owner: type, name: str, key: Callable[[dict[str, Any]], Any]) -> None:
    make = getattr(owner, name)
    signature = inspect.signature(make)
    known: dict[Any, Any] = {}

    def remembered(*given: Any, **named: Any) -> Any:
        bound = signature.bind(*given, **named)
        bound.apply_defaults()
        found = key(bound.arguments)
        if found is None:
            return make(*given, **named)
        if found not in known:
            known[found] = make(*given, **named)
        return known[found]

    patch.setattr(owner, name, staticmethod(remembered))
