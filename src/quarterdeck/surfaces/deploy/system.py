"""What this installation is and how it feels."""

from __future__ import annotations

import asyncio
from typing import Any

from quarterdeck import __version__
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.surfaces.deploy.operation import operation

NAME = "Quarterdeck"


@operation("system.providers.list")
async def list_providers(instance: Any) -> dict[str, Any]:
    return {"items": await instance.providers()}


@operation("system.doctor", installation=True)
async def doctor(instance: Any) -> dict[str, Any]:
    details, providers = await asyncio.gather(instance.health(), instance.providers())
    said = [one["severity"] for provider in providers for one in provider["configuration"]["diagnostics"]]
    good = all(details["checks"].values()) and not details["problems"] and "error" not in said
    return {
        "readiness": {
            "status": "ready" if good else "degraded",
            "checks": details["checks"],
            "details": {key: str(value) for key, value in details["facts"].items()},
        },
        "providers": providers,
        "plugins": [],
        "integrations": [],
        "maintenanceWorkers": [],
    }


async def _database(call: Call) -> bool:
    def ask(tx: Tx) -> bool:
        return tx.execute("SELECT 1").scalar() == 1

    try:
        return await call.read(ask)
    except Exception:  # noqa: BLE001 - whatever it is, the answer is no
        return False


@route("GET", "/api/version", permission="public")
async def version() -> dict[str, Any]:
    """What clients ask before anything else."""
    return {
        "name": NAME,
        "version": __version__,
        "apiVersion": "v1",
        "mode": "self-hosted",
        "features": {
            "actionDeployTokenAuth": False,
            "actionServerConfigDeploy": False,
            "sourcePackages": False,
            "serverSideConfigBootstrap": False,
        },
    }


@route("GET", "/api/health", permission="public")
async def health(call: Call) -> dict[str, str]:
    """Whether the process lives."""
    return {"status": "ok", "service": "quarterdeck", "version": __version__, "timestamp": call.stamp}


@route("GET", "/api/readiness", permission="public")
async def readiness(call: Call) -> Answer[dict[str, Any]]:
    """Whether requests can be served."""
    good = await _database(call)
    body = {"status": "ready" if good else "degraded", "checks": {"database": good, "migrations": True}}
    return Answer(body, status=200 if good else 503)
