"""Work orders: everything that a worker needs to carry an attempt out, or to clear away after one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import or_, select

from quarterdeck.deploy.deployments import admission, routes
from quarterdeck.deploy.deployments.model import Deployment, Phase
from quarterdeck.deploy.deployments.placement import Placement
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.execution.order import (
    DeploymentOrder,
    Retained,
    RouteOrder,
    RuntimeOrder,
    Serving,
    VariableValue,
)
from quarterdeck.deploy.resources import build_places
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.logs import Logs


def deployment_of(tx: Tx, row_id: int) -> Deployment:
    """The deployment that a job is about, by its row id."""
    found = tx.get(Deployment, row_id)
    assert found is not None  # noqa: S101 - jobs outlive no deployment
    return found


def resource_of(tx: Tx, deployment: Deployment) -> Resource:
    """What it is a deployment of."""
    found = tx.get(Resource, deployment.resource_id)
    assert found is not None  # noqa: S101 - the foreign key says so
    return found


def server_of(tx: Tx, deployment: Deployment) -> Server:
    """Where it was placed."""
    found = tx.get(Server, deployment.server_id)
    assert found is not None  # noqa: S101 - the foreign key says so
    return found


def mask(
    logs: Logs, deployment: str, resource: str, variables: Sequence[VariableValue], credential: str | None
) -> None:
    """Hide the secrets of an attempt in both streams that its lines go to."""
    hidden = [variable.value for variable in variables if variable.secret]
    if credential:
        values = msgspec.json.decode(credential)
        hidden.extend(str(values[name]) for name in ("token", "key") if name in values)
    for stream in (f"deployment:{deployment}", f"runtime:{resource}"):
        logs.mask(stream, hidden)


def mask_active(tx: Tx, logs: Logs) -> int:
    """Hide the secrets of every attempt under way: after a restart, a worker that dials in goes on with its lines
    without being given its order again.
    """
    active = list(tx.scalars(select(Deployment).where(Deployment.status.in_(ACTIVE))))
    for deployment in active:
        resource = resource_of(tx, deployment)
        credential = admission.source_credential(tx, resource, deployment.snapshot.get("source") or {})
        mask(logs, deployment.ref, resource.ref, _variables(tx, deployment), credential)
    return len(active)


def _variables(tx: Tx, deployment: Deployment) -> list[VariableValue]:
    return [
        VariableValue(value["key"], value["value"], value["exposure"], value["secret"])
        for value in admission.snapshot_variables(tx, deployment)
    ]


def order(tx: Tx, placement: Placement, deployment: Deployment) -> DeploymentOrder:
    """Everything that a worker needs for this attempt, with what earlier executions of it have recorded."""
    resource, server = resource_of(tx, deployment), server_of(tx, deployment)
    serving = tx.get(Deployment, resource.serving_id) if resource.serving_id else None
    candidate = tx.get(Deployment, deployment.candidate_id) if deployment.candidate_id else None
    phases = list(tx.scalars(select(Phase).where(Phase.deployment_id == deployment.id).order_by(Phase.started_at)))
    source = deployment.snapshot.get("source") or {}
    builder = None if candidate else build_places.of(tx, source, deployment.organization_id, server)
    return DeploymentOrder(
        deployment=deployment.ref,
        number=deployment.number,
        resource=resource.ref,
        resource_slug=resource.slug,
        resource_kind=resource.kind,
        organization=str(deployment.organization_id),
        trigger=deployment.trigger,
        target=placement.target(tx, server),
        source=source,
        runtime=deployment.snapshot.get("runtime") or {},
        network=deployment.snapshot.get("network"),
        health=deployment.snapshot.get("health"),
        route=_route(tx, resource, deployment),
        variables=_variables(tx, deployment),
        limits=placement.limits,
        retained=(
            Retained(candidate.ref, candidate.artifact or {}, candidate.plan or {}) if candidate is not None else None
        ),
        serving=_serving(tx, resource, serving, server),
        done=_done(deployment, phases),
        resumed=phases[-1].phase if phases else None,
        source_credential=admission.source_credential(tx, resource, deployment.snapshot.get("source") or {}),
        commit=deployment.commit,
        source_within=deployment.snapshot.get("sourceWithin") or [],
        build=placement.target(tx, builder) if builder else None,
        build_name=builder.name if builder else None,
        patient=deployment.next_try_at is not None,
    )


def _serving(tx: Tx, resource: Resource, deployment: Deployment | None, server: Server) -> Serving | None:
    """What serves on this server: of another one neither addresses nor containers mean anything here."""
    if deployment is None or deployment.server_id != server.id:
        return None
    stopped = resource.wanted == "stopped"
    return Serving(deployment.ref, deployment.runtime or {}, _route(tx, resource, deployment), stopped)


def _route(tx: Tx, resource: Resource, deployment: Deployment) -> RouteOrder | None:
    route = deployment.route
    if not route:
        return None
    return RouteOrder(resource.ref, routes.owner(tx, resource), list(route["hostnames"]), str(route["pathPrefix"]))


def follow_up_order(tx: Tx, placement: Placement, deployment: Deployment, operation: str) -> RuntimeOrder:
    """What is to be cleared away after a deployment, decided when it is: what somebody else needs by then stays."""
    resource, server = resource_of(tx, deployment), server_of(tx, deployment)
    serving = tx.get(Deployment, resource.serving_id) if resource.serving_id else None
    runtime, artifact = deployment.runtime or {}, deployment.artifact or {}
    return RuntimeOrder(
        operation=operation,
        deployment=deployment.ref,
        resource=resource.ref,
        target=placement.target(tx, server),
        runtime=runtime,
        grace_seconds=placement.grace_seconds,
        route=_route(tx, resource, deployment),
        artifact={} if needed(tx, deployment) else artifact,
        serving=_serving(tx, resource, serving, server),
        in_containers=in_containers(deployment),
    )


def in_containers(deployment: Deployment) -> bool:
    """Whether what an attempt left, if it did, is in an engine."""
    planned = (deployment.plan or {}).get("execution_kind") in {"docker-container", "docker-compose-stack"}
    runtime, artifact = deployment.runtime or {}, deployment.artifact or {}
    return planned or artifact.get("kind") in {"image", "stack"} or runtime.get("kind") == "container"


def _done(deployment: Deployment, phases: Sequence[Phase]) -> dict[str, dict[str, object]]:
    columns: dict[str, dict[str, object] | None] = {
        "detect": {"commit": deployment.commit, "message": deployment.commit_message},
        "plan": deployment.plan,
        "package": deployment.artifact,
        "deploy": deployment.runtime,
        "verify": {},
        "cut-over": deployment.runtime,
    }
    return {row.phase: columns.get(row.phase) or {} for row in phases if row.status in {"succeeded", "skipped"}}


def needed(tx: Tx, deployment: Deployment) -> bool:
    """Whether the artefact of a deployment is what another one runs, keeps, or is about to start again."""
    key = _artifact_key(deployment)
    rows = tx.scalars(
        select(Deployment).where(
            Deployment.resource_id == deployment.resource_id,
            or_(Deployment.artifact_retained.is_(True), Deployment.status.in_(ACTIVE)),
        )
    )
    for row in rows:
        candidate = tx.get(Deployment, row.candidate_id) if row.candidate_id and row.status in ACTIVE else None
        kept = row.id == deployment.id and row.artifact_retained
        if kept or (row.id != deployment.id and key in {_artifact_key(row), candidate and _artifact_key(candidate)}):
            return True
    return False


def _artifact_key(deployment: Deployment) -> str:
    artifact = deployment.artifact or {}
    return str(artifact.get("reference") or artifact.get("directory") or deployment.ref)
