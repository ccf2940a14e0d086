"""A resource with what stands around it: where it lives, its newest and its serving deployment, server and routes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import func, select

from quarterdeck.deploy.deployments import routes
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources.model import Resource, RuntimeControl
from quarterdeck.fleet.servers import servers as servers_of
from quarterdeck.fleet.servers.model import AccessPolicy, Destination, Server
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem
from quarterdeck.workspace.model import Environment, Project
from quarterdeck.workspace.projects import organization_of

STATIC_PORT = 80
DEFAULT_PORT = 3000
M = TypeVar("M", Destination, Deployment, Server)
ZONES = {".localhost": "localhost", ".sslip.io": "sslip"}


@dataclass(frozen=True, slots=True)
class Access:
    """One generated route: `deployment` is None for the one that the next deployment would get."""

    url: str
    hostname: str
    path_prefix: str
    proxy_kind: str
    provider: str | None
    target_port: int | None
    deployment: Deployment | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """`server` is where the resource is, or would be, deployed; None where no server is known yet."""

    resource: Resource
    project: str
    environment: str
    destination: str | None
    latest: Deployment | None
    serving: Deployment | None
    control: RuntimeControl | None
    server: Server | None
    planned: Access | None
    realized: Access | None

    @property
    def proxy_status(self) -> str | None:
        """How far the route is, in a word of the contract; None where there is no route to speak of."""
        if self.server is not None and self.server.proxy_status == "failed":
            return "failed"
        if self.realized is None:
            return "not-ready" if self.planned is not None else None
        return "ready" if self.server is not None and self.server.proxy_status == "ready" else "unknown"


def of(tx: Tx, resource: Resource) -> Overview:
    return overviews(tx, [resource])[0]


def overviews(tx: Tx, resources: Sequence[Resource]) -> list[Overview]:
    """The same for many, with a handful of statements however many they are."""
    organization_id = organization_of(tx)
    projects = _refs(tx, Project, (row.project_id for row in resources))
    environments = _refs(tx, Environment, (row.environment_id for row in resources))
    destinations = _by_id(tx, Destination, (row.destination_id for row in resources))
    deployments = _by_id(tx, Deployment, (key for row in resources for key in (row.latest_id, row.serving_id)))
    controls = _latest_controls(tx, [row.id for row in resources])
    targets = [row.server_id for known in (destinations, deployments) for row in known.values()]
    local = servers_of.first_local(tx, organization_id)
    servers = _by_id(tx, Server, [*targets, local.id if local else None])
    policies = {
        row.server_id: row
        for row in tx.scalars(
            select(AccessPolicy).where(
                AccessPolicy.organization_id == organization_id, AccessPolicy.server_id.in_([0, *servers])
            )
        )
    }
    found = []
    for row in resources:
        latest = deployments.get(row.latest_id or 0)
        serving = deployments.get(row.serving_id or 0)
        destination = destinations.get(row.destination_id or 0)
        server = servers.get(destination.server_id) if destination else None
        if latest is not None:
            server = servers.get(latest.server_id, server)
        server = server or local
        policy = (policies.get(server.id) or policies.get(0)) if server else None
        found.append(
            Overview(
                row,
                projects[row.project_id],
                environments[row.environment_id],
                destination.ref if destination else None,
                latest,
                serving,
                controls.get(row.id),
                server,
                _planned(row, server, policy),
                _realized(serving, servers.get(serving.server_id)) if serving else None,
            )
        )
    return found


def _by_id(tx: Tx, model: type[M], keys: Iterable[int | None]) -> dict[int, M]:
    wanted = sorted({key for key in keys if key})
    return {row.id: row for row in tx.scalars(select(model).where(model.id.in_(wanted)))} if wanted else {}


def _refs(tx: Tx, model: type[Project | Environment], keys: Iterable[int]) -> dict[int, str]:
    found = tx.execute(select(model.id, model.ref).where(model.id.in_(sorted(set(keys)))))
    return {row.id: row.ref for row in found}


def _latest_controls(tx: Tx, resource_ids: list[int]) -> dict[int, RuntimeControl]:
    newest = (
        select(func.max(RuntimeControl.id))
        .where(RuntimeControl.resource_id.in_(resource_ids))
        .group_by(RuntimeControl.resource_id)
    )
    return {row.resource_id: row for row in tx.scalars(select(RuntimeControl).where(RuntimeControl.id.in_(newest)))}


def _planned(resource: Resource, server: Server | None, policy: AccessPolicy | None) -> Access | None:
    if server is None or resource.lifecycle != "active" or not routes.routable(resource, server):
        return None
    try:
        route = routes.generated(resource, server, policy)
    except Problem:
        return None  # the server's address gives no name; a deployment says so in full
    return _access(route, server, target_port(resource))


def target_port(resource: Resource) -> int:
    """The port that a route would lead to."""
    configured = (resource.network or {}).get("internalPort")
    if configured:
        return int(configured)
    static = resource.kind == "static-site" or (resource.runtime or {}).get("strategy") == "static"
    return STATIC_PORT if static else DEFAULT_PORT


def _realized(serving: Deployment, server: Server | None) -> Access | None:
    port = (serving.runtime or {}).get("port")
    return _access(serving.route, server, int(port) if port else None, serving)


def _access(
    route: dict[str, object] | None, server: Server | None, port: int | None, deployment: Deployment | None = None
) -> Access | None:
    url = routes.url(route, server)
    if route is None or server is None or url is None:
        return None
    hostname = str(route["hostnames"][0])  # type: ignore[index]
    provider = next((name for zone, name in ZONES.items() if hostname.endswith(zone)), None)
    return Access(url, hostname, str(route["pathPrefix"]), server.proxy_kind, provider, port, deployment)
