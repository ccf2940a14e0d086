"""Resources: create, find, list, delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy import delete as delete_rows

from quarterdeck.deploy.resources import profiles
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.resources.transitions import close
from quarterdeck.fleet.servers.model import Destination, Server
from quarterdeck.kernel import audit, events, jobs
from quarterdeck.kernel.blockers import in_words
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.protocols import DeletionBlocker
from quarterdeck.workspace import environments, projects
from quarterdeck.workspace.model import Environment, Project, Variable
from quarterdeck.workspace.names import check_name, slug


class ResourceAction(audit.Action):
    CREATED = "resource.created"
    CONFIGURED = "resource.configured"
    VARIABLE_SET = "resource.variable-set"
    VARIABLES_IMPORTED = "resource.variables-imported"
    VARIABLE_UNSET = "resource.variable-unset"
    SECRET_CREATED = "resource.secret-created"  # noqa: S105 - an action
    SECRET_ROTATED = "resource.secret-rotated"  # noqa: S105 - an action
    SECRET_DELETED = "resource.secret-deleted"  # noqa: S105 - an action
    ARCHIVED = "resource.archived"
    DELETED = "resource.deleted"


def find(tx: Tx, ref: str) -> Resource:
    """A resource of the caller's organization that is not deleted; `NotFound` otherwise."""
    return tx.one(
        select(Resource).where(
            Resource.ref == ref,
            Resource.organization_id == projects.organization_of(tx),
            Resource.lifecycle != "deleted",
        ),
        what=f"resource {ref[:60]}",
    )


def locked(tx: Tx, ref: str) -> Resource:
    """`find` for a command that changes it: nobody else changes it until the unit ends, and it is read as it is now."""
    hold(tx, find(tx, ref))
    return find(tx, ref)


def hold(tx: Tx, resource: Resource) -> None:
    """Likewise for a resource that was found already, which is read again. The ledger holds the same turn while what
    runs for the resource ends, so that what serves and who works on it are seen together.
    """
    jobs.hold_turn(tx, turn_of(resource))
    tx.session.refresh(resource)


def turn_of(resource: Resource) -> str:
    """The concurrency key of whatever changes what runs for a resource, or the way to it: one at a time."""
    return f"resource-runtime:{resource.ref}"


def owners(tx: Tx, resource: Resource) -> tuple[Environment, Project]:
    environment, project = tx.get(Environment, resource.environment_id), tx.get(Project, resource.project_id)
    assert environment is not None and project is not None  # noqa: S101, PT018 - the foreign keys say so
    return environment, project


def find_by_slug(tx: Tx, environment: Environment, name: str) -> Resource | None:
    return tx.first(select(Resource).where(Resource.environment_id == environment.id, Resource.live_slug == name))


def newest(
    tx: Tx, limit: int, project_ref: str | None = None, environment_ref: str | None = None
) -> list[tuple[Resource, str, str, str | None]]:
    """Resources with the refs of their project, environment and destination, newest first."""
    query = _filtered(
        select(Resource, Project.ref, Environment.ref, Destination.ref)
        .join(Project, Project.id == Resource.project_id)
        .join(Environment, Environment.id == Resource.environment_id)
        .outerjoin(Destination, Destination.id == Resource.destination_id),
        tx,
        project_ref,
        environment_ref,
    )
    return [
        (row[0], row[1], row[2], row[3]) for row in tx.session.execute(query.order_by(Resource.id.desc()).limit(limit))
    ]


def count(tx: Tx, project_ref: str | None = None, environment_ref: str | None = None) -> int:
    query = _filtered(select(func.count()).select_from(Resource), tx, project_ref, environment_ref)
    return int(tx.execute(query).scalar_one())


def _filtered(
    query: Select[*tuple[Any, ...]], tx: Tx, project_ref: str | None, environment_ref: str | None
) -> Select[*tuple[Any, ...]]:
    query = query.where(Resource.organization_id == projects.organization_of(tx), Resource.deleted_at.is_(None))
    if project_ref is not None:
        project = select(Project.id).where(Project.ref == project_ref)
        query = query.where(Resource.project_id == project.scalar_subquery())
    if environment_ref is not None:
        environment = select(Environment.id).where(Environment.ref == environment_ref)
        query = query.where(Resource.environment_id == environment.scalar_subquery())
    return query


def check_active(resource: Resource) -> None:
    """Raise `resource_archived` for a resource that may only be read and stopped."""
    if resource.lifecycle != "active":
        raise Conflict(
            f"The resource {resource.name} is archived.",
            code="resource_archived",
            hint="Archiving is final: create another resource.",
            relatedEntityId=resource.ref,
        )


