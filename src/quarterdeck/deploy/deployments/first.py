"""The first deployment of a source: the places that are missing are made, and the attempt admitted, all or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quarterdeck.deploy.deployments import admission
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.kernel.db import Tx
from quarterdeck.workspace import environments, projects
from quarterdeck.workspace.model import Environment, Project


@dataclass(frozen=True, slots=True)
class First:
    """`project` and `environment` are names, found without case or made; `server` is an id, None for the one there is.
    `source`, `runtime` and `network` are profiles as a resource has them.
    """

    name: str
    project: str
    environment: str
    kind: str
    source: dict[str, Any]
    runtime: dict[str, Any] | None
    network: dict[str, Any] | None
    server: str | None


@dataclass(frozen=True, slots=True)
class Begun:
    project: Project
    environment: Environment
    resource: Resource
    attempt: Deployment


def deploy(tx: Tx, wanted: First) -> Begun:
    """Raises what stands in the way of a project, an environment, a resource or an attempt."""
    project = projects.find_or_create(tx, wanted.project)
    environment = environments.find_or_create(tx, project.ref, wanted.environment)
    resource = resources.create(
        tx,
        project_ref=project.ref,
        environment_ref=environment.ref,
        name=wanted.name,
        kind=wanted.kind,
        source=wanted.source,
        runtime=wanted.runtime,
        network=wanted.network,
    )
    return Begun(
        project, environment, resource, admission.create(tx, resource_ref=resource.ref, server_ref=wanted.server)
    )
