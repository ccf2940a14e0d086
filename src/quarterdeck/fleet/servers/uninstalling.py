"""The record of a server that we have left."""

from __future__ import annotations

from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.transitions import first_edge, move_edge
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx


class UninstallAction(audit.Action):
    UNINSTALLED = "server.uninstalled"


def note(tx: Tx, server_ref: str, *, counts: dict[str, int]) -> None:
    """One audit event and one event for all that one request removed; `counts` by kind."""
    server = servers.find(tx, server_ref)
    if counts.get("edge"):
        move_edge(tx, server, first_edge(server.proxy_kind))
        server.edge_http_port = server.edge_https_port = None
    audit.record(
        tx,
        UninstallAction.UNINSTALLED,
        resource_type="server",
        resource_id=server.ref,
        organization_id=server.organization_id,
        detail={"removed": counts},
    )
    events.append(
        tx,
        f"server:{server.ref}",
        "server-uninstalled",
        {"serverId": server.ref, "removed": counts},
        organization_id=server.organization_id,
    )