def create(
    tx: Tx,
    *,
    project_ref: str,
    environment_ref: str,
    name: str,
    kind: str = "application",
    description: str | None = None,
    services: Sequence[dict[str, Any]] = (),
    destination_ref: str | None = None,
    source: dict[str, Any] | None = None,
    runtime: dict[str, Any] | None = None,
    network: dict[str, Any] | None = None,
) -> Resource:
    """A new resource with the profiles that are given; the rest can be configured later."""
    project = projects.locked(tx, project_ref)
    environment, owner = environments.find(tx, environment_ref)
    if owner.id != project.id:
        raise Invalid(
            f"The environment {environment.name} belongs to another project.",
            code="resource_context_mismatch",
            hint=f"Name an environment of {project.name}.",
        )
    projects.check_active(project)
    environments.check_open(environment)
    name = check_name(name, "resource name")
    if len(services) > 1 and kind != "compose-stack":
        raise Invalid(
            "Only a compose-stack has several services.",
            code="invariant_violation",
            hint="Give at most one.",
            field="services",
        )
    destination = _destination(tx, destination_ref) if destination_ref else None
    ref = tx.ids.ref("res")
    wanted = slug(name, ref.replace("_", "-"))
    tx.lock(f"resource-slug:{environment.id}")
    if find_by_slug(tx, environment, wanted) is not None:
        raise Conflict(
            f"{environment.name} has a resource with the slug {wanted}.",
            code="resource_slug_conflict",
            hint="Choose another name.",
            slug=wanted,
        )
    given = profiles.Given(source=source, runtime=runtime, network=network)
    resource = Resource(
        uid=tx.ids.uid(),
        ref=ref,
        organization_id=project.organization_id,
        project_id=project.id,
        environment_id=environment.id,
        destination_id=destination.id if destination else None,
        name=name,
        slug=wanted,
        live_slug=wanted,
        kind=kind,
        description=description,
        services=list(services),
        source=None,
        source_fingerprint=None,
        source_credential=None,
        runtime=None,
        network=None,
        access=None,
        health=None,
        lifecycle="active",
        archived_at=None,
        deleted_at=None,
        created_at=tx.now,
        latest_id=None,
        serving_id=None,
    )
    profiles.apply(tx, resource, given)
    tx.add(resource)
    note(tx, resource, ResourceAction.CREATED, "resource-created", {"name": name, "slug": wanted, "kind": kind})
    return resource


def _destination(tx: Tx, ref: str) -> Destination:
    found = (
        select(Destination)
        .join(Server, Server.id == Destination.server_id)
        .where(Destination.ref == ref, Server.organization_id == projects.organization_of(tx))
    )
    what = f"destination {ref[:60]}"
    tx.lock(f"server:{tx.one(found, what=what).server_id}", shared=True)  # it is not deleted meanwhile
    return tx.one(found, what=what)


def blockers(tx: Tx, resource: Resource, registry: Sequence[DeletionBlocker]) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    if resource.lifecycle == "active":
        found.append(("active-resource", 1))
    if resource.serving_id is not None:
        found.append(("runtime-instance", 1))
    for blocker in registry:
        found.extend(blocker.blockers(tx, "resource", resource.id))
    return found


STEPS = {
    "active-resource": "Archive it first. That is final, and its name stays taken.",
    "runtime-instance": "Stop it first: what an archived resource ran is taken away once it is stopped.",
    "deployment-history": "Archive each of its deployments (qd history {ref} lists them) and prune them (qd prune "
    "deployments --before 0d --resource {ref}), or leave it archived: it runs nothing and keeps nothing but its "
    "history and its name.",
}
"""What to do about a blocker of a resource with this `ref`, the first step first."""


def delete(tx: Tx, ref: str, confirmation: str, registry: Sequence[DeletionBlocker]) -> Resource:
    """Mark an archived resource that nothing refers to as deleted; its slug becomes free."""
    resource = locked(tx, ref)
    if confirmation != resource.slug:
        raise Invalid(
            "The confirmation does not name this resource.", hint=f"Send confirmation.resourceSlug = {resource.slug}."
        )
    standing = blockers(tx, resource, registry)
    if standing:
        raise Conflict(
            f"The resource {resource.name} cannot be deleted: {'; '.join(in_words(*one) for one in standing)}.",
            code="resource_delete_blocked",
            hint=next(
                (STEPS[kind].format(ref=resource.ref) for kind, _ in standing if kind in STEPS),
                "Remove what refers to it, then delete.",
            ),
            blockers=[kind for kind, _ in standing],
        )
    close(tx, resource, "deleted")
    resource.source_credential = None
    tx.execute(delete_rows(Variable).where(Variable.owner == f"resource:{resource.id}"))
    note(tx, resource, ResourceAction.DELETED, "resource-deleted", {})
    return resource


def note(tx: Tx, resource: Resource, action: ResourceAction, event: str, data: dict[str, Any]) -> None:
    """The audit event and the domain event of a change."""
    tx.flush()
    audit.record(
        tx,
        action,
        resource_type="resource",
        resource_id=resource.ref,
        organization_id=resource.organization_id,
        detail=data,
    )
    events.append(
        tx,
        f"resource:{resource.ref}",
        event,
        {"resourceId": resource.ref, **data},
        organization_id=resource.organization_id,
    )
