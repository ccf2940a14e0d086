"""Why a visitor was not served: what the edge wrote down under the id that its answer shows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.deploy.resources import overview, resources
from quarterdeck.deploy.work.work import scope
from quarterdeck.fleet.credentials import access as fleet_access
from quarterdeck.fleet.edge import evidence
from quarterdeck.fleet.edge.evidence import Entry
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.servers import failed_requests, servers
from quarterdeck.kernel.clock import Clock, wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.text import several
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import present
from quarterdeck.surfaces.deploy.wire import resource_access_failures as wire
from quarterdeck.surfaces.shared.values import given


@dataclass(frozen=True, slots=True)
class Cause:
    """A failure in the words of the contract."""

    code: str
    category: str
    phase: str
    retriable: bool
    owner: str
    action: str


UNKNOWN_HOST = Cause(
    "resource_access_route_not_found", "not-found", "edge-request-routing", False, "operator-config",
    "inspect-proxy-preview",
)  # fmt: skip
BY_STATUS = {
    502: Cause(
        "resource_access_upstream_unavailable", "infra", "upstream-connection", True, "resource",
        "inspect-runtime-logs",
    ),
    503: Cause(
        "resource_access_route_unavailable", "infra", "proxy-route-observation", True, "resource", "check-health"
    ),
    504: Cause(
        "resource_access_upstream_timeout", "timeout", "upstream-response", True, "resource", "inspect-runtime-logs"
    ),
}  # fmt: skip
OTHER = Cause("resource_access_edge_error", "infra", "edge-request-routing", True, "platform", "diagnostic-summary")


def cause_of(entry: Entry) -> Cause:
    return UNKNOWN_HOST if entry.edge_code == "edge_unknown_host" else BY_STATUS.get(entry.status, OTHER)


def missing(request_id: str, silent: Sequence[str] = ()) -> NotFound:
    """`silent` are servers that could not be asked."""
    unasked = f" Not asked, since out of reach: {several(sorted(silent))}." if silent else ""
    return NotFound(
        f"No failed access is kept under {request_id[:60]}.{unasked}",
        code="resource_access_failure_evidence_not_found",
        hint="Copy the id from the page that was shown. It is kept for seven days, less on a busy server.",
        phase="evidence-lookup",
    )


@operation("resources.access-failure-evidence.lookup")
async def lookup(
    call: Call, clock: Clock, request_id: str, query: wire.ResourcesAccessFailureEvidenceLookupQuery
) -> dict[str, Any]:
    instance = call.service("instance")
    layout = Layout(Path(instance.placement.root) / "edge")
    entry = await asyncio.to_thread(evidence.find, layout, request_id, clock.now())
    answer = failed_requests.Answer()
    if entry is None:
        asked = await call.read(failed_requests.places)
        answer = await failed_requests.ask(instance.looking.connections, asked, request_id, clock.now())
        entry = answer.entry
    filters = present(resourceId=given(query.resource_id), hostname=given(query.hostname), path=given(query.path))
    if entry is None or any(
        wanted != known
        for wanted, known in (
            (filters.get("resourceId"), entry.route),
            (filters.get("hostname"), entry.hostname),
            (filters.get("path"), entry.request.uri),
        )
        if wanted is not None
    ):
        raise missing(request_id, answer.silent)
    related = await call.read(related_to, entry, answer.server)
    if related is None:
        raise missing(request_id)
    cause = cause_of(entry)
    return {
        "schemaVersion": "resources.access-failure-evidence.lookup/v1",
        "requestId": request_id,
        "generatedAt": call.stamp,
        "filters": filters,
        "status": "found",
        "matchedSource": "short-retention-evidence-read-model",
        "evidence": told(request_id, entry, cause, related),
        "relatedIds": related,
        "nextAction": cause.action,
        "capturedAt": wire_time(entry.at),
        "expiresAt": wire_time(entry.at + evidence.KEPT),
    }


def related_to(tx: Tx, entry: Entry, server_ref: str | None = None) -> dict[str, str] | None:
    """Wire ids of what the request was for; None when that is nobody's here. A request to a name that no route has
    belongs to the installation itself; one that the edge of `server_ref` answered to whoever has that machine alone.
    """
    if entry.route is None and server_ref is not None:
        server = servers.find(tx, server_ref)
        shared = any(one.organization_id != server.organization_id for one in fleet_access.same_machine(tx, server))
        return None if shared else {"serverId": server.ref}
    if entry.route is None:
        return {} if scope(tx)[1] else None
    try:
        view = overview.of(tx, resources.find(tx, entry.route))
    except NotFound:
        return None
    return present(
        resourceId=view.resource.ref,
        routeId=view.resource.ref,
        deploymentId=view.serving.ref if view.serving else None,
        serverId=view.server.ref if view.server else None,
        destinationId=view.destination,
    )


def told(request_id: str, entry: Entry, cause: Cause, related: dict[str, str]) -> dict[str, Any]:
    return present(
        schemaVersion="resource-access-failure/v1",
        requestId=request_id,
        generatedAt=wire_time(entry.at),
        code=cause.code,
        category=cause.category,
        phase=cause.phase,
        httpStatus=entry.status if entry.status in {404, 502, 503, 504} else 502,
        retriable=cause.retriable,
        ownerHint=cause.owner,
        nextAction=cause.action,
        affected=present(hostname=entry.hostname, path=entry.request.uri, method=entry.request.method),
        route={"host": entry.hostname, "providerKey": "caddy", "routeSource": "generated-default", **related}
        if related
        else None,
        causeCode=entry.edge_code,
    )
