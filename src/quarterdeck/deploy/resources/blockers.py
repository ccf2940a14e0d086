"""What of this room stands in the way of deleting a project, an environment, a server or an SSH key, and what goes
along with it.
"""

from __future__ import annotations

from sqlalchemy import delete, func, select, update

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.observation.model import LogArchive, Observation
from quarterdeck.deploy.resources import build_places, deploy_keys
from quarterdeck.deploy.resources.model import Resource, RuntimeControl
from quarterdeck.fleet.servers.model import Destination
from quarterdeck.kernel.db import Tx


class DeployBlockers:
    """A `kernel.protocols.DeletionBlocker`."""

    def blockers(self, tx: Tx, kind: str, row_id: int) -> list[tuple[str, int]]:
        if kind == "ssh-credential":
            number = deploy_keys.users(tx, row_id)
            return [("resource", number)] if number else []
        resources = select(func.count()).select_from(Resource)
        deployments = select(func.count()).select_from(Deployment)
        archives = select(func.count()).select_from(LogArchive)
        if kind == "resource":
            found = [
                ("deployment-history", deployments.where(Deployment.resource_id == row_id)),
                ("runtime-log-retention", archives.where(LogArchive.resource_id == row_id)),
            ]
        elif kind == "project":
            found = [
                ("resource", resources.where(Resource.project_id == row_id, Resource.lifecycle != "deleted")),
                ("deployment-history", deployments.where(Deployment.project_id == row_id)),
                ("runtime-log-retention", archives.where(LogArchive.project_id == row_id)),
            ]
        elif kind == "environment":
            found = [
                ("resource", resources.where(Resource.environment_id == row_id, Resource.lifecycle != "deleted")),
                ("deployment-history", deployments.where(Deployment.environment_id == row_id)),
            ]
        elif kind == "server":
            here = deployments.where(Deployment.server_id == row_id)
            placed = resources.join(Destination, Destination.id == Resource.destination_id)
            found = [
                ("deployment-history", here),
                ("active-deployment", here.where(Deployment.status.in_(ACTIVE))),
                ("resource-placement", placed.where(Destination.server_id == row_id, Resource.lifecycle == "active")),
                ("runtime-log-retention", archives.where(LogArchive.server_id == row_id)),
            ]
        else:
            return []
        counted = [(word, int(tx.execute(query).scalar_one())) for word, query in found]
        if kind == "server":
            counted.append(("source-link", build_places.users(tx, row_id)))
        return [(word, number) for word, number in counted if number]

    def forget(self, tx: Tx, kind: str, row_id: int) -> None:
        """The remains of resources that are out of use."""
        if kind == "server":
            places = select(Destination.id).where(Destination.server_id == row_id)
            tx.execute(update(Resource).where(Resource.destination_id.in_(places)).values(destination_id=None))
        if kind not in {"project", "environment"}:
            return
        owner = Resource.project_id if kind == "project" else Resource.environment_id
        gone = select(Resource.id).where(owner == row_id, Resource.lifecycle == "deleted")
        for model in (RuntimeControl, Observation):
            tx.execute(delete(model).where(model.resource_id.in_(gone)))
        tx.execute(delete(Resource).where(Resource.id.in_(gone)))
