"""Counts over deployments, for the pages of servers and projects."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.kernel.db import Tx

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
