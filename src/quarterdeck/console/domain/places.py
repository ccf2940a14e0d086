"""Readable addresses to rows: slugs of the caller's own organization."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from quarterdeck.console.ports import Place
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.workspace import environments, projects
from quarterdeck.workspace.model import Environment, Project
from quarterdeck.workspace.names import slug


@dataclass(frozen=True, slots=True)
class Found:
    resource: Resource
    environment: Environment
    project: Project

    @property
    def href(self) -> str:
        return href(self.project, self.environment, self.resource)

    @property
    def title(self) -> str:
        return f"{self.project.name} / {self.resource.name}"


def environment_slug(environment: Environment) -> str:
    """Environments have names only; their slug is derived, and an odd name falls back to the `env_…`."""
    return slug(environment.name, environment.ref)


def href(project: Project, environment: Environment, resource: Resource) -> str:
    return f"/console/projects/{project.slug}/{environment_slug(environment)}/{resource.slug}"


def project_at(tx: Tx, name: str) -> Project:
    found = projects.find_by_slug(tx, name)
    if found is None:
        raise NotFound(
            f"There is no project {name[:60]!r}, or you may not see it.",
            hint="It may have another name now. Look in Projects.",
        )
    return found


def environment_at(tx: Tx, project: str, name: str) -> tuple[Environment, Project]:
    owner = project_at(tx, project)
    for environment in environments.of_project(tx, owner):
        if name in {environment_slug(environment), environment.ref}:
            return environment, owner
    raise NotFound(f"{owner.name} has no environment {name[:60]!r}.", hint=f"Look in {owner.name}.")


def resource_at(tx: Tx, place: Place) -> Found:
    environment, project = environment_at(tx, place.project, place.environment)
    resource = resources.find_by_slug(tx, environment, place.resource)
    if resource is None:
        raise NotFound(
            f"There is no resource {place.resource[:60]!r} in {project.name} / {environment.name}.",
            hint=f"Look in {project.name}.",
        )
    return Found(resource, environment, project)


def deployment_at(tx: Tx, found: Found, number: int) -> Deployment:
    row = tx.first(select(Deployment).where(Deployment.resource_id == found.resource.id, Deployment.number == number))
    if row is None:
        latest = tx.get(Deployment, found.resource.latest_id) if found.resource.latest_id else None
        raise NotFound(
            f"{found.resource.name} has no deployment v{number}.",
            hint=f"The newest is v{latest.number}." if latest is not None else "",
        )
    return row


def owners_of(tx: Tx, resource: Resource) -> Found:
    environment, project = resources.owners(tx, resource)
    return Found(resource, environment, project)
