"""What of a server is this installation's, and whether anything needs it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.servers import servers
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict


def ours(tx: Tx, refs: Collection[str]) -> frozenset[str]:
    """Those of these references that name a deployment or a resource, of whichever organization."""
    wanted = sorted(set(refs))
    deployments = tx.scalars(select(Deployment.ref).where(Deployment.ref.in_(wanted)))
    resources = tx.scalars(select(Resource.ref).where(Resource.ref.in_(wanted)))
    return frozenset([*deployments, *resources])


def check_unused(tx: Tx, server_ref: str) -> None:
    """Raise `Conflict` (`server_in_use`) while something is placed on the server, or on its way there."""
    server = servers.find(tx, server_ref)
    placed = tx.scalars(
        select(Resource.name)
        .join(Deployment, Resource.serving_id == Deployment.id)
        .where(Deployment.server_id == server.id, Resource.lifecycle != "deleted")
        .order_by(Resource.id)
        .limit(5)
    )
    coming = tx.scalars(
        select(Deployment.ref).where(Deployment.server_id == server.id, Deployment.status.in_(ACTIVE)).limit(5)
    )
    names = [*placed, *coming]
    if names:
        raise Conflict(
            f"{server.name} is in use: {', '.join(names)}.",
            code="server_in_use",
            hint="Stop and archive what runs there, or deploy it to another server first.",
            relatedEntityId=server.ref,
        )
