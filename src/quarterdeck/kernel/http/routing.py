"""Litestar's router and application without what costs a start: half a second where there are 400 routes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from litestar import Litestar, Router
from litestar.plugins.core import MsgspecDIPlugin
from litestar.routes import HTTPRoute, WebSocketRoute


class ByPath(Mapping[str, dict[Any, Any]]):
    """A router's handlers by path and method, asked for with each handler that is registered: Litestar would look
    through all routes each time. Routes are only added to the list, or replaced by one of the same path.
    """

    def __init__(self, routes: list[Any]) -> None:
        self._routes = routes
        self._seen = 0
        self._places: dict[str, list[int]] = {}

    def _known(self) -> dict[str, list[int]]:
        for place in range(self._seen, len(self._routes)):
            self._places.setdefault(self._routes[place].path, []).append(place)
        self._seen = len(self._routes)
        return self._places

    def __getitem__(self, path: str) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for route in (self._routes[place] for place in self._known()[path]):
            if isinstance(route, HTTPRoute):
                found |= {method: handler for handler in route.route_handlers for method in handler.http_methods}
            else:
                found["websocket" if isinstance(route, WebSocketRoute) else "asgi"] = route.route_handler
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())


class ByPathRouter(Router):
    """A router that answers by `ByPath`."""

    @property
    def route_handler_method_map(self) -> Any:
        found = self.__dict__.get("_by_path")
        if found is None:
            found = self.__dict__["_by_path"] = ByPath(self.routes)
        return found


class Routes(ByPathRouter):
    """A router that is made for one application. Litestar copies a router with all that it holds when it is
    registered, for it may be registered again; this one is registered as it is.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Application(ByPathRouter, Litestar):
    """No plug-ins but those that we use: the one for pydantic alone imports all of pydantic's former version."""

    @staticmethod
    def _get_default_plugins(plugins: list[Any]) -> list[Any]:
        return [*plugins, MsgspecDIPlugin()]
