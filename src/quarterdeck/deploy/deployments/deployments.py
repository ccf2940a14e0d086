"""Finding and listing deployments, and the acts on one: retry, redeploy, roll back, cancel."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from quarterdeck.deploy.deployments import admission, readiness
from quarterdeck.deploy.deployments.model import Deployment, Phase
from quarterdeck.deploy.deployments.transitions import TERMINAL, UNDONE, move
from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.workspace.model import Project
from quarterdeck.workspace.projects import organization_of


def find(tx: Tx, ref: str) -> Deployment:
    """A deployment of the caller's organization; `NotFound` otherwise."""
    return tx.one(
        select(Deployment).where(Deployment.ref == ref, Deployment.organization_id == organization_of(tx)),
        what=f"deployment {ref[:60]}",
    )


def phases(tx: Tx, deployment: Deployment) -> list[Phase]:
    return list(tx.scalars(select(Phase).where(Phase.deployment_id == deployment.id).order_by(Phase.id)))


def newest(
    tx: Tx, limit: int, *, project_ref: str | None = None, resource_ref: str | None = None, archived: bool = False
) -> list[Deployment]:
    query = _filtered(select(Deployment), tx, project_ref, resource_ref, archived=archived)
    return list(tx.scalars(query.order_by(Deployment.id.desc()).limit(limit)))


def count(tx: Tx, *, project_ref: str | None = None, resource_ref: str | None = None, archived: bool = False) -> int:
    query = _filtered(select(func.count()).select_from(Deployment), tx, project_ref, resource_ref, archived=archived)
    return int(tx.execute(query).scalar_one())


def _filtered(
    query: Select[*tuple[Any, ...]], tx: Tx, project_ref: str | None, resource_ref: str | None, *, archived: bool
) -> Select[*tuple[Any, ...]]:
    # The narrowest owner alone leads the way, so that the index of its attempts is used; it is the caller's own.
    organization = organization_of(tx)
    if project_ref is None and resource_ref is None:
        query = query.where(Deployment.organization_id == organization)
    if project_ref is not None:
        project = select(Project.id).where(Project.ref == project_ref, Project.organization_id == organization)
        query = query.where(Deployment.project_id == project.scalar_subquery())
    if resource_ref is not None:
        resource = select(Resource.id).where(Resource.ref == resource_ref, Resource.organization_id == organization)
        query = query.where(Deployment.resource_id == resource.scalar_subquery())
    if not archived:
        query = query.where(Deployment.archived_at.is_(None))
    return query


def check_resource(tx: Tx, deployment: Deployment, resource_ref: str | None) -> Resource:
    """The deployment's resource. A named one that is another is `resource_context_mismatch`."""
    resource = tx.get(Resource, deployment.resource_id)
    assert resource is not None  # noqa: S101 - the foreign key says so
    if resource_ref is not None and resource_ref != resource.ref:
        raise Invalid(
            f"The deployment {deployment.ref} belongs to another resource.",
            code="resource_context_mismatch",
            hint=f"Name {resource.ref}, or leave it out.",
        )
    return resource


def _server_ref(tx: Tx, deployment: Deployment) -> str:
    server = tx.get(Server, deployment.server_id)
    assert server is not None  # noqa: S101 - the foreign key says so
    return server.ref


def retry(tx: Tx, ref: str, *, resource_ref: str | None = None, state_version: str | None = None) -> Deployment:
    """A new attempt with the snapshot of a failed or canceled one."""
    origin = find(tx, ref)
    resource = check_resource(tx, origin, resource_ref)
    readiness.check_fresh(tx, origin, state_version)
    if origin.status not in UNDONE:
        raise Conflict(
            f"The deployment {ref} is {origin.status} and cannot be retried.",
            code="deployment_not_retryable",
            hint="Retry takes failed or canceled attempts; redeploy starts a new one.",
        )
    candidate = tx.get(Deployment, origin.candidate_id) if origin.candidate_id else None
    reasons = readiness.candidate_reasons(origin, candidate) if candidate is not None else []
    if reasons:
        raise Conflict(
            f"What {ref} was to give back cannot be given back any more: {', '.join(reasons)}.",
            code="deployment_not_retryable",
            hint="Roll back to another candidate, or redeploy.",
            reasons=reasons,
        )
    return admission.create(
        tx,
        resource_ref=resource.ref,
        server_ref=_server_ref(tx, origin),
        trigger="retry",
        origin=origin,
        candidate=candidate,
    )


