"""The names under which a resource is reached, by its profile and the policy in force."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.edge.names import localhost_hostname, sslip_hostname
from quarterdeck.fleet.servers import access_policies
from quarterdeck.fleet.servers.model import AccessPolicy, Server
from quarterdeck.fleet.servers.servers import LOCAL, LOOPBACK
from quarterdeck.identity.model import Organization
from quarterdeck.kernel.db import Tx

DEFAULT_HTTP_PORT = 80


def planned(tx: Tx, resource: Resource, server: Server) -> dict[str, object] | None:
    """The generated route for the next deployment: `{hostnames, pathPrefix, source}`; None when it has none.

    A server without proxy gives no route, and never a host port instead. On this machine a name below `localhost`
    comes first, since it resolves without any outside service.
    """
    if not routable(resource, server):
        return None
    return generated(resource, server, access_policies.in_force(tx, resource.organization_id, server.id))


def routable(resource: Resource, server: Server) -> bool:
    """Whether the profiles of the resource and the server let it have a generated route at all."""
    network = resource.network or {}
    return (
        server.proxy_kind != "none"
        and (resource.access or {}).get("generatedAccessMode") != "disabled"
        and network.get("exposureMode", "reverse-proxy") == "reverse-proxy"
        and network.get("upstreamProtocol", "http") == "http"
        and resource.kind not in {"worker", "database", "cache", "external"}
    )


def owner(tx: Tx, resource: Resource) -> str:
    """Whose a resource's host names are at the edge: its organization's, which is another one in another installation
    that uses the same edge.
    """
    uid = tx.scalars(select(Organization.uid).where(Organization.id == resource.organization_id)).one()
    return f"{uid}.organization-{resource.organization_id}"


def generated(resource: Resource, server: Server, policy: AccessPolicy | None) -> dict[str, object] | None:
    """The route that a policy makes for a routable resource; without a policy it is the provider sslip."""
    mode, provider = (policy.mode, policy.provider) if policy else ("provider", "sslip")
    if mode == "disabled":
        return None
    hostnames: list[str] = []
    if mode == "custom-template" and policy and policy.template:
        hostnames.append(policy.template.replace("{slug}", resource.slug).replace("{id}", resource.ref.split("_")[1]))
    else:
        if (server.provider == LOCAL and server.host in LOOPBACK) or provider == "localhost":
            hostnames.append(localhost_hostname(resource.slug, resource.ref))
        if provider == "sslip":
            address = "127.0.0.1" if server.host in LOOPBACK else server.host
            hostnames.append(sslip_hostname(resource.slug, resource.ref, address))
    prefix = (resource.access or {}).get("pathPrefix", "/")
    return {"hostnames": hostnames, "pathPrefix": prefix, "source": "generated-default"}


def url(route: dict[str, object] | None, server: Server | None) -> str | None:
    """The address of a route, with the edge's port where it is not the default one."""
    if not route or server is None:
        return None
    hostnames = route.get("hostnames")
    if not isinstance(hostnames, list) or not hostnames:
        return None
    port = server.edge_http_port or DEFAULT_HTTP_PORT
    where = hostnames[0] if port == DEFAULT_HTTP_PORT else f"{hostnames[0]}:{port}"
    prefix = str(route.get("pathPrefix") or "/")
    return f"http://{where}{prefix}"


def server_of(tx: Tx, server_id: int) -> Server | None:
    return tx.first(select(Server).where(Server.id == server_id))
