"""Programs that come to some routes of the infra surface: foreign runners by id and token (contract: infra §2.3), and
the pipeline that publishes them by the secret of releases (§1.7).
"""

from __future__ import annotations

import hmac
from typing import Any

from litestar.connection import ASGIConnection

from quarterdeck.infra.runners import authenticating
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.errors import Unauthenticated
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.vault import Secret

Connection = ASGIConnection[Any, Any, Any, Any]
GENERATIONS = ("worker", "runner")
PIPELINE = Principal(kind="system", id=0, uid="release-secret", label="release secret")
"""As whom the pipeline acts. The routes that take the secret ask for no permission, and no other route takes it."""


def _shown(connection: Connection, what: str) -> str | None:
    """A header of either generation of programs."""
    found = (connection.headers.get(f"x-{one}-{what}") for one in GENERATIONS)
    return next((text for text in found if text), None)


def is_newer(call: Call) -> bool:
    """Whether the caller is a program of the newer generation, which calls workers runners."""
    return "x-runner-id" in call.headers


class RunnerCallers:
    """Knows foreign runners. Both headers belong together; either of them alone is nothing."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def credential(self, connection: Connection) -> str | None:
        return _shown(connection, "token") if _shown(connection, "id") else None

    def missing(self) -> Unauthenticated:
        return Unauthenticated("Missing X-Worker-ID or X-Worker-Token", code="runner_token_missing")

    async def authenticate(self, connection: Connection) -> Principal | None:
        said = _shown(connection, "id") or "", _shown(connection, "token") or ""
        return await self._db.read(authenticating.authenticate, *said)


class ReleaseCallers:
    """Knows the pipeline, where the operator has set a secret for it."""

    def __init__(self, secret: Secret[str] | None) -> None:
        self._whole = None if secret is None or not secret.reveal() else f"Bearer {secret.reveal()}".encode()

    def credential(self, connection: Connection) -> str | None:
        return connection.headers.get("authorization")

    def missing(self) -> Unauthenticated:
        return Unauthenticated("Unauthorized", code="release_secret_invalid")

    def knows(self, connection: Connection) -> bool:
        """Whether the request shows the secret, compared as a whole."""
        said = (self.credential(connection) or "").encode("utf-8", "surrogateescape")
        return self._whole is not None and hmac.compare_digest(said, self._whole)

    async def authenticate(self, connection: Connection) -> Principal | None:
        if not self.knows(connection):
            raise self.missing()
        return PIPELINE