def redeploy(
    tx: Tx,
    resource_ref: str,
    *,
    project_ref: str | None = None,
    environment_ref: str | None = None,
    server_ref: str | None = None,
    destination_ref: str | None = None,
    source_ref: str | None = None,
    state_version: str | None = None,
) -> Deployment:
    """A new attempt with the resource's present profile."""
    resource = resources.find(tx, resource_ref)
    source = (
        find(tx, source_ref) if source_ref else (tx.get(Deployment, resource.latest_id) if resource.latest_id else None)
    )
    if source is None:
        raise Conflict(
            f"{resource.name} was never deployed.",
            code="deployment_not_redeployable",
            hint="Create its first deployment.",
        )
    if source.resource_id != resource.id:
        raise Invalid("The source deployment belongs to another resource.", code="resource_context_mismatch")
    readiness.check_fresh(tx, source, state_version)
    deployment = admission.create(
        tx,
        resource_ref=resource.ref,
        project_ref=project_ref,
        environment_ref=environment_ref,
        server_ref=server_ref or _server_ref(tx, source),
        destination_ref=destination_ref,
        trigger="redeploy",
    )
    deployment.source_deployment_id = source.id
    return deployment


def rollback(
    tx: Tx, ref: str, candidate_ref: str, *, resource_ref: str | None = None, state_version: str | None = None
) -> Deployment:
    """Give back an earlier successful attempt: its retained artefact with its configuration; nothing is built."""
    current = find(tx, ref)
    resource = check_resource(tx, current, resource_ref)
    readiness.check_fresh(tx, current, state_version)
    candidate = tx.first(
        select(Deployment).where(Deployment.ref == candidate_ref, Deployment.organization_id == organization_of(tx))
    )
    if candidate is None:
        raise NotFound(
            f"There is no deployment {candidate_ref[:60]} to roll back to.",
            code="deployment_rollback_candidate_not_found",
            hint="recovery-readiness lists the candidates.",
        )
    reasons = [
        *([] if current.status in TERMINAL else ["attempt-not-terminal"]),
        *readiness.candidate_reasons(current, candidate),
    ]
    if reasons:
        raise Conflict(
            f"{candidate.ref} cannot be given back: {', '.join(reasons)}.",
            code="deployment_not_rollback_ready",
            hint="recovery-readiness lists the candidates.",
            reasons=reasons,
        )
    return admission.create(
        tx, resource_ref=resource.ref, server_ref=_server_ref(tx, candidate), trigger="rollback", candidate=candidate
    )


def cancel(tx: Tx, ref: str, confirm: str, *, resource_ref: str | None = None) -> Deployment:
    """Ask an active attempt to stop; one that waits has ended with it. What serves is not touched."""
    deployment = find(tx, ref)
    check_resource(tx, deployment, resource_ref)
    if confirm != deployment.ref:
        raise Invalid(
            "The confirmation does not name this deployment.", hint=f"Send confirm = {deployment.ref}.", field="confirm"
        )
    if deployment.status in TERMINAL:
        raise _ended(ref, deployment.status)
    move(tx, deployment, "cancel-requested" if deployment.status in {"running", "cancel-requested"} else "canceled")
    if deployment.job_id is not None:
        try:
            job = jobs.cancel(tx, deployment.job_id, "canceled by a person", audited=False)
        except Conflict as ended:  # it ended since it was looked at
            raise _ended(ref, "over") from ended
        if job.ended:
            return deployment  # and its end was told with it
    audit.record(
        tx,
        admission.DeploymentAction.CANCEL_REQUESTED,
        resource_type="deployment",
        resource_id=deployment.ref,
        organization_id=deployment.organization_id,
    )
    return deployment


def _ended(ref: str, how: str) -> Conflict:
    return Conflict(
        f"The deployment {ref} is {how} already.", code="deployment_cancel_not_allowed", hint="Nothing runs."
    )
