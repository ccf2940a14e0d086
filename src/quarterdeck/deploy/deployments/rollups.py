"""Counts over deployments, for the pages of servers and projects."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.servers.model import Destination, Server
from quarterdeck.kernel.db import Tx
from quarterdeck.workspace.model import Environment, Project
from quarterdeck.workspace.projects import organization_of

MOST = 500


def of_server(tx: Tx, server_id: int) -> dict[str, Any]:
    """What was deployed to a server: resources, attempts by status, the newest of them."""
    counts = tx.execute(
        select(Deployment.status, func.count())
        .where(Deployment.server_id == server_id)
        .group_by(Deployment.status)
        .order_by(Deployment.status)
    ).all()
    deployed = tx.execute(
        select(Resource.ref)
        .where(Resource.id.in_(select(Deployment.resource_id).where(Deployment.server_id == server_id)))
        .order_by(Resource.id)
        .limit(MOST)
    ).scalars()
    refs = list(deployed)
    newest = tx.first(
        select(Deployment).where(Deployment.server_id == server_id).order_by(Deployment.id.desc()).limit(1)
    )
    deployments: dict[str, Any] = {
        "total": sum(row[1] for row in counts),
        "statusCounts": [{"status": row[0], "count": row[1]} for row in counts],
    }
    if newest is not None:
        deployments |= {"latestDeploymentId": newest.ref, "latestDeploymentStatus": newest.status}
    return {
        "resources": {"total": len(refs), "deployedResourceIds": refs},
        "deployments": deployments,
        "domains": {"total": 0, "statusCounts": []},
    }


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a deployment belongs, in the words of the contract, and whether its remains are still wanted."""

    wire: dict[str, str]
    active: bool
    retained: bool


def placed(tx: Tx, refs: Collection[str]) -> dict[str, Placed]:
    """What is known of the caller's deployments among these; an engine may hold others'."""
    rows = tx.execute(
        select(
            Deployment.ref,
            Deployment.status,
            Deployment.artifact_retained,
            Deployment.artifact,
            Resource.serving_id == Deployment.id,
            Project.ref,
            Environment.ref,
            Server.ref,
            Destination.ref,
        )
        .join(Resource, Resource.id == Deployment.resource_id)
        .join(Project, Project.id == Deployment.project_id)
        .join(Environment, Environment.id == Deployment.environment_id)
        .join(Server, Server.id == Deployment.server_id)
        .join(Destination, Destination.id == Deployment.destination_id)
        .where(Deployment.ref.in_(list(refs)), Deployment.organization_id == organization_of(tx))
    )
    found = {}
    for ref, status, retained, artifact, serving, project, environment, server, destination in rows:
        wire = {
            "projectId": project,
            "environmentId": environment,
            "serverId": server,
            "destinationId": destination,
        }
        if artifact and artifact.get("kind"):
            wire["artifactKind"] = str(artifact["kind"])
        found[ref] = Placed(wire, status in ACTIVE or bool(serving), bool(retained))
    return found
