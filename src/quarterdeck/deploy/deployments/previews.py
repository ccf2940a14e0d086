"""Tearing a preview down: what runs, what it was made of, the way to it. The resource and its history stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import or_, select

from quarterdeck.deploy.deployments.admission import target_capabilities
from quarterdeck.deploy.deployments.following import CHANGED
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.ordering import follow_up_order
from quarterdeck.deploy.deployments.placement import Placement
from quarterdeck.deploy.deployments.transitions import ACTIVE, move
from quarterdeck.deploy.execution.order import CleanupOrder, RuntimeOrder
from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.resources.transitions import serve
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers.model import Destination, Server
from quarterdeck.kernel import audit, events, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.workspace.model import Environment, Project
from quarterdeck.workspace.projects import organization_of

CLEANUP = "preview.cleanup"
PREVIEW = "preview"


class PreviewAction(audit.Action):
    CLEANUP_REQUESTED = "preview.cleanup-requested"
    CLEANED = "preview.cleaned"


class CleanupPayload(msgspec.Struct):
    """Row id of the resource."""

    resource: int


@dataclass(frozen=True, slots=True)
class Context:
    """What the caller knows of the preview; a field that is another than the resource's refuses the request."""

    project: str | None = None
    environment: str | None = None
    resource: str | None = None
    server: str | None = None
    destination: str | None = None
    repository: str | None = None
    repository_id: str | None = None
    ref: str | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Cleanup:
    """`job` is None where there was nothing to clean; `ids` are the wire ids of what the preview is, `repository` the
    full name of its source's, where that is known.
    """

    job: jobs.Job | None
    ids: Mapping[str, str]
    runs: bool = False
    artifacts: bool = False
    repository: str | None = None


def request(tx: Tx, fingerprint: str, context: Context) -> Cleanup:
    """Ask for the preview of a source to be torn down. An unknown fingerprint, or one whose preview is gone, is clean
    already. Only previews can be meant: what another environment runs from the same source is never touched.
    """
    resource = _resource(tx, fingerprint, context)
    if resource is None:
        return Cleanup(None, {})
    resources.hold(tx, resource)
    ids = _check(tx, resource, context)
    repository = (resource.source or {}).get("repositoryFullName")
    left = leavings(tx, resource)
    active = list(
        tx.scalars(select(Deployment).where(Deployment.resource_id == resource.id, Deployment.status.in_(ACTIVE)))
    )
    before = jobs.find(tx, subject=f"resource:{resource.ref}", kind=CLEANUP)
    if before is not None and not before.ended:
        return Cleanup(before, ids, bool(left), any(row.artifact for row in left), repository)
    if not left and not active:
        return Cleanup(None, ids, repository=repository)
    server = _server(tx, resource, [*left, *active])
    access.hold_names(tx, [server])
    access.check_enterable(tx, server)
    for row in active:
        going = row.status in {"running", "cancel-requested"}
        move(tx, row, "cancel-requested" if going else "canceled", reason="preview cleanup")
        if row.job_id is not None:
            jobs.cancel(tx, row.job_id, "its preview is cleaned up")
    job = jobs.enqueue(
        tx,
        jobs.Enqueue(
            kind=CLEANUP,
            payload=CleanupPayload(resource.id),
            organization_id=resource.organization_id,
            subject=f"resource:{resource.ref}",
            capabilities=target_capabilities(server),
            concurrency_key=resources.turn_of(resource),
        ),
    )
    _note(tx, resource, PreviewAction.CLEANUP_REQUESTED, "preview-cleanup-requested")
    return Cleanup(job, ids, bool(left), any(row.artifact for row in left), repository)


def _resource(tx: Tx, fingerprint: str, context: Context) -> Resource | None:
    query = (
        select(Resource, Environment.kind)
        .join(Environment, Environment.id == Resource.environment_id)
        .where(
            Resource.organization_id == organization_of(tx),
            Resource.source_fingerprint == fingerprint,
            Resource.lifecycle != "deleted",
        )
    )
    if context.resource is not None:
        query = query.where(Resource.ref == context.resource)
    if context.environment is not None:
        query = query.where(Environment.ref == context.environment)
    rows = tx.session.execute(query.order_by(Resource.id)).all()
    previews = [row[0] for row in rows if row[1] == PREVIEW]
    if rows and not previews:
        raise Invalid(
            "What is made from this source is no preview.",
            hint="Only resources of an environment of the kind preview are cleaned up.",
            field="sourceFingerprint",
        )
    if len(previews) > 1:
        raise Invalid(
            f"{len(previews)} previews are made from this source.",
            hint="Name the one in trustedContext.resourceId.",
            field="trustedContext",
        )
    return previews[0] if previews else None


