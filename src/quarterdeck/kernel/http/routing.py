"""Litestar's router and application without what costs a start: half a second where there are 400 routes."""

from __future__ import annotations

from typing import Any, Self

from litestar import Litestar, Router
from litestar.plugins.core import MsgspecDIPlugin


class Routes(Router):
    """A router that is made for one application. Litestar copies a router with all that it holds when it is
    registered, for it may be registered again; this one is registered as it is.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Application(Litestar):
    """No plug-ins but those that we use: the one for pydantic alone imports all of pydantic's former version."""

    @staticmethod
    def _get_default_plugins(plugins: list[Any]) -> list[Any]:
        return [*plugins, MsgspecDIPlugin()]
