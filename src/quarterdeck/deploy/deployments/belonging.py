"""What of a server is this installation's, and whether anything needs it."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence

from sqlalchemy import or_, select

from quarterdeck.deploy.deployments import previews
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.resources import build_places
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict

FEW = 5


def ours(tx: Tx, refs: Collection[str]) -> frozenset[str]:
    """Those of these references that name a deployment or a resource, of whichever organization."""
    wanted = sorted(set(refs))
    deployments = tx.scalars(select(Deployment.ref).where(Deployment.ref.in_(wanted)))
    resources = tx.scalars(select(Resource.ref).where(Resource.ref.in_(wanted)))
    return frozenset([*deployments, *resources])


def check_unused(tx: Tx, server_ref: str) -> None:
    """Raise `Conflict` (`server_in_use`) while something is placed on the server, or on its way there."""
    server = servers.find(tx, server_ref)
    _check(server, [*_placed(tx, [server]), *_coming(tx, [server])])


def check_nothing_coming(tx: Tx, server: Server, places: Sequence[Server]) -> None:
    """Raise `Conflict` (`server_in_use`) while something is on its way to the machine that these servers are, or has
    its images built there.
    """
    _check(server, _coming(tx, places))
    cleaned = previews.being_cleaned(tx, [one.id for one in places])
    if cleaned:
        raise Conflict(
            f"{server.name} is in use: {', '.join(cleaned[:FEW])} is being cleaned up.",
            code="server_in_use",
            hint=f"Wait until that has ended: qd work ls --server {shlex.quote(server.name)}",
            relatedEntityId=server.ref,
        )


def check_nothing_placed(tx: Tx, server: Server, places: Sequence[Server]) -> None:
    """Raise `Conflict` (`server_in_use`) while something serves on the machine that these servers are."""
    _check(server, _placed(tx, places))


def _placed(tx: Tx, places: Sequence[Server]) -> list[str]:
    found = tx.scalars(
        select(Resource.name)
        .join(Deployment, Resource.serving_id == Deployment.id)
        .where(Deployment.server_id.in_([one.id for one in places]), Resource.lifecycle != "deleted")
        .order_by(Resource.id)
        .limit(FEW)
    )
    return list(found)


def _coming(tx: Tx, places: Sequence[Server]) -> list[str]:
    builder = Deployment.snapshot["source"]["metadata"][build_places.FIELD].as_string()
    there = or_(Deployment.server_id.in_([one.id for one in places]), builder.in_([one.ref for one in places]))
    return list(tx.scalars(select(Deployment.ref).where(Deployment.status.in_(ACTIVE), there).limit(FEW)))


def _check(server: Server, names: Sequence[str]) -> None:
    if names:
        raise Conflict(
            f"{server.name} is in use: {', '.join(names)}.",
            code="server_in_use",
            hint="Stop and archive what runs there, or deploy it to another server first.",
            relatedEntityId=server.ref,
        )


def check_only_here(tx: Tx, server_ref: str, found: Collection[str]) -> None:
    """Raise `Conflict` (`server_in_use`) when something that was found on the machine is needed under another name of
    it: whoever registered it twice, of whichever organization, deploys to one and the same engine, edge and account.
    """
    server = servers.find(tx, server_ref)
    wanted = sorted(set(found))
    needed = or_(
        Deployment.status.in_(ACTIVE), Resource.serving_id == Deployment.id, Deployment.artifact_retained.is_(True)
    )
    named = or_(Deployment.ref.in_(wanted), Resource.ref.in_(wanted))
    row = tx.execute(
        select(Server.name, Server.organization_id)
        .join(Deployment, Deployment.server_id == Server.id)
        .join(Resource, Resource.id == Deployment.resource_id)
        .where(named, needed, Server.id != server.id, Resource.lifecycle != "deleted")
        .limit(1)
    ).first()
    if row is not None:
        other = row.name if row.organization_id == server.organization_id else "a server of another organization"
        raise Conflict(
            f"The machine of {server.name} is also {other}, and something is in use there.",
            code="server_in_use",
            hint="Stop and archive what runs there, or forget this name of it alone: "
            f"qd server rm {shlex.quote(server.name)}",
            relatedEntityId=server.ref,
        )