def _check(tx: Tx, resource: Resource, context: Context) -> dict[str, str]:
    """The wire ids of the preview. Raises `Invalid` where the caller names others."""
    project, environment = tx.get(Project, resource.project_id), tx.get(Environment, resource.environment_id)
    assert project is not None and environment is not None  # noqa: S101, PT018 - the foreign keys say so
    ids = {"projectId": project.ref, "environmentId": environment.ref, "resourceId": resource.ref}
    latest = tx.get(Deployment, resource.serving_id or resource.latest_id or 0)
    if latest is not None:
        server, destination = tx.get(Server, latest.server_id), tx.get(Destination, latest.destination_id)
        assert server is not None and destination is not None  # noqa: S101, PT018 - the foreign keys say so
        ids |= {"serverId": server.ref, "destinationId": destination.ref, "deploymentId": latest.ref}
    source = resource.source or {}
    named = (
        ("projectId", context.project, ids["projectId"]),
        ("serverId", context.server, ids.get("serverId")),
        ("destinationId", context.destination, ids.get("destinationId")),
        ("repositoryFullName", context.repository, source.get("repositoryFullName")),
        ("repositoryId", context.repository_id, source.get("repositoryId")),
        ("ref", context.ref, source.get("gitRef")),
        ("revision", context.revision, source.get("commitSha")),
    )
    for name, given, known in named:
        if given is not None and known is not None and given != known:
            raise Invalid(
                f"The preview of this source has another {name}.",
                hint="Leave it out, or send the fingerprint of the preview that is meant.",
                field=f"trustedContext.{name}",
            )
    return ids


def leavings(tx: Tx, resource: Resource) -> list[Deployment]:
    """Attempts of which something is left on a host, newest first."""
    return list(
        tx.scalars(
            select(Deployment)
            .where(
                Deployment.resource_id == resource.id,
                or_(
                    Deployment.id == (resource.serving_id or 0),
                    Deployment.artifact_retained.is_(True),
                    Deployment.runtime.is_not(None) & Deployment.retired_at.is_(None),
                ),
                Deployment.status.not_in(ACTIVE),
            )
            .order_by(Deployment.id.desc())
        )
    )


def _server(tx: Tx, resource: Resource, rows: Sequence[Deployment]) -> Server:
    newest = next((row for row in rows if row.id == resource.serving_id), rows[0])
    server = tx.get(Server, newest.server_id)
    assert server is not None  # noqa: S101 - the foreign key says so
    return server


def _note(tx: Tx, resource: Resource, action: PreviewAction, event: str) -> None:
    tx.flush()
    audit.record(
        tx, action, resource_type="resource", resource_id=resource.ref, organization_id=resource.organization_id
    )
    events.append(
        tx,
        f"resource:{resource.ref}",
        event,
        {"resourceId": resource.ref, "sourceFingerprint": resource.source_fingerprint},
        organization_id=resource.organization_id,
    )


def kind(placement: Placement) -> jobs.JobKind:
    """Tearing down as a job, for work orders of this instance."""

    def assign(tx: Tx, job: jobs.Job) -> CleanupOrder:
        resource = _of(tx, job)
        return CleanupOrder([_order(tx, placement, row) for row in leavings(tx, resource)])

    def finish(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
        if outcome.state != "succeeded":
            return
        resource = _of(tx, job)
        for row in leavings(tx, resource):
            row.artifact_retained = False
            row.retired_at = row.retired_at or tx.now
        serve(resource, None)
        tx.flush()
        tx.publish(CHANGED)
        _note(tx, resource, PreviewAction.CLEANED, "preview-cleaned")

    return jobs.JobKind(
        name=CLEANUP,
        payload=CleanupPayload,
        assign=assign,
        finish=finish,
        lease_seconds=15,
        work=jobs.Work("runtime-maintenance", "Clean a preview up", _describe),
    )


def _of(tx: Tx, job: jobs.Job) -> Resource:
    resource = tx.get(Resource, job.read(CleanupPayload).resource)
    assert resource is not None  # noqa: S101 - a resource stays as a tombstone
    return resource


def being_cleaned(tx: Tx, places: Sequence[int]) -> list[str]:
    """Names of the previews that are being cleaned up, or will be, on these servers (row ids)."""
    live = jobs.list_jobs(tx, jobs.Filter(kind=CLEANUP, states=tuple(jobs.LIVE), limit=1_000_000))
    found = [tx.get(Resource, job.read(CleanupPayload).resource) for job in live]
    return [
        resource.name
        for resource in found
        if resource is not None and any(row.server_id in places for row in leavings(tx, resource))
    ]


def _order(tx: Tx, placement: Placement, deployment: Deployment) -> RuntimeOrder:
    """As after a failed attempt, but nothing served before, and nobody needs the artefact."""
    made = follow_up_order(tx, placement, deployment, "clean")
    return msgspec.structs.replace(made, serving=None, artifact=deployment.artifact or {})


def _describe(tx: Tx, some: Sequence[jobs.Job]) -> dict[int, jobs.About]:
    wanted = {job.id: job.read(CleanupPayload).resource for job in some}
    query = (
        select(Resource.id, Resource.ref, Project.ref, Server.ref)
        .join(Project, Project.id == Resource.project_id)
        .outerjoin(Deployment, Deployment.id == Resource.latest_id)
        .outerjoin(Server, Server.id == Deployment.server_id)
        .where(Resource.id.in_(sorted(set(wanted.values()))))
    )
    rows = {row[0]: row for row in tx.execute(query)}
    found = {}
    for job in some:
        row = rows.get(wanted[job.id])
        links = {"resourceId": row[1], "projectId": row[2]} if row is not None else {}
        if row is not None and row[3] is not None:
            links["serverId"] = row[3]
        found[job.id] = jobs.About("deployments.cleanup-preview", links=links)
    return found
