"""Where images are built: on the server that they run on, or on another one of the organization that the source names
as `metadata.buildServerId`. The machine of the control plane is a server like any other.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict

FIELD = "buildServerId"


def reference(source: dict[str, Any]) -> str | None:
    """The `srv_…` that a source names."""
    named = (source.get("metadata") or {}).get(FIELD)
    return str(named) if named else None


def admit(tx: Tx, source: dict[str, Any]) -> None:
    """Raise `NotFound` for a server of nobody or of others, `Conflict` (`server_inactive`) for one out of use."""
    ref = reference(source)
    if ref is not None:
        _require_active(tx, servers.find(tx, ref))


def of(tx: Tx, source: dict[str, Any], organization_id: int, target: Server) -> Server | None:
    """The other server that the images of a deployment to `target` are built on, None where that is `target` itself.

    Raises `Conflict` (`build_server_missing`, `server_inactive`).
    """
    ref = reference(source)
    if ref is None or ref == target.ref:
        return None
    found = named(tx, source, organization_id)
    if found is None:
        raise Conflict(
            f"The server {ref[:40]} that the images are to be built on is gone.",
            code="build_server_missing",
            hint="Name another one with qd deploy … --build-on; qd server ls lists them.",
        )
    _require_active(tx, found)
    return found


def named(tx: Tx, source: dict[str, Any], organization_id: int) -> Server | None:
    """The server of the organization that a source names, as far as there is one."""
    ref = reference(source)
    if ref is None:
        return None
    return tx.first(select(Server).where(Server.ref == ref, Server.organization_id == organization_id))


def users(tx: Tx, server_id: int) -> int:
    """How many resources have their images built there. Asked before one is deleted, so it may look at all of them."""
    found = select(func.count()).select_from(Resource).join(Server, Server.id == server_id)
    named = Resource.source["metadata"][FIELD].as_string()
    same = Resource.organization_id == Server.organization_id
    return int(tx.execute(found.where(same, Resource.deleted_at.is_(None), named == Server.ref)).scalar_one())


def _require_active(tx: Tx, server: Server) -> None:
    if server.uninstalling_at is not None or access.is_being_left(tx, server):
        raise Conflict(
            f"The server {server.name}, which builds the images, is being uninstalled.",
            code="server_inactive",
            hint="Wait until that has ended, or have them built on another server: qd deploy … --build-on, and qd "
            "server ls lists them.",
        )
    if server.lifecycle != "active":
        raise Conflict(
            f"The server {server.name}, which builds the images, is out of use.",
            code="server_inactive",
            hint="Have them built on another server: qd deploy … --build-on, and qd server ls lists them.",
        )
