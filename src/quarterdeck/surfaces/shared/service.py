"""What probes and scrapers ask, and the description of the API."""

from __future__ import annotations

import asyncio
from typing import Any

from quarterdeck import __version__, figures
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Answer, Call, route

READY_SECONDS = 2


@route("GET", "/healthz", permission="public")
async def healthz() -> dict[str, str]:
    """Answers as soon as the process lives."""
    return {"status": "ok", "version": __version__}


@route("GET", "/readyz", permission="public", also={503: "not ready"})
async def readyz(call: Call, instance: Any) -> Answer[dict[str, Any]]:
    """Answers 200 when requests can be served."""

    def ask(tx: Tx) -> object:
        return tx.execute("SELECT 1").scalar()

    if instance.stopping.is_set():
        return Answer({"status": "not_ready", "reason": "stopping"}, status=503)
    try:
        async with asyncio.timeout(READY_SECONDS):
            await call.read(ask)
    except Exception:  # noqa: BLE001 - whatever it is, the answer is no
        return Answer({"status": "not_ready", "failures": {"database": "unavailable"}}, status=503)
    if instance.sole is not None and not instance.sole.held:
        return Answer({"status": "not_ready", "failures": {"database": "not_held"}}, status=503)
    if instance.settings.beside and not await instance.standing.reaches_working():
        return Answer({"status": "not_ready", "failures": {"workingServer": "away"}}, status=503)
    if not instance.logs.alive:
        return Answer({"status": "not_ready", "failures": {"logs": "writer_ended"}}, status=503)
    answer: dict[str, Any] = {"status": "ready"}
    if instance.standing is not None and (instance.settings.beside or instance.standing.others):
        answer |= {"stands": "beside" if instance.settings.beside else "working"}
        answer |= {"servers": 1 + len(instance.standing.others)}
    return Answer(answer)


@route("GET", "/metrics", permission="metrics:read", installation=True)
async def metrics(instance: Any) -> Answer[bytes]:
    """Figures for Prometheus. A scraper on this machine needs no credential."""
    kind, text = await figures.collect(instance)
    return Answer(text, headers={"content-type": kind})


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
