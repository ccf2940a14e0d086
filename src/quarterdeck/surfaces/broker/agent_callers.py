"""Foreign agents, which come to their own routes by the id in the address and their secret (contract: broker §1.2)."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection

from quarterdeck.broker.agents import authenticating
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.errors import Unauthenticated
from quarterdeck.kernel.principal import Principal
from quarterdeck.surfaces.broker import shapes

Connection = ASGIConnection[Any, Any, Any, Any]
HEADER = "x-agent-secret"


class AgentCallers:
    """The secret counts for the agent that the address names, and on no route that does not take it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def credential(self, connection: Connection) -> str | None:
        shapes.uid(str(connection.path_params.get("id", "")), "agent id")
        return connection.headers.get(HEADER) or None

    def missing(self) -> Unauthenticated:
        return Unauthenticated("X-Agent-Secret header required", code="agent_secret_missing", hint="Send the secret.")

    async def authenticate(self, connection: Connection) -> Principal | None:
        uid = shapes.uid(str(connection.path_params.get("id", "")), "agent id")
        return await self._db.read(authenticating.authenticate, uid, connection.headers.get(HEADER) or "")
