"""Asking ArgoCD how applications stand (contract: broker §10). Nothing but GET is ever sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec

from quarterdeck.kernel.errors import Problem, ProviderFailure
from quarterdeck.kernel.text import shown
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify import addresses

SECONDS = 15.0
LARGEST = 8 << 20
"""Bytes of an answer."""
MOST_RESOURCES, MOST_APPLICATIONS = 200, 2000
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Server:
    """Where and how one is asked. `near`: private addresses may be called."""

    base_url: str
    token: Secret[str]
    ca_pem: str | None = None
    server_name: str | None = None
    near: bool = False


@dataclass(frozen=True, slots=True)
class Application:
    """How one stands; "" for what ArgoCD does not say. `reconciled_at` and `finished_at` (of the last operation) tell
    whether that is news.
    """

    name: str
    namespace: str = ""
    project: str = ""
    destination_server: str = ""
    destination_cluster: str = ""
    destination_namespace: str = ""
    health_status: str = ""
    health_message: str = ""
    sync_status: str = ""
    sync_revision: str = ""
    operation_phase: str = ""
    reconciled_at: datetime | None = None
    finished_at: datetime | None = None
    resources: tuple[Mapping[str, str], ...] = field(default=())
    resource_count: int = 0


async def applications(server: Server, project: str | None = None) -> list[Application]:
    """All of them, or those of a project. Raises `ProviderFailure` (`argocd_refused`, `argocd_unreachable`)."""
    query = f"?{urlencode({'projects': project})}" if project else ""
    found = await _get(server, f"/api/v1/applications{query}")
    items = found.get("items") or []
    if not isinstance(items, list):
        raise _garbage()
    return [_application(one) for one in items[:MOST_APPLICATIONS] if isinstance(one, dict)]


async def application(server: Server, name: str) -> Application:
    """One, with what it consists of. Raises as `applications`."""
    path = f"/api/v1/applications/{quote(name, safe='')}"
    whole = _application(await _get(server, path))
    nodes = (await _get(server, f"{path}/resource-tree")).get("nodes") or []
    nodes = [one for one in nodes if isinstance(one, dict)] if isinstance(nodes, list) else []
    resources = tuple(_resource(one) for one in nodes[:MOST_RESOURCES])
    return replace(whole, resources=resources, resource_count=len(nodes))


async def _get(server: Server, path: str) -> dict[str, Any]:
    called = await addresses.resolve(f"{server.base_url}{path}", near=server.near)
    context = httpx.create_ssl_context() if server.ca_pem is None else ssl.create_default_context(cadata=server.ca_pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    headers = {
        "Host": called.authority,
        "Authorization": f"Bearer {server.token.reveal()}",
        "Accept": "application/json",
        "User-Agent": "Quarterdeck",
    }
    name = {"sni_hostname": server.server_name or called.host}
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False, verify=context) as client,
            client.stream("GET", called.url, headers=headers, extensions=name) as answer,
        ):
            if answer.status_code != 200:
                raise _refused(answer.status_code)
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise _garbage()
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
        raise ProviderFailure(
            f"ArgoCD did not answer ({type(error).__name__}).",
            code="argocd_unreachable",
            hint="Look whether it can be reached from here.",
        ) from None
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise _garbage() from None
    if not isinstance(found, dict):
        raise _garbage()
    return found


def _refused(status: int) -> Problem:
    told = {401: "does not accept the token", 403: "lets the token not read this", 404: "does not know this"}
    return ProviderFailure(
        f"ArgoCD {told.get(status, f'answered HTTP {status}')}.",
        code="argocd_refused",
        hint="Check the endpoint, its token, and the name of the application.",
    )


def _garbage() -> Problem:
    return ProviderFailure(
        "What answered is not ArgoCD, or says too much.", code="argocd_refused", hint="Check the base_url."
    )


def _application(said: Mapping[str, Any]) -> Application:
    metadata, spec, status = (_object(said.get(one)) for one in ("metadata", "spec", "status"))
    destination, operation = _object(spec.get("destination")), _object(status.get("operationState"))
    health, sync = _object(status.get("health")), _object(status.get("sync"))
    return Application(
        name=_text(metadata, "name"),
        namespace=_text(metadata, "namespace"),
        project=_text(spec, "project"),
        destination_server=_text(destination, "server"),
        destination_cluster=_text(destination, "name"),
        destination_namespace=_text(destination, "namespace"),
        health_status=_text(health, "status"),
        health_message=_text(health, "message"),
        sync_status=_text(sync, "status"),
        sync_revision=_text(sync, "revision"),
        operation_phase=_text(operation, "phase"),
        reconciled_at=_moment(status.get("reconciledAt")),
        finished_at=_moment(operation.get("finishedAt")),
    )


def _resource(said: Mapping[str, Any]) -> dict[str, str]:
    health = _object(said.get("health"))
    named = {word: _text(said, word) for word in ("kind", "name", "namespace")}
    return {**named, "health": _text(health, "status"), "message": _text(health, "message")}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(said: Mapping[str, Any], word: str) -> str:
    value = said.get(word)
    return shown(value, LONGEST) if isinstance(value, str) else ""


def _moment(value: Any) -> datetime | None:
    try:
        told = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if told is None:
        return None
    return (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
