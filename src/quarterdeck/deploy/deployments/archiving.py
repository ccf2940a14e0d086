"""Taking attempts out of sight, and, on a person's word, out of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import load_only

from quarterdeck.deploy.deployments import admission, deployments
from quarterdeck.deploy.deployments.model import Deployment, Phase
from quarterdeck.deploy.deployments.transitions import TERMINAL
from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.model import Resource, RuntimeControl
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import audit, events, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.workspace.projects import organization_of

STREAM = "deployment:"
NARROW = load_only(
    Deployment.ref,
    Deployment.organization_id,
    Deployment.number,
    Deployment.status,
    Deployment.source_deployment_id,
    Deployment.candidate_id,
    Deployment.supersedes_id,
    Deployment.superseded_by_id,
    Deployment.artifact_retained,
    Deployment.runtime,
    Deployment.archived_at,
    Deployment.retired_at,
)
"""Rows are wide: what a prune has to look at."""
LINEAGE = ("source_deployment_id", "candidate_id", "supersedes_id", "superseded_by_id")


class ArchivingAction(audit.Action):
    PRUNED = "deployment.pruned"
    LOGS_PRUNED = "deployment.logs-pruned"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which deployments a prune is about; empty fields leave the choice open. Ids are wire ids."""

    deployment: str | None = None
    resource: str | None = None
    server: str | None = None


@dataclass(slots=True)
class Pruned:
    """Wire ids of what went, or would go, and of what something still needs."""

    gone: list[str] = field(default_factory=list)
    guarded: list[str] = field(default_factory=list)


def archive(tx: Tx, ref: str, confirm: str, *, resource_ref: str | None = None) -> Deployment:
    """Hide an attempt that has ended. What it serves or may give back is not touched; repeating it changes nothing."""
    deployment = deployments.find(tx, ref)
    deployments.check_resource(tx, deployment, resource_ref)
    if confirm != deployment.ref:
        raise Invalid(
            "The confirmation does not name this deployment.", hint=f"Send confirm = {deployment.ref}.", field="confirm"
        )
    if deployment.status not in TERMINAL:
        raise Conflict(
            f"The deployment {ref} is {deployment.status} and cannot be archived yet.",
            code="deployment_archive_not_allowed",
            hint="Wait until it has ended, or cancel it.",
        )
    if deployment.archived_at is None:
        deployment.archived_at = tx.now
        tx.flush()
        _note(tx, deployment, admission.DeploymentAction.ARCHIVED, "deployment.archived")
    return deployment


def _note(tx: Tx, deployment: Deployment, action: audit.Action, event: str) -> None:
    audit.record(
        tx,
        action,
        resource_type="deployment",
        resource_id=deployment.ref,
        organization_id=deployment.organization_id,
        detail={"number": deployment.number, "status": deployment.status},
    )
    events.append(
        tx,
        f"{STREAM}{deployment.ref}",
        event,
        {"deploymentId": deployment.ref, "status": deployment.status},
        organization_id=deployment.organization_id,
    )


def matching(tx: Tx, chosen: Chosen, *, before: datetime | None = None) -> list[tuple[int, str]]:
    """Row id of the resource and wire id of each deployment that is chosen; with `before` those archived before it."""
    query = select(Deployment.resource_id, Deployment.ref).where(Deployment.organization_id == organization_of(tx))
    if chosen.deployment is not None:
        query = query.where(Deployment.ref == chosen.deployment)
    if chosen.resource is not None:
        owner = select(Resource.id).where(Resource.ref == chosen.resource)
        query = query.where(Deployment.resource_id == owner.scalar_subquery())
    if chosen.server is not None:
        place = select(Server.id).where(Server.ref == chosen.server)
        query = query.where(Deployment.server_id == place.scalar_subquery())
    if before is not None:
        query = query.where(Deployment.archived_at.is_not(None), Deployment.archived_at < before)
    return [(row[0], row[1]) for row in tx.execute(query.order_by(Deployment.id))]


