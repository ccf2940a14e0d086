"""Keeping and reading observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from quarterdeck.deploy.deployments.admission import snapshot_variables
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.observation.model import Observation
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.servers.servers import LOCAL
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.vault import Secret

MOST_SERVERS = 500
"""So many servers behind SSH are watched: each costs a connection and looks every few seconds. The others are deployed
to all the same.
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A runtime that should answer now. `artifact` is what it was made of, `asked_at` when it was asked for."""

    resource_id: int
    resource: str
    organization_id: int
    deployment_id: int
    deployment: str
    wanted: str
    runtime: dict[str, Any]
    number: int = 0
    artifact: dict[str, Any] = field(default_factory=dict)
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a runtime. `lost`: it does not come back by itself. `services`, of a stack whose containers
    could be looked at: each by name, with what is wrong with it, None where it is well.
    """

    lifecycle: str
    message: str | None = None
    restarts: int = 0
    lost: bool = False
    services: Mapping[str, str | None] | None = None


def served_here(tx: Tx) -> list[Served]:
    """Every serving deployment on a server that is this machine."""
    return _served(tx, Server.provider == LOCAL)


def served_on(tx: Tx, server_id: int) -> list[Served]:
    """Every serving deployment on one server."""
    return _served(tx, Server.id == server_id)


def servers_behind_ssh(tx: Tx, most: int) -> list[int]:
    """Row ids of the servers behind SSH that something serves on, of more than `most` the oldest; and as far as there
    is room for them those whose edge is said to have failed.
    """
    serving = list(tx.scalars(_serving().limit(most)))
    failed = (
        select(Server.id)
        .where(
            Server.provider != LOCAL,
            Server.proxy_status == "failed",
            Server.lifecycle == "active",
            Server.uninstalling_at.is_(None),
            Server.id.not_in(serving),
        )
        .order_by(Server.id)
        .limit(most - len(serving))
    )
    return [*serving, *tx.scalars(failed)]


def unwatched(tx: Tx, organization_id: int) -> dict[int, str]:
    """Names of the organization's servers behind SSH that something serves on and that are too many to be watched, by
    row id.
    """
    watched = list(tx.scalars(_serving().limit(MOST_SERVERS)))
    if len(watched) < MOST_SERVERS:
        return {}
    mine = (Server.id > watched[-1]) & (Server.organization_id == organization_id)
    beyond = _serving().where(mine).with_only_columns(Server.id, Server.name)
    return {row[0]: row[1] for row in tx.session.execute(beyond)}


def _serving() -> Select[int]:
    return (
        select(Server.id)
        .join(Deployment, Deployment.server_id == Server.id)
        .join(Resource, Resource.id == Deployment.resource_id)
        .where(Server.provider != LOCAL, *SERVING)
        .distinct()
        .order_by(Server.id)
    )


SERVING = (
    Deployment.retired_at.is_(None),  # what serves is not: an index of the few that are left says which
    Resource.serving_id == Deployment.id,
    Resource.lifecycle != "deleted",
)


def _served(tx: Tx, where: ColumnElement[bool]) -> list[Served]:
    rows = tx.session.execute(
        select(
            Resource.id,
            Resource.ref,
            Resource.organization_id,
            Deployment.id,
            Deployment.ref,
            Resource.wanted,
            Deployment.runtime,
            Deployment.number,
            Deployment.artifact,
            Deployment.created_at,
        )
        .select_from(Server)
        .join(Deployment, Deployment.server_id == Server.id)
        .join(Resource, Resource.id == Deployment.resource_id)
        .where(where, *SERVING)
    )
    return [Served(r[0], r[1], r[2], r[3], r[4], r[5], r[6] or {}, r[7], r[8] or {}, r[9]) for r in rows]


def keep(tx: Tx, found: list[tuple[Served, Seen]]) -> None:
    """Store what was seen; a change of state is an event of the resource."""
    for served, seen in found:
        row = tx.get(Observation, served.resource_id)
        if row is None:
            # Nobody else makes the first one meanwhile: two may look, a new server and the one before it.
            tx.execute(select(Resource.id).where(Resource.id == served.resource_id).with_for_update())
            row = tx.get(Observation, served.resource_id)
        changed = row is None or row.lifecycle != seen.lifecycle or row.deployment_id != served.deployment_id
        if row is None:
            row = Observation(resource_id=served.resource_id)
        row.deployment_id, row.lifecycle, row.message = served.deployment_id, seen.lifecycle, seen.message
        row.restarts, row.observed_at = seen.restarts, tx.now
        row.services = None if seen.services is None else dict(seen.services)
        if changed:
            row.changed_at = tx.now
            events.append(
                tx,
                f"resource:{served.resource}",
                "resource-runtime-observed",
                {"resourceId": served.resource, "lifecycle": seen.lifecycle, "deploymentId": served.deployment},
                organization_id=served.organization_id,
            )
        tx.add(row)


def of(tx: Tx, resource: Resource) -> Observation | None:
    """The last observation, if it is of what serves now."""
    row = tx.get(Observation, resource.id)
    return row if row is not None and row.deployment_id == resource.serving_id else None


def all_of(tx: Tx, resources: Sequence[Resource]) -> dict[int, Observation]:
    """The same of many resources, by their keys."""
    serving = {resource.id: resource.serving_id for resource in resources if resource.serving_id}
    found = tx.scalars(select(Observation).where(Observation.resource_id.in_(sorted(serving)))) if serving else ()
    return {row.resource_id: row for row in found if row.deployment_id == serving[row.resource_id]}


def secret_values(tx: Tx, deployment_id: int) -> list[Secret[str]]:
    """The secrets that a deployment was started with, to be masked in its log."""
    deployment = tx.get(Deployment, deployment_id)
    if deployment is None:
        return []
    return [Secret(value["value"]) for value in snapshot_variables(tx, deployment) if value["secret"]]
