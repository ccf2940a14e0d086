"""The record of a server that we have left."""

from __future__ import annotations

from quarterdeck.fleet.servers import engines, servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.servers.transitions import first_edge, move_edge
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx


class UninstallAction(audit.Action):
    UNINSTALLING = "server.uninstalling"
    UNINSTALLED = "server.uninstalled"


def begin(tx: Tx, server_ref: str) -> None:
    """Written before anything goes, so that the trail says who took it away whatever happens to us meanwhile."""
    server = servers.find(tx, server_ref)
    _note(tx, server, UninstallAction.UNINSTALLING, "server-uninstalling", {})


def note(tx: Tx, server_ref: str, *, counts: dict[str, int], engine: str | None = None) -> None:
    """One audit event and one event for all that one request removed; `counts` by kind. `engine` is what an engine that
    went was called.
    """
    server = servers.find(tx, server_ref)
    if counts.get("edge"):
        move_edge(tx, server, first_edge(server.proxy_kind))
        server.edge_http_port = server.edge_https_port = None
    if engine is not None:
        engines.removed(tx, server_ref, engine)
    _note(tx, server, UninstallAction.UNINSTALLED, "server-uninstalled", {"removed": counts})


def _note(tx: Tx, server: Server, action: UninstallAction, event: str, detail: dict[str, object]) -> None:
    audit.record(
        tx,
        action,
        resource_type="server",
        resource_id=server.ref,
        organization_id=server.organization_id,
        detail=detail,
    )
    events.append(
        tx,
        f"server:{server.ref}",
        event,
        {"serverId": server.ref, **detail},
        organization_id=server.organization_id,
    )
