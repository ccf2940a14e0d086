"""Servers: register, find, list, and the record of their edge."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable

from sqlalchemy import func, select

from quarterdeck.fleet.servers.model import Destination, Server
from quarterdeck.fleet.servers.transitions import first_edge, move_edge
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.workspace.names import check_name
from quarterdeck.workspace.projects import organization_of

LOCAL = "local-shell"
PROVIDERS = (LOCAL, "generic-ssh")
HOSTNAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ServerAction(audit.Action):
    REGISTERED = "server.registered"
    PROXY_OBSERVED = "server.edge-proxy-observed"


def find(tx: Tx, ref: str) -> Server:
    """A server of the caller's organization by its `srv_…`; `NotFound` otherwise."""
    return tx.one(
        select(Server).where(Server.ref == ref, Server.organization_id == organization_of(tx)),
        what=f"server {ref[:60]}",
    )


def locked(tx: Tx, ref: str, *, shared: bool = False) -> Server:
    """`find` for a command that changes it: nobody else changes it until the unit ends, and it is read as it is now.
    `shared` for one that puts something there, or refers to it.
    """
    server = find(tx, ref)
    hold(tx, server, shared=shared)
    return find(tx, ref)


def hold(tx: Tx, server: Server, *, shared: bool = False) -> None:
    """Likewise for a server that was found already. It may be gone: look again before it is used."""
    tx.lock(f"server:{server.id}", shared=shared)
    if not shared:
        tx.lock(_facts(server.id))
    tx.session.expire(server)


def observed(tx: Tx, server_id: int) -> Server | None:
    """A server of which something was seen that is written down now: nobody else changes or observes it until the unit
    ends. None where it was deleted meanwhile.

    The lock is one of its own, taken last and briefly: what a running job reports of its server is written while the
    ledger holds that job, and whoever relies on the server may be waiting for the very same job.
    """
    tx.flush()
    tx.lock(_facts(server_id))
    server = tx.get(Server, server_id)
    if server is not None:
        tx.session.expire(server)
    return tx.first(select(Server).where(Server.id == server_id))


def _facts(server_id: int) -> str:
    return f"server-facts:{server_id}"


def newest(tx: Tx, limit: int) -> list[Server]:
    return list(
        tx.scalars(
            select(Server).where(Server.organization_id == organization_of(tx)).order_by(Server.id.desc()).limit(limit)
        )
    )


def count(tx: Tx) -> int:
    return int(
        tx.execute(
            select(func.count()).select_from(Server).where(Server.organization_id == organization_of(tx))
        ).scalar_one()
    )


def check_active(server: Server) -> None:
    """Raise `server_inactive` for a server that takes no new work."""
    if server.uninstalling_at is not None:
        raise being_uninstalled(server)
    if server.lifecycle != "active":
        raise _inactive(server, "is deactivated", "Deploy to another server.")


def being_uninstalled(server: Server) -> Conflict:
    return _inactive(server, "is being uninstalled", "Wait until that has ended, or deploy to another server.")


def _inactive(server: Server, why: str, hint: str) -> Conflict:
    return Conflict(f"The server {server.name} {why}.", code="server_inactive", hint=hint, relatedEntityId=server.ref)


