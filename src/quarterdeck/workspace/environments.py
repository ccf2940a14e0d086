"""Environments: create, find, list, and the guards that their lifecycle sets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, func, select

from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.workspace import projects
from quarterdeck.workspace.model import Environment, Project
from quarterdeck.workspace.names import check_name

KINDS = frozenset({"production", "staging", "test", "development"})
"""Kinds that an environment may be called after."""


class EnvironmentAction(audit.Action):
    CREATED = "environment.created"
    RENAMED = "environment.renamed"
    LOCKED = "environment.locked"
    UNLOCKED = "environment.unlocked"
    ARCHIVED = "environment.archived"
    COPIED = "environment.copied"
    DELETED = "environment.deleted"
    VARIABLE_SET = "environment.variable-set"
    VARIABLE_UNSET = "environment.variable-unset"


def find(tx: Tx, ref: str) -> tuple[Environment, Project]:
    """An environment of the caller's organization with its project; `NotFound` otherwise."""
    environment = tx.one(
        select(Environment)
        .join(Project, Project.id == Environment.project_id)
        .where(Environment.ref == ref, Project.organization_id == projects.organization_of(tx)),
        what=f"environment {ref[:60]}",
    )
    project = tx.get(Project, environment.project_id)
    assert project is not None  # noqa: S101 - the foreign key says so
    return environment, project


def locked(tx: Tx, ref: str) -> tuple[Environment, Project]:
    """`find` for a command that changes what is in it: both stay as they are until the unit ends."""
    environment, project = find(tx, ref)
    projects.locked(tx, project.ref, shared=True)
    tx.session.expire(environment)
    return find(tx, ref)


def of_project(tx: Tx, project: Project) -> list[Environment]:
    return list(tx.scalars(select(Environment).where(Environment.project_id == project.id).order_by(Environment.id)))


def newest(tx: Tx, limit: int, project_ref: str | None = None) -> list[tuple[Environment, Project]]:
    query = _filtered(select(Environment, Project).join(Project, Project.id == Environment.project_id), tx, project_ref)
    query = query.order_by(Environment.id.desc()).limit(limit)
    return [(environment, project) for environment, project in tx.session.execute(query)]


def _filtered(query: Select[*tuple[Any, ...]], tx: Tx, project_ref: str | None) -> Select[*tuple[Any, ...]]:
    # One owner alone leads the way, so that its index gives the order too; it is the caller's own.
    organization = projects.organization_of(tx)
    if project_ref is None:
        return query.where(Environment.organization_id == organization)
    project = select(Project.id).where(Project.ref == project_ref, Project.organization_id == organization)
    return query.where(Environment.project_id == project.scalar_subquery())


def refs(tx: Tx, ids: Iterable[int | None]) -> dict[int, str]:
    """The documented ids of environments, by their keys."""
    wanted = sorted({key for key in ids if key})
    if not wanted:
        return {}
    found = tx.execute(select(Environment.id, Environment.ref).where(Environment.id.in_(wanted)))
    return {row.id: row.ref for row in found}


def count(tx: Tx, project_ref: str | None = None) -> int:
    return int(tx.execute(_filtered(select(func.count()).select_from(Environment), tx, project_ref)).scalar_one())


def check_open(environment: Environment) -> None:
    """Raise `environment_locked` or `environment_archived` where changes are not taken."""
    if environment.lifecycle == "archived":
        raise Conflict(
            f"The environment {environment.name} is archived.",
            code="environment_archived",
            hint="Archiving is final: create or clone another environment.",
            relatedEntityId=environment.ref,
        )
    if environment.lifecycle == "locked":
        raise Conflict(
            f"The environment {environment.name} is locked.",
            code="environment_locked",
            hint="Unlock it, or wait for the person who locked it.",
            relatedEntityId=environment.ref,
        )


def find_or_create(tx: Tx, project_ref: str, name: str) -> Environment:
    """An environment of a project by its name, without case; else one of the kind that its name says, else custom."""
    project = projects.locked(tx, project_ref)
    found = next((one for one in of_project(tx, project) if one.name.lower() == name.lower()), None)
    return found or create(tx, project_ref, name, name if name in KINDS else "custom")


def create(tx: Tx, project_ref: str, name: str, kind: str, parent_ref: str | None = None) -> Environment:
    environment = make(tx, project_ref, name, kind, parent_ref)
    audit.record(
        tx,
        EnvironmentAction.CREATED,
        resource_type="environment",
        resource_id=environment.ref,
        organization_id=environment.organization_id,
        detail={"name": environment.name, "kind": kind, "projectId": project_ref},
    )
    return environment


def make(tx: Tx, project_ref: str, name: str, kind: str, parent_ref: str | None = None) -> Environment:
    """As `create`, for a verb that writes the audit event of a larger act itself."""
    project = projects.locked(tx, project_ref)
    projects.check_active(project)
    name = check_name(name, "environment name", 100)
    parent = find(tx, parent_ref)[0] if parent_ref else None
    if parent is not None and parent.project_id != project.id:
        raise Conflict("The parent environment belongs to another project.", hint="Name one of the same project.")
    taken = tx.first(
        select(Environment).where(Environment.project_id == project.id, func.lower(Environment.name) == name.lower())
    )
    if taken is not None:
        raise Conflict(f"The project {project.name} has an environment {taken.name}.", hint="Choose another name.")
    environment = tx.add(
        Environment(
            uid=tx.ids.uid(),
            ref=tx.ids.ref("env"),
            organization_id=project.organization_id,
            project_id=project.id,
            parent_id=parent.id if parent else None,
            name=name,
            kind=kind,
            lifecycle="active",
            locked_at=None,
            lock_reason=None,
            archived_at=None,
            archive_reason=None,
            created_at=tx.now,
        )
    )
    events.append(
        tx,
        f"environment:{environment.ref}",
        "environment-created",
        {"environmentId": environment.ref, "projectId": project.ref, "name": name, "kind": kind},
        organization_id=project.organization_id,
    )
    return environment
