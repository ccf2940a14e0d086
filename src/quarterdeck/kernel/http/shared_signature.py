"""Routes whose functions have the same signature share what the framework reads of it (ADR 0034).

It would make a class, a description of every parameter and a reader for each route: with a thousand of them eight
megabytes that stay, and a tenth of a second of each start.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.types import Scope
from litestar.utils.signature import ParsedSignature

WORD = re.compile(r"\w+")
_SIGNATURES: dict[Any, ParsedSignature] = {}
_MODELS: dict[Any, Any] = {}
_READERS: dict[Any, Any] = {}

if TYPE_CHECKING:
    Shared = HTTPRouteHandler
else:
    Shared = object


class Sharing(Shared):
    """Stands before a handler of Litestar's."""

    __slots__ = ()

    @property
    def parsed_fn_signature(self) -> ParsedSignature:
        key = self._known_by()
        if key not in _SIGNATURES:
            _SIGNATURES[key] = super().parsed_fn_signature
        return _SIGNATURES[key]

    @property
    def signature_model(self) -> Any:
        key = self._known_by()
        if key not in _MODELS:
            _MODELS[key] = super().signature_model
        return _MODELS[key]

    def create_kwargs_model(self, path_parameters: Any) -> Any:
        key = self._known_by()
        asked = frozenset(path_parameters) & {name for name, _, _ in key[0]}
        if (key, asked) not in _READERS:
            named = {name: path_parameters[name] for name in asked}
            _READERS[key, asked] = super().create_kwargs_model(path_parameters=named)
        return _READERS[key, asked]

    def _known_by(self) -> Any:
        """The parameters of the function and what it answers, and what the layers above add to a signature."""
        layers = self.ownership_layers
        return (
            *_signature(self.fn),
            frozenset(self.dependency_name_set),
            frozenset(name for layer in layers for name in getattr(layer, "parameters", None) or ()),
            tuple(id(one) for layer in layers for one in getattr(layer, "type_decoders", None) or ()),
            tuple(id(layer.dto) for layer in layers if getattr(layer, "dto", None)),
        )


@cache
def _signature(function: Any) -> tuple[Any, ...]:
    """Of each parameter its name, its type and its default, and the type of the answer. A type that is written as text
    is what its first word means where the function stands.
    """
    hints = function.__annotations__

    def typed(name: str) -> Any:
        hint = hints.get(name)
        word = WORD.match(hint) if isinstance(hint, str) else None
        return hint, id(function.__globals__.get(word.group())) if word is not None else None

    named = inspect.signature(function).parameters
    return tuple((name, typed(name), repr(one.default)) for name, one in named.items()), typed("return")


class SharingHandler(Sharing, HTTPRouteHandler):
    """`HTTPRouteHandler` that shares."""


@contextmanager
def shared_options() -> Iterator[None]:
    """While it lasts, the handlers of OPTIONS that the framework makes for each address share, too."""
    own = HTTPRoute.create_options_handler

    def create_options_handler(route: HTTPRoute, path: str) -> HTTPRouteHandler:
        def options_handler(scope: Scope) -> Response[None]:  # noqa: ARG001 - the framework's own asks for it
            return Response(None, status_code=204, headers={"Allow": ", ".join(sorted(route.methods))})

        return SharingHandler(path, http_method=["OPTIONS"], include_in_schema=False, sync_to_thread=False)(
            options_handler
        )

    HTTPRoute.create_options_handler = create_options_handler  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        HTTPRoute.create_options_handler = own  # type: ignore[method-assign]


def get(path: str | list[str], **options: Any) -> SharingHandler:
    """Litestar's `get`, for a handler that shares."""
    return SharingHandler(path, http_method="GET", **options)


def post(path: str | list[str], **options: Any) -> SharingHandler:
    """Litestar's `post`, for a handler that shares."""
    return SharingHandler(path, http_method="POST", **options)
