"""Who calls: sessions by bearer token or by any of the documented cookies."""

from __future__ import annotations

from typing import Any, NoReturn

from litestar.connection import ASGIConnection

from quarterdeck.access import Access
from quarterdeck.identity import deploy_tokens, personal_tokens, sessions
from quarterdeck.identity.machine import Machine
from quarterdeck.identity.sessions import Signer
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.errors import Unauthenticated
from quarterdeck.kernel.http.application import dialect_of
from quarterdeck.kernel.http.dialects import Infra
from quarterdeck.kernel.principal import Principal

COOKIES = ("qd_session", "better-auth.session_token", "sb_session")
"""All three name the same session; the first is the one that the console sets."""


class SessionAuthenticator:
    """Looks at `Authorization` first and alone; at cookies only without one."""

    def __init__(self, db: Database, signer: Signer) -> None:
        self._db = db
        self._signer = signer

    async def authenticate(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Principal | None:
        header = connection.headers.get("authorization")
        if header is not None:
            principal = await self._bearer(header, deploy_tokens_too=bool(_option(connection, "deploy_tokens")))
            return principal or await self._refuse(header, connection)
        for name in COOKIES:
            presented = connection.cookies.get(name)
            token = self._signer.plain(presented) if presented else None
            principal = await self._session(token) if token else None
            if principal is not None:
                return principal
        return None

    async def _bearer(self, header: str, *, deploy_tokens_too: bool) -> Principal | None:
        scheme, _, presented = header.partition(" ")
        presented = presented.strip()
        principal: Principal | None = None
        if deploy_tokens_too and scheme.lower() == "bearer" and presented.startswith(deploy_tokens.PREFIX):
            return await self._pipeline(presented)
        if scheme.lower() == "bearer" and presented.startswith(personal_tokens.PREFIX):
            principal = await self._personal(presented)
        elif scheme.lower() == "bearer" and (token := self._signer.plain(presented)):
            principal = await self._session(token)
        return principal

    async def _refuse(self, header: str, connection: ASGIConnection[Any, Any, Any, Any]) -> NoReturn:
        """The infra surface tells no token, a bad one and one of the wrong kind apart (contract: infra §1); the others
        document one word for all (contract: deploy §1.3).
        """
        scheme, _, presented = header.partition(" ")
        token = self._signer.plain(presented.strip())
        code = None
        if isinstance(dialect_of(connection), Infra) and scheme.lower() == "bearer" and presented.strip():
            wrong = bool(token) and await self._db.read(sessions.only_exchanges, token)
            code = "token_type_wrong" if wrong else "product_auth_invalid"
        raise Unauthenticated(
            "The Authorization header names no valid credential.",
            code=code,
            hint="Sign in again, or send a valid token as `Authorization: Bearer …`.",
        )

    async def _pipeline(self, token: str) -> Principal:
        principal = await self._db.write(deploy_tokens.authenticate, token)
        if principal is None:
            raise Unauthenticated(
                "The deploy token is unknown, expired or revoked.",
                code="action_auth_invalid",
                hint="Make a new one, or rotate it, and give it to the pipeline.",
            )
        return principal

    async def _session(self, token: str) -> Principal | None:
        found = await self._db.read(sessions.presented, token)
        if found is None:
            return None
        principal, is_news = found
        if is_news:
            await self._db.write(sessions.note_use, token)
        return principal

    async def _personal(self, token: str) -> Principal | None:
        found = await self._db.read(personal_tokens.authenticate, token)
        if found is None:
            return None
        principal, is_news = found
        if is_news:
            await self._db.write(personal_tokens.note_use, principal.credential)
        return principal


class CatalogueAuthorizer:
    """Asks the one decision function, with a snapshot that every change of grants drops."""

    def __init__(self, db: Database, access: Access) -> None:
        self._db = db
        self._access = access

    async def require(
        self, principal: Principal, permission: str, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> None:
        await self._access.ready(self._db)
        self._access.require(principal, permission, anywhere=bool(_option(connection, "elsewhere")))
        if _option(connection, "installation"):
            await self._db.read(Machine(self._access).require, permission)


def _option(connection: ASGIConnection[Any, Any, Any, Any], name: str) -> Any:
    """What the route that is called declares."""
    return connection.route_handler.opt.get(name)
