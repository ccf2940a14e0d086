"""Resources as the deploy surface answers with them; shared by its list, detail and health routes."""

from __future__ import annotations

from typing import Any

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources.model import Resource, RuntimeControl
from quarterdeck.deploy.resources.overview import Access, Overview
from quarterdeck.kernel.clock import wire_time
from quarterdeck.surfaces.deploy.shapes import at, present


def summary(view: Overview) -> dict[str, Any]:
    """What list and detail have in common."""
    row = view.resource
    return present(
        id=row.ref,
        projectId=view.project,
        environmentId=view.environment,
        destinationId=view.destination,
        name=row.name,
        slug=row.slug,
        kind=row.kind,
        description=row.description,
        createdAt=wire_time(row.created_at),
        services=row.services,
        deploymentCount=row.deployment_count,
        lastDeploymentId=view.latest.ref if view.latest else None,
        lastDeploymentStatus=view.latest.status if view.latest else None,
    )


def listed(view: Overview) -> dict[str, Any]:
    return {
        **summary(view),
        **present(
            networkProfile=view.resource.network,
            accessProfile=view.resource.access,
            latestRuntimeControl=control(view.control) if view.control else None,
            accessSummary=access(view),
        ),
    }


def source(row: Resource) -> dict[str, Any] | None:
    if row.source is None:
        return None
    return {**row.source, "sourceBindingFingerprint": row.source_fingerprint or ""}


def access(view: Overview) -> dict[str, Any] | None:
    """Routes of the resource; None where it neither has nor would get one."""
    body = present(
        plannedGeneratedAccessRoute=route(view.planned),
        latestGeneratedAccessRoute=route(view.realized),
        proxyRouteStatus=view.proxy_status,
        lastRouteRealizationDeploymentId=view.serving.ref if view.serving and view.realized else None,
    )
    return body or None


def route(given: Access | None) -> dict[str, Any] | None:
    if given is None:
        return None
    made = given.deployment
    return present(
        url=given.url,
        hostname=given.hostname,
        scheme="http",
        providerKey=given.provider,
        pathPrefix=given.path_prefix,
        proxyKind=given.proxy_kind,
        targetPort=given.target_port,
        deploymentId=made.ref if made else None,
        deploymentStatus=made.status if made else None,
        updatedAt=wire_time(made.finished_at or made.created_at) if made else None,
    )


def deployment(row: Deployment, server_ref: str, destination_ref: str) -> dict[str, Any]:
    return present(
        id=row.ref,
        status=row.status,
        createdAt=wire_time(row.created_at),
        startedAt=at(row.started_at),
        finishedAt=at(row.finished_at),
        serverId=server_ref,
        destinationId=destination_ref,
    )


def control(row: RuntimeControl) -> dict[str, Any]:
    """One attempt to stop, start or restart."""
    return present(
        runtimeControlAttemptId=row.ref,
        operation=row.operation,
        status=row.status,
        startedAt=wire_time(row.started_at),
        completedAt=at(row.completed_at),
        runtimeState=row.runtime_state,
        blockedReason=row.blocked_reason,
        errorCode=row.error_code,
        phases=row.phases,
    )
