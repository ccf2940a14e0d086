"""What the proxy of a server is told about a resource, rendered to be read. Nothing is changed by looking."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from quarterdeck.deploy.deployments import deployments, routes
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import TERMINAL
from quarterdeck.deploy.execution.order import RouteOrder
from quarterdeck.deploy.execution.ways import route_value
from quarterdeck.deploy.resources import overview, resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.resources.overview import Overview
from quarterdeck.fleet.edge.configuration import preview
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.edge.ports import Ports
from quarterdeck.fleet.edge.traefik import render_traefik
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, Problem, ProviderFailure

Scope = Literal["planned", "latest", "deployment-snapshot"]
HTTP_PORT, HTTPS_PORT = 80, 443
EDGE = Path("/edge")
"""Stands for the directory of the edge on its host, which is nobody's business here."""


@dataclass(slots=True)
class Rendered:
    """`deployment` is the one whose route it is; `route` its host names and prefix, None where there is none."""

    resource: Resource
    server: Server | None
    status: str
    deployment: Deployment | None = None
    applied: Deployment | None = None
    route: dict[str, Any] | None = None
    target_port: int | None = None
    stale: bool = False
    content: str | None = None
    warnings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def provider(self) -> str:
        return self.server.proxy_kind if self.server is not None else "none"

    @property
    def hostnames(self) -> list[str]:
        return [str(name) for name in (self.route or {}).get("hostnames", [])]

    @property
    def path_prefix(self) -> str:
        return str((self.route or {}).get("pathPrefix") or "/")


def render(tx: Tx, ref: str, scope: Scope, deployment_ref: str | None = None) -> Rendered:
    """The configuration for the next deployment (`planned`), for what serves, else the next one (`latest`), or for
    one attempt as it was admitted.
    """
    resource = resources.find(tx, ref)
    view = overview.of(tx, resource)
    named = deployments.find(tx, deployment_ref) if deployment_ref is not None else None
    if named is not None:
        deployments.check_resource(tx, named, resource.ref)
    if scope == "deployment-snapshot":
        if named is None:
            raise Invalid("A snapshot is that of a deployment.", hint="Send deploymentId along.", field="deploymentId")
        found = _of_deployment(tx, view, named)
    elif scope == "latest" and view.serving is not None and view.serving.route is not None:
        found = _of_deployment(tx, view, view.serving)
    else:
        found = _planned(tx, view)
    if found.route is not None and found.server is not None:
        found.content = _content(tx, found)
        if found.server.proxy_status == "failed":
            found.status = "failed"
            found.warnings.append(
                {
                    "code": found.server.proxy_error_code or "proxy_provider_unavailable",
                    "message": found.server.proxy_error_message or "The proxy of this server does not run.",
                }
            )
    if found.stale:
        told = "The next deployment would get other names: this configuration stays until then."
        found.warnings.append({"code": "proxy_route_stale", "message": told})
    return found


def _planned(tx: Tx, view: Overview) -> Rendered:
    server, resource = view.server, view.resource
    route = routes.planned(tx, resource, server) if view.planned is not None and server is not None else None
    found = Rendered(resource, server, "planned" if route else "not-configured", applied=_applied(view))
    found.route, found.target_port = route, overview.target_port(resource) if route else None
    return found


def _of_deployment(tx: Tx, view: Overview, deployment: Deployment) -> Rendered:
    serves = view.serving is not None and view.serving.id == deployment.id
    server = routes.server_of(tx, deployment.server_id)
    status = "not-configured" if deployment.route is None else "applied" if serves else "stale"
    if deployment.route is not None and deployment.status not in TERMINAL:
        status = "planned"
    found = Rendered(view.resource, server, status, deployment, _applied(view), deployment.route)
    port = (deployment.runtime or {}).get("port")
    found.target_port = int(port) if port else overview.target_port(view.resource)
    planned = routes.planned(tx, view.resource, server) if server is not None and view.planned is not None else None
    if serves and planned is not None and deployment.route is not None:
        found.stale = planned["hostnames"] != deployment.route["hostnames"]
        found.status = "stale" if found.stale else status
    return found


def _applied(view: Overview) -> Deployment | None:
    return view.serving if view.serving is not None and view.serving.route is not None else None


def _content(tx: Tx, found: Rendered) -> str:
    """The part of the proxy's configuration that is this resource's. Raises `ProviderFailure`."""
    assert found.server is not None  # noqa: S101 - asked only where there is one
    runtime = (found.deployment.runtime if found.deployment is not None else None) or {}
    static = runtime.get("kind") == "static"
    try:
        made = route_value(
            RouteOrder(found.resource.ref, routes.owner(tx, found.resource), found.hostnames, found.path_prefix),
            "static" if static else "process",
        )
        if found.provider == "traefik":
            upstream = str(runtime.get("upstream") or f"127.0.0.1:{found.target_port or overview.DEFAULT_PORT}")
            rendered = render_traefik([made], {made.id: upstream})
        else:
            ports = Ports(
                http=found.server.edge_http_port or HTTP_PORT, https=found.server.edge_https_port or HTTPS_PORT
            )
            rendered = preview(made, Layout(EDGE), ports)
    except Problem as problem:
        raise ProviderFailure(
            f"The configuration of {found.resource.name} cannot be rendered: {problem.message}",
            code="proxy_configuration_render_failed",
            hint=problem.hint,
        ) from problem
    return msgspec.json.format(msgspec.json.encode(rendered), indent=2).decode()
