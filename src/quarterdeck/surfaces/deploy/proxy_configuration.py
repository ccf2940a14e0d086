"""The proxy's configuration of a resource, to be read."""

from __future__ import annotations

from typing import Any

from quarterdeck.deploy.deployments.routes import DEFAULT_HTTP_PORT
from quarterdeck.deploy.resources import proxy_configuration
from quarterdeck.deploy.resources.proxy_configuration import Rendered
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import at, present
from quarterdeck.surfaces.deploy.wire import resources_proxy_configuration as wire
from quarterdeck.surfaces.shared.values import given

TITLES = {"caddy": "Routes of the bundled edge (Caddy)", "traefik": "Dynamic configuration of Traefik"}


def routes(found: Rendered) -> list[dict[str, Any]]:
    """One entry for each host name."""
    port = (found.server.edge_http_port if found.server is not None else None) or DEFAULT_HTTP_PORT
    place = "" if port == DEFAULT_HTTP_PORT else f":{port}"
    return [
        present(
            hostname=hostname,
            scheme="http",
            url=f"http://{hostname}{place}{found.path_prefix}",
            pathPrefix=found.path_prefix,
            tlsMode="disabled",
            targetPort=found.target_port,
            source="generated-default",
            routeBehavior="serve",
            appliedRouteContext=context(found, hostname),
        )
        for hostname in found.hostnames
    ]


def context(found: Rendered, hostname: str) -> dict[str, Any] | None:
    """Which deployment put the route in place; None for one that is not."""
    applied = found.deployment
    if applied is None or found.applied is None or applied.id != found.applied.id:
        return None
    return present(
        schemaVersion="applied-route-context/v1",
        resourceId=found.resource.ref,
        deploymentId=applied.ref,
        serverId=found.server.ref if found.server is not None else None,
        routeId=found.resource.ref,
        diagnosticId=f"{found.resource.ref}:{hostname}",
        routeSource="generated-default",
        hostname=hostname,
        pathPrefix=found.path_prefix,
        proxyKind=found.provider,
        providerKey=found.provider,
        appliedAt=at(applied.finished_at),
    )


def sections(found: Rendered) -> list[dict[str, Any]]:
    if found.content is None:
        return []
    return [
        {
            "id": f"{found.provider}-routes",
            "title": TITLES.get(found.provider, found.provider),
            "format": "json",
            "language": "json",
            "readonly": True,
            "redacted": False,
            "content": found.content,
            "source": "provider-rendered",
        }
    ]


def diagnostics(found: Rendered) -> dict[str, Any]:
    server = found.server
    return {
        "providerKey": found.provider,
        "routeCount": len(found.hostnames),
        "tlsRoutes": [
            {
                "hostname": hostname,
                "pathPrefix": found.path_prefix,
                "tlsMode": "disabled",
                "scheme": "http",
                "automation": "disabled",
                "certificateSource": "none",
                "appaloftCertificateManaged": False,
                "message": "Generated names are served without TLS.",
            }
            for hostname in found.hostnames
        ],
        "appliedRouteContexts": [one for one in (context(found, name) for name in found.hostnames) if one],
        "metadata": present(
            proxyStatus=server.proxy_status if server is not None else None,
            edgeHttpPort=str(server.edge_http_port) if server is not None and server.edge_http_port else None,
        ),
    }


@operation("resources.proxy-configuration.preview")
async def preview(call: Call, resource_id: str, query: wire.ResourcesProxyConfigurationPreviewQuery) -> dict[str, Any]:
    found = await call.read(proxy_configuration.render, resource_id, query.route_scope, given(query.deployment_id))
    return present(
        resourceId=resource_id,
        deploymentId=found.deployment.ref if found.deployment is not None else None,
        providerKey=found.provider,
        routeScope=query.route_scope,
        status=found.status,
        generatedAt=call.stamp,
        lastAppliedDeploymentId=found.applied.ref if found.applied is not None else None,
        stale=found.stale,
        routes=routes(found),
        sections=sections(found),
        warnings=found.warnings,
        diagnostics=diagnostics(found) if query.include_diagnostics else None,
    )