def prune(tx: Tx, resource_id: int, wanted: Sequence[str], before: datetime, *, dry_run: bool) -> Pruned:
    """Delete attempts of one resource that were archived before an instant, with their phases and events; or only say
    which those would be. What something still needs stays.
    """
    resource = tx.get(Resource, resource_id)
    assert resource is not None  # noqa: S101 - the foreign key says so
    if not dry_run:
        resources.hold(tx, resource)
    rows = list(tx.scalars(select(Deployment).where(Deployment.resource_id == resource_id).options(NARROW)))
    asked = set(wanted)
    going = {
        row.id: row for row in rows if row.ref in asked and row.archived_at is not None and row.archived_at < before
    }
    named = [row.ref for row in going.values()]
    controlled = {
        row[0]
        for row in tx.execute(select(RuntimeControl.deployment_id).where(RuntimeControl.resource_id == resource_id))
    }
    for row in list(going.values()):
        # Of a resource that is out of use, the record of its stops goes with what was stopped.
        if (row.id in controlled and resource.lifecycle == "active") or _needed(tx, resource, row):
            del going[row.id]
    # Attempts that name each other go together; whom one names that stays, stays too.
    while True:
        kept = {getattr(row, column) for row in rows if row.id not in going for column in LINEAGE}
        held = kept & set(going)
        if not held:
            break
        for row_id in held:
            del going[row_id]
    found = Pruned([row.ref for row in going.values()])
    found.guarded = [ref for ref in named if ref not in set(found.gone)]
    if not dry_run and going:
        erase(tx, resource, list(going.values()))
    return found


def _needed(tx: Tx, resource: Resource, deployment: Deployment) -> bool:
    """Whether the attempt serves, is the newest, can be given back, or still has something to be cleared away."""
    if resource.serving_id == deployment.id or deployment.artifact_retained:
        return True
    if resource.latest_id == deployment.id and resource.lifecycle == "active":
        return True  # the number of the next attempt follows from it
    if deployment.runtime is not None and deployment.retired_at is None:
        return True
    live = jobs.Filter(subject=f"{STREAM}{deployment.ref}", states=tuple(jobs.LIVE), limit=1)
    return bool(jobs.list(tx, live))


def erase(tx: Tx, resource: Resource, rows: Iterable[Deployment]) -> None:
    """Delete attempts of a resource with their phases and events. The caller holds the resource and has looked that
    nothing names or needs them.
    """
    for row in rows:
        _note(tx, row, ArchivingAction.PRUNED, "deployment.pruned")
        events.erase(tx, f"{STREAM}{row.ref}")
        tx.execute(delete(Phase).where(Phase.deployment_id == row.id))
        tx.execute(delete(RuntimeControl).where(RuntimeControl.deployment_id == row.id))
        if resource.latest_id == row.id:
            resource.latest_id = None
        tx.session.delete(row)
    tx.flush()
    if resource.latest_id is None:
        newest = select(Deployment.id).where(Deployment.resource_id == resource.id).order_by(Deployment.id.desc())
        resource.latest_id = tx.execute(newest.limit(1)).scalar()
        tx.flush()


def note_logs_pruned(tx: Tx, before: datetime, chosen: Chosen, lines: int, streams: int) -> None:
    """That log lines go, kept before they do: lines lie in a store of their own."""
    organization_id = organization_of(tx)
    detail: dict[str, Any] = {
        "before": str(before),
        "deploymentId": chosen.deployment,
        "resourceId": chosen.resource,
        "serverId": chosen.server,
        "lines": lines,
        "deployments": streams,
    }
    audit.record(
        tx,
        ArchivingAction.LOGS_PRUNED,
        resource_type="deployment",
        resource_id=chosen.deployment or "*",
        organization_id=organization_id,
        detail=detail,
    )
    events.append(
        tx, f"deployments:{organization_id}", "deployment-logs-pruned", detail, organization_id=organization_id
    )
