"""Every documented deploy operation, declared but empty: what the whole surface looks like to routing and OpenAPI."""

from __future__ import annotations

from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from quarterdeck.app import handlers
from quarterdeck.kernel.http.application import Frame, build
from quarterdeck.kernel.principal import Principal
from quarterdeck.surfaces.addresses import DIALECTS, rewritten
from quarterdeck.surfaces.deploy.contract import every_operation
from quarterdeck.surfaces.deploy.operation import operation


class Open:
    async def authenticate(self, connection: object) -> Principal:
        return Principal(kind="user", id=1, uid="user", label="user")

    async def require(self, principal: Principal, permission: str, connection: object) -> None:
        return None


def empty(key: str) -> HTTPRouteHandler:
    async def handler(call: Any) -> dict[str, Any]:
        return {"key": key, "path": dict(call.path)}

    handler.__name__ = key.replace(".", "_").replace("-", "_").replace("/", "_")
    return operation(key)(handler)


def whole_surface() -> Litestar:
    return _built([empty(row.key) for row in every_operation()])


def served() -> Litestar:
    """Every route that the program serves."""
    return _built(handlers())


def _built(routes: list[Any]) -> Litestar:
    doors = Open()
    return build(routes, Frame(authenticator=doors, authorizer=doors, dialects=DIALECTS, rewrite=rewritten))
