"""What a deployment would do, without doing it: the source is looked at, nothing is built, started or routed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quarterdeck.deploy.deployments import admission, routes
from quarterdeck.deploy.deployments.glancing import Glances
from quarterdeck.deploy.deployments.placement import Placement
from quarterdeck.deploy.execution.order import DeploymentOrder, TargetOrder, VariableValue
from quarterdeck.deploy.execution.preparing import plan_for
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.sources.documents import from_document
from quarterdeck.deploy.sources.folders import Folders
from quarterdeck.fleet.docker.address import own_engine
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.model import Destination, Server
from quarterdeck.fleet.targets.engines import open_engine
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Problem
from quarterdeck.workspace import variables
from quarterdeck.workspace.model import Environment, Project

MASKED = "****"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be planned, as it stands now."""

    resource: Resource
    project: Project
    environment: Environment
    server: Server
    destination: Destination | None
    route: dict[str, object] | None
    order: DeploymentOrder
    credential: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Preview:
    subject: Subject
    plan: BuildPlan | None
    engine: bool


def subject(
    tx: Tx,
    placement: Placement,
    *,
    project_ref: str,
    environment_ref: str,
    resource_ref: str,
    server_ref: str,
    destination_ref: str | None,
) -> Subject:
    """The resource and server that are named, checked as admission checks them, but for their lifecycle."""
    resource = resources.find(tx, resource_ref)
    environment, project = resources.owners(tx, resource)
    server = servers.find(tx, server_ref)
    admission.check_context(tx, resource, environment, project, environment_ref, project_ref)
    destination = (
        servers.destination(tx, server, destination_ref)
        if destination_ref
        else servers.existing_destination(tx, server)
    )
    order = DeploymentOrder(
        deployment=f"plan_{resource.ref}",
        number=0,
        resource=resource.ref,
        resource_slug=resource.slug,
        resource_kind=resource.kind,
        organization=str(resource.organization_id),
        trigger="create",
        target=placement.target(tx, server),
        source=resource.source or {},
        runtime=resource.runtime or {"strategy": "auto"},
        network=resource.network,
        health=resource.health,
        route=None,
        variables=[
            VariableValue(
                row.key, MASKED if row.is_secret else variables.reveal(tx, row).reveal(), row.exposure, row.is_secret
            )
            for row in admission.reaching_variables(tx, resource)
        ],
        limits=placement.limits,
        source_within=tx.part(Folders).within(resource.source or {}),
    )
    return Subject(
        resource,
        project,
        environment,
        server,
        destination,
        routes.planned(tx, resource, server),
        order,
        admission.source_credential(tx, resource, resource.source or {}),
        tx.now,
    )


async def preview(db: Database, glances: Glances, **refs: Any) -> Preview:
    """Plan a deployment read-only. Raises what stands in the way of looking at the source."""
    placement = glances.placement
    found = await db.read(subject, placement, **refs)
    engine = await engine_answers(found.order.target)
    if not found.order.source:
        return Preview(found, None, engine)
    spec = from_document(found.order.source, found.credential)
    if spec.kind == "docker-image":
        return Preview(found, plan_for(found.order, None, engine=engine), engine)
    made, _ = await glances.plan(found.order, spec, engine=engine, within=found.order.source_within)
    return Preview(found, made, engine)


async def engine_answers(target: TargetOrder) -> bool:
    """Raises the problem of a server that cannot be reached: nothing can be said of its engine."""
    if target.engine_refused:
        return False
    if target.ssh is not None:
        async with await SshHost.connect(target.ssh.login()) as host:
            try:
                async with await open_engine(host):
                    return True
            except Problem:
                if await host.lost():
                    raise
                return False
    try:
        async with await Engine.connect(own_engine(target.docker_host)):
            return True
    except Problem:
        return False
