"""The scraper on this machine: it reads `/metrics` without a credential, and nothing else."""

from __future__ import annotations

import ipaddress
from typing import Any

from litestar.connection import ASGIConnection

from quarterdeck.kernel.http.guard import OWN_NAMES
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.protocols import Authenticator, Authorizer

PATH = "/metrics"
PERMISSION = "metrics:read"
SCRAPER = Principal(kind="system", id=0, uid="scraper", label="scraper on this machine")
RELAYED = ("x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip", "via")


class Probing:
    """Stands before the authenticator and the authorizer of everybody else."""

    def __init__(self, authenticator: Authenticator, authorizer: Authorizer) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer

    async def authenticate(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Principal | None:
        if connection.scope["path"] == PATH and "authorization" not in connection.headers and nearby(connection):
            return SCRAPER
        return await self._authenticator.authenticate(connection)

    async def require(
        self, principal: Principal, permission: str, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> None:
        if principal is not SCRAPER or permission != PERMISSION:
            await self._authorizer.require(principal, permission, connection)


def nearby(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Asked by a program of this machine itself: no proxy relays it, and no page in a browser that was led here by a
    name of its own.
    """
    client = connection.scope.get("client")
    try:
        local = client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        local = False
    host = connection.headers.get("host", "").lower()
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return local and name in OWN_NAMES and not any(header in connection.headers for header in RELAYED)
