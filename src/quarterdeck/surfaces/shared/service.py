"""What probes and scrapers ask, and the description of the API."""

from __future__ import annotations

from typing import Any

from quarterdeck import __version__
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Answer, Call, route


@route("GET", "/healthz", permission="public")
async def healthz() -> dict[str, str]:
    """Answers as soon as the process lives."""
    return {"status": "ok", "version": __version__}


@route("GET", "/readyz", permission="public", also={503: "not ready"})
async def readyz(call: Call) -> Answer[dict[str, str]]:
    """Answers 200 when requests can be served."""

    def ask(tx: Tx) -> object:
        return tx.execute("SELECT 1").scalar()

    try:
        await call.read(ask)
    except Exception:  # noqa: BLE001 - whatever it is, the answer is no
        return Answer({"status": "database unavailable"}, status=503)
    return Answer({"status": "ready"})


@route("GET", "/openapi.json", permission="public")
async def openapi(document: Any) -> dict[str, Any]:
    """The OpenAPI document of every surface."""
    described: dict[str, Any] = document()
    return described


@route("GET", "/api/openapi.json", permission="public")
async def deploy_openapi(document: Any) -> dict[str, Any]:
    """The OpenAPI document of every surface."""
    described: dict[str, Any] = document()
    return described
