"""Taking a deployment in: all is checked and snapshotted here, in one transaction, before anything is touched."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import func, select

from quarterdeck.deploy.deployments import routes
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import ACTIVE, move
from quarterdeck.deploy.resources import build_places, deploy_keys, resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.resources.variables import reaching
from quarterdeck.deploy.sources.folders import Folders
from quarterdeck.deploy.sources.reading import local_path
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.targets.machine import fingerprint
from quarterdeck.kernel import audit, events, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.workspace import environments, projects, variables
from quarterdeck.workspace.model import Environment, Project, Variable

EXECUTE = "deployment.execute"


class DeploymentAction(audit.Action):
    REQUESTED = "deployment.requested"
    CANCEL_REQUESTED = "deployment.cancel-requested"
    FINISHED = "deployment.finished"
    CANCELED = "deployment.canceled"
    ARCHIVED = "deployment.archived"


def create(
    tx: Tx,
    *,
    resource_ref: str,
    project_ref: str | None = None,
    environment_ref: str | None = None,
    server_ref: str | None = None,
    destination_ref: str | None = None,
    trigger: str = "create",
    origin: Deployment | None = None,
    candidate: Deployment | None = None,
) -> Deployment:
    """Admit an attempt. `origin` is the attempt whose snapshot a retry takes over; `candidate` the one that a rollback
    gives back. Raises the documented guard of the first thing in the way; nothing is written then.
    """
    basis = candidate or origin
    source = None if candidate else basis.snapshot.get("source") if basis else None
    resource, environment, project, server = _held(tx, resource_ref, server_ref, source, build=candidate is None)
    check_context(tx, resource, environment, project, environment_ref, project_ref)
    projects.check_active(project)
    environments.check_open(environment)
    resources.check_active(resource)
    access.check_takes(tx, server)
    destination = servers.destination(tx, server, destination_ref)
    if basis is None and resource.source is None:
        raise Invalid(
            f"{resource.name} has no source yet.",
            code="validation_error",
            hint="Configure its source: a repository, a folder or an image.",
            phase="source-resolution",
        )
    snapshot = basis.snapshot if basis else _snapshot(resource, environment, project, server)
    snapshot = _bounded(tx, snapshot) if candidate is None else snapshot  # what is given back is not fetched again
    superseded = _supersede(tx, resource)
    number = (
        tx.execute(
            select(func.coalesce(func.max(Deployment.number), 0)).where(Deployment.resource_id == resource.id)
        ).scalar_one()
        + 1
    )
    uid = tx.ids.uid()
    deployment = tx.add(
        Deployment(
            uid=uid,
            ref=tx.ids.ref("dep"),
            organization_id=project.organization_id,
            project_id=project.id,
            environment_id=environment.id,
            resource_id=resource.id,
            server_id=server.id,
            destination_id=destination.id,
            number=number,
            status="created",
            trigger=trigger,
            source_deployment_id=origin.id if origin else None,
            candidate_id=candidate.id if candidate else None,
            supersedes_id=superseded.id if superseded else None,
            superseded_by_id=None,
            requested_by=tx.principal.label,
            snapshot=snapshot,
            snapshot_ref=tx.ids.ref("snap"),
            variables=_seal(tx, uid, snapshot_variables(tx, basis) if basis else _variables(tx, resource)),
            plan_ref=tx.ids.ref("plan"),
            plan=candidate.plan if candidate else None,
            commit=basis.commit if basis else None,
            commit_message=basis.commit_message if basis else None,
            artifact=None,
            route=routes.planned(tx, resource, server),
            runtime=None,
            error_code=None,
            error_message=None,
            error_hint=None,
            error_phase=None,
            job_id=None,
            created_at=tx.now,
            started_at=None,
            finished_at=None,
            archived_at=None,
            retired_at=None,
            # What was at work there until now is gone on with, also where the server is out of reach at the moment.
            next_try_at=tx.now if superseded is not None and _was_there(superseded, server) else None,
        )
    )
    if superseded is not None:
        superseded.superseded_by_id = deployment.id
    job = jobs.enqueue(
        tx,
        jobs.Enqueue(
            kind=EXECUTE,
            payload={"deployment": deployment.id},
            organization_id=project.organization_id,
            subject=f"deployment:{deployment.ref}",
            capabilities=_capabilities(tx, server, snapshot, build=candidate is None),
            concurrency_key=resources.turn_of(resource),
        ),
    )
    deployment.job_id = job.id
    resource.latest_id = deployment.id
    resource.deployment_count += 1
    if resource.destination_id is None:
        resource.destination_id = destination.id
    tx.flush()
    detail = {"resourceId": resource.ref, "serverId": server.ref, "trigger": trigger, "number": number}
    audit.record(
        tx,
        DeploymentAction.REQUESTED,
        resource_type="deployment",
        resource_id=deployment.ref,
        organization_id=project.organization_id,
        aggregate_id=resource.ref,
        detail=detail,
    )
    events.append(
        tx,
        f"deployment:{deployment.ref}",
        "deployment-requested",
        {"deploymentId": deployment.ref, "status": "created", **detail},
        organization_id=project.organization_id,
    )
    return deployment


def _capabilities(tx: Tx, server: Server, snapshot: dict[str, Any], *, build: bool) -> frozenset[str]:
    """What a worker needs to carry an attempt out; what is given back is neither fetched nor built."""
    source = snapshot.get("source") or {}
    needed = target_capabilities(server)
    if not build:
        return needed
    builder = build_places.of(tx, source, server.organization_id, server)
    return needed | source_capabilities(source) | (target_capabilities(builder) if builder else frozenset())


def source_capabilities(source: dict[str, Any]) -> frozenset[str]:
    """What a worker needs to fetch the source: for a folder, repository or archive of this machine, to be on it."""
    here = local_path(source.get("kind", ""), source.get("locator", ""))
    return frozenset({f"local:{fingerprint()}"}) if here else frozenset()


def target_capabilities(server: Server) -> frozenset[str]:
    """What a worker needs to work on the server: for this machine, to be on it."""
    return (
        frozenset({"deploy", f"local:{fingerprint()}"}) if server.provider == servers.LOCAL else frozenset({"deploy"})
    )


def _held(
    tx: Tx, resource_ref: str, server_ref: str | None, source: dict[str, Any] | None = None, *, build: bool = True
) -> tuple[Resource, Environment, Project, Server]:
    """What an attempt rests on, as it is now and stays until the unit ends. `source` is what it takes instead of the
    resource's own; who does not `build` needs no server for it.
    """
    found, _ = resources.owners(tx, resources.find(tx, resource_ref))
    environment, project = environments.locked(tx, found.ref)
    resource = resources.locked(tx, resource_ref)
    target = _server(tx, resource, server_ref)
    builder = build_places.named(tx, source or resource.source or {}, resource.organization_id) if build else None
    access.hold_names(tx, [place for place in (target, builder) if place is not None])
    return resource, environment, project, servers.find(tx, target.ref)


def _server(tx: Tx, resource: Resource, ref: str | None) -> Server:
    if ref is not None:
        return servers.find(tx, ref)
    last = tx.get(Deployment, resource.latest_id) if resource.latest_id else None
    if last is not None:
        known = tx.get(Server, last.server_id)
        if known is not None:
            return known
    return servers.local(tx)


def check_context(
    tx: Tx,
    resource: Resource,
    environment: Environment,
    project: Project,
    environment_ref: str | None,
    project_ref: str | None,
) -> None:
    """The named project and environment exist (404) and are those of the resource (400)."""
    named_project = projects.find(tx, project_ref) if project_ref else project
    named_environment = environments.find(tx, environment_ref)[0] if environment_ref else environment
    if named_project.id != project.id or named_environment.id != environment.id:
        raise Invalid(
            f"The resource {resource.name} belongs to {project.name} / {environment.name}.",
            code="resource_context_mismatch",
            hint="Name the project and environment of the resource.",
            relatedEntityId=resource.ref,
        )


def _was_there(before: Deployment, server: Server) -> bool:
    return before.server_id == server.id and (before.started_at is not None or before.next_try_at is not None)


def _supersede(tx: Tx, resource: Resource) -> Deployment | None:
    """End the active attempt of the resource, if any: at once while it only plans, by request once it works."""
    active = tx.first(
        select(Deployment)
        .where(Deployment.resource_id == resource.id, Deployment.status.in_(ACTIVE))
        .order_by(Deployment.id.desc())
    )
    if active is None:
        return None
    status = "cancel-requested" if active.status in {"running", "cancel-requested"} else "canceled"
    try:
        with tx.savepoint():
            move(tx, active, status, reason="superseded")
            if active.job_id is not None:
                jobs.cancel(tx, active.job_id, "superseded by a newer deployment")
    except Conflict:
        tx.session.expire(active)
        return None  # it has ended since it was looked at: there is nothing to supersede
    return active


def _snapshot(resource: Resource, environment: Environment, project: Project, server: Server) -> dict[str, Any]:
    return {
        "source": resource.source,
        "runtime": resource.runtime or {"strategy": "auto"},
        "network": resource.network,
        "access": resource.access,
        "health": resource.health,
        "resource": {"name": resource.name, "slug": resource.slug, "kind": resource.kind},
        "environment": {"name": environment.name, "kind": environment.kind},
        "project": {"name": project.name, "slug": project.slug},
        "server": {"name": server.name, "host": server.host, "providerKey": server.provider},
    }


def _bounded(tx: Tx, snapshot: dict[str, Any]) -> dict[str, Any]:
    """With the directories that a source on this machine has to lie in, as they are configured now."""
    return {**snapshot, "sourceWithin": tx.part(Folders).within(snapshot.get("source") or {})}


def _variables(tx: Tx, resource: Resource) -> list[dict[str, Any]]:
    return [
        {
            "key": row.key,
            "value": variables.reveal(tx, row).reveal(),
            "exposure": row.exposure,
            "scope": row.scope,
            "kind": row.kind,
            "secret": row.is_secret,
        }
        for row in reaching_variables(tx, resource)
    ]


def _seal(tx: Tx, uid: str, values: list[dict[str, Any]]) -> str:
    return tx.vault.seal(Deployment.__tablename__, uid, "variables", msgspec.json.encode(values).decode())


def snapshot_variables(tx: Tx, deployment: Deployment) -> list[dict[str, Any]]:
    """The variables that an attempt was admitted with, unsealed."""
    sealed = tx.vault.open(Deployment.__tablename__, deployment.uid, "variables", deployment.variables)
    values: list[dict[str, Any]] = msgspec.json.decode(sealed.reveal())
    return values


def reaching_variables(tx: Tx, resource: Resource) -> list[Variable]:
    """The variables that the next attempt would be admitted with."""
    return variables.effective(reaching(tx, resource))


def source_credential(tx: Tx, resource: Resource, source: dict[str, Any]) -> str | None:
    """The present credential of a source: a rotated one is used by retries too. None for a source that the resource had
    before: its present credential was given for another host.
    """
    now = resource.source or {}
    if [now.get(name) for name in ("kind", "locator")] != [source.get(name) for name in ("kind", "locator")]:
        return None
    key = deploy_keys.opened(tx, resource.organization_id, resource.source or {})
    if key is not None:
        return key
    if resource.source_credential is None:
        return None
    return tx.vault.open(Resource.__tablename__, resource.uid, "source_credential", resource.source_credential).reveal()