def check_host(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        if not HOSTNAME.fullmatch(host):
            raise Invalid(
                f"{host[:80]!r} is neither a host name nor an IP address.",
                hint="Give it without scheme, port or path.",
                field="host",
            ) from None
        return host


def check_port(port: int) -> int:
    if not 1 <= port <= 65535:
        raise Invalid(f"{port} is not a port.", hint="Use 1 to 65535.", field="port")
    return port


def check_provider(provider: str) -> str:
    if provider not in PROVIDERS:
        raise Invalid(
            f"The provider {provider[:60]} cannot take deployments.",
            hint=f"Use one of: {', '.join(PROVIDERS)}.",
            field="providerKey",
        )
    return provider


def register(tx: Tx, *, name: str, host: str, provider: str, target_kind: str, port: int, proxy_kind: str) -> Server:
    """Store a server. Nothing is contacted here; a deployment or the connectivity test does that."""
    organization_id = organization_of(tx)
    name, host = check_name(name, "server name"), check_host(host)
    check_provider(provider)
    if target_kind != "single-server":
        raise Invalid(
            "Orchestrator clusters are not supported as a deployment target.",
            hint="Register each host as a single server.",
            field="targetKind",
        )
    check_port(port)
    server = tx.add(
        Server(
            uid=tx.ids.uid(),
            ref=tx.ids.ref("srv"),
            organization_id=organization_id,
            name=name,
            host=host,
            port=port,
            provider=provider,
            target_kind=target_kind,
            lifecycle="active",
            deactivated_at=None,
            deactivation_reason=None,
            uninstalling_at=None,
            proxy_kind=proxy_kind,
            proxy_status=first_edge(proxy_kind),
            proxy_attempted_at=None,
            proxy_succeeded_at=None,
            proxy_error_code=None,
            proxy_error_message=None,
            edge_http_port=None,
            edge_https_port=None,
            engine_use=None,
            engine_decided_at=None,
            engine_reason=None,
            engine_job_id=None,
            created_at=tx.now,
        )
    )
    audit.record(
        tx,
        ServerAction.REGISTERED,
        resource_type="server",
        resource_id=server.ref,
        organization_id=organization_id,
        detail={"name": name, "host": host, "providerKey": provider},
    )
    events.append(
        tx,
        f"server:{server.ref}",
        "deployment_target.registered",
        {"serverId": server.ref, "name": name, "providerKey": provider},
        organization_id=organization_id,
    )
    return server


def local(tx: Tx) -> Server:
    """The machine of the control plane as a server of the caller's organization, registered at first need."""
    found = first_local(tx, organization_of(tx))
    if found is not None:
        return found
    tx.lock(f"local-server:{organization_of(tx)}")
    return first_local(tx, organization_of(tx)) or register(
        tx,
        name="This machine",
        host="127.0.0.1",
        provider=LOCAL,
        target_kind="single-server",
        port=22,
        proxy_kind="caddy",
    )


def local_ids(tx: Tx) -> list[int]:
    """Row ids of the machine of the control plane, which is a server of every organization that uses it."""
    return list(tx.scalars(select(Server.id).where(Server.provider == LOCAL)))


def with_failed_edges(tx: Tx, among: Collection[int]) -> list[int]:
    """Those of these servers whose edge could not be brought up or changed, as far as is known."""
    return list(tx.scalars(select(Server.id).where(Server.id.in_(among), Server.proxy_status == "failed")))


def behind_ssh(tx: Tx) -> list[Server]:
    """Every active server of whichever organization that is another machine, oldest first."""
    wanted = select(Server).where(
        Server.provider != LOCAL, Server.lifecycle == "active", Server.uninstalling_at.is_(None)
    )
    return list(tx.scalars(wanted.order_by(Server.id)))


def first_local(tx: Tx, organization_id: int) -> Server | None:
    """The machine of the control plane, where the organization has it."""
    return tx.first(
        select(Server)
        .where(Server.organization_id == organization_id, Server.provider == LOCAL, Server.lifecycle == "active")
        .order_by(Server.id)
        .limit(1)
    )


def edge_ports(names: Iterable[Server]) -> list[int]:
    """Where edges of ours listen on a machine, of all the names that it has."""
    return sorted({port for one in names for port in (one.edge_http_port, one.edge_https_port) if port})


def destination(tx: Tx, server: Server, ref: str | None = None) -> Destination:
    """The named destination of the server, else its default one, made at first need."""
    if ref is not None:
        found = tx.first(select(Destination).where(Destination.ref == ref))
        if found is None:
            raise NotFound(f"There is no destination {ref[:60]}.")
        if found.server_id != server.id:
            raise Invalid(
                f"The destination {ref} belongs to another server.",
                code="resource_context_mismatch",
                hint="Leave it out to use the default one.",
            )
        return found
    tx.lock(f"destination:{server.id}")
    found = tx.first(select(Destination).where(Destination.server_id == server.id, Destination.name == "default"))
    return found or tx.add(
        Destination(
            uid=tx.ids.uid(),
            ref=tx.ids.ref("dst"),
            server_id=server.id,
            name="default",
            kind="docker",
            created_at=tx.now,
        )
    )


def existing_destination(tx: Tx, server: Server) -> Destination | None:
    """The default destination if it was made already; for reads."""
    return tx.first(select(Destination).where(Destination.server_id == server.id, Destination.name == "default"))


def observe_edge(
    tx: Tx, server_id: int, *, error: tuple[str, str] | None, http_port: int | None, https_port: int | None
) -> None:
    """Note what an attempt to bring up the edge found: ready with its ports, or failed with code and message."""
    server = observed(tx, server_id)
    if server is None or server.proxy_kind == "none":
        return
    status = "failed" if error else "ready"
    found = (status, *(error or (None, None)), *((http_port, https_port) if error is None else (None, None)))
    known = (server.proxy_status, server.proxy_error_code, server.proxy_error_message)
    ports = (server.edge_http_port, server.edge_https_port) if error is None else (None, None)
    if found == (*known, *ports):
        return  # it is looked at every few seconds
    move_edge(tx, server, "failed" if error else "ready", error=error)
    if error is None:
        server.edge_http_port, server.edge_https_port = http_port, https_port
    events.append(
        tx,
        f"server:{server.ref}",
        "edge-proxy-observed",
        {"status": server.proxy_status},
        organization_id=server.organization_id,
    )
