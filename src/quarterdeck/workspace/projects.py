"""Projects: create, find, rename, describe, archive, restore, delete."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select

from quarterdeck.kernel import audit, events
from quarterdeck.kernel.blockers import in_words
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid
from quarterdeck.kernel.protocols import DeletionBlocker
from quarterdeck.workspace.model import Environment, Project, Variable
from quarterdeck.workspace.names import check_name, check_reason, slug


class ProjectAction(audit.Action):
    CREATED = "project.created"
    RENAMED = "project.renamed"
    DESCRIBED = "project.description-set"
    ARCHIVED = "project.archived"
    RESTORED = "project.restored"
    DELETED = "project.deleted"


def organization_of(tx: Tx) -> int:
    """The caller's current organization. Raises `Forbidden` when the credential has none."""
    if tx.principal.organization_id is None:
        raise Forbidden("This credential acts in no organization.", hint="Sign in as a member of one.")
    return tx.principal.organization_id


def find(tx: Tx, ref: str) -> Project:
    """A project of the caller's organization by its `prj_…`; `NotFound` otherwise."""
    return tx.one(
        select(Project).where(Project.ref == ref, Project.organization_id == organization_of(tx)),
        what=f"project {ref[:60]}",
    )


def locked(tx: Tx, ref: str, *, shared: bool = False) -> Project:
    """`find` for a command that changes it: nobody else changes it until the unit ends, and it is read as it is now.
    `shared` for one that changes what is in it. Its environments are locked with it.
    """
    project = find(tx, ref)
    tx.lock(f"project:{project.id}", shared=shared)
    tx.session.expire(project)
    return find(tx, ref)


def find_by_slug(tx: Tx, name: str) -> Project | None:
    return tx.first(select(Project).where(Project.slug == name, Project.organization_id == organization_of(tx)))


def newest(tx: Tx, limit: int) -> list[Project]:
    return list(
        tx.scalars(
            select(Project)
            .where(Project.organization_id == organization_of(tx))
            .order_by(Project.id.desc())
            .limit(limit)
        )
    )


def count(tx: Tx) -> int:
    return int(
        tx.execute(
            select(func.count()).select_from(Project).where(Project.organization_id == organization_of(tx))
        ).scalar_one()
    )


def check_active(project: Project) -> None:
    """Raise `project_archived` for a project that may only be read."""
    if project.lifecycle == "archived":
        raise Conflict(
            f"The project {project.name} is archived.",
            code="project_archived",
            hint="Restore it first.",
            relatedEntityId=project.ref,
        )


def create(tx: Tx, name: str, description: str | None = None, *, trail: Mapping[str, object] | None = None) -> Project:
    """`trail`: what the room that makes it together with a part of its own says of that part in the same event."""
    name = check_name(name, "project name")
    organization_id = organization_of(tx)
    ref = tx.ids.ref("prj")
    wanted = slug(name, ref.replace("_", "-"))
    tx.lock(f"project-slug:{organization_id}")
    if find_by_slug(tx, wanted) is not None:
        raise Conflict(f"A project with the slug {wanted} exists.", hint="Choose another name.", slug=wanted)
    project = tx.add(
        Project(
            uid=tx.ids.uid(),
            ref=ref,
            organization_id=organization_id,
            name=name,
            slug=wanted,
            description=description or None,
            lifecycle="active",
            archived_at=None,
            archive_reason=None,
            created_at=tx.now,
        )
    )
    _note(tx, project, ProjectAction.CREATED, "project-created", {"name": name, "slug": wanted, **(trail or {})})
    return project


def find_or_create(tx: Tx, name: str) -> Project:
    """The project that a name's slug leads to. Who asks for one that is just being made waits for it."""
    wanted = slug(name, name)
    tx.lock(f"project-name:{organization_of(tx)}:{wanted}")
    return find_by_slug(tx, wanted) or create(tx, name)


def version(project: Project) -> str:
    """What a form about a project was made from: its own words, since its row counts no versions."""
    words = f"{project.name}\n{project.description or ''}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def change(tx: Tx, ref: str, *, name: str, description: str | None, seen: str) -> Project:
    """Rename and describe a project that is still as it was `seen` (a `version`). Raises `Conflict` where not."""
    project = locked(tx, ref)
    if seen != version(project):
        raise Conflict(f"{project.name} was changed while this form was open.", hint="Compare both, then save again.")
    set_description(tx, ref, description)
    return rename(tx, ref, name)


def rename(tx: Tx, ref: str, name: str) -> Project:
    project = locked(tx, ref)
    check_active(project)
    name = check_name(name, "project name")
    wanted = slug(name, ref.replace("_", "-"))
    tx.lock(f"project-slug:{project.organization_id}")
    other = find_by_slug(tx, wanted)
    if other is not None and other.id != project.id:
        raise Conflict(
            f"A project with the slug {wanted} exists.",
            code="project_slug_conflict",
            hint="Choose another name.",
            slug=wanted,
        )
    if (project.name, project.slug) != (name, wanted):
        project.name, project.slug = name, wanted
        _note(tx, project, ProjectAction.RENAMED, "project-renamed", {"name": name, "slug": wanted})
    return project


def set_description(tx: Tx, ref: str, description: str | None) -> Project:
    project = locked(tx, ref)
    check_active(project)
    if project.description != (description or None):
        project.description = description or None
        _note(tx, project, ProjectAction.DESCRIBED, "project-description-set", {})
    return project


def archive(tx: Tx, ref: str, reason: str | None = None) -> Project:
    """Archive; repeating it is a success without a second event."""
    project = locked(tx, ref)
    reason = check_reason(reason)
    if project.lifecycle != "archived":
        project.lifecycle, project.archived_at, project.archive_reason = "archived", tx.now, reason
        _note(tx, project, ProjectAction.ARCHIVED, "project-archived", {"reason": reason})
    return project


def restore(tx: Tx, ref: str) -> Project:
    project = locked(tx, ref)
    if project.lifecycle != "active":
        project.lifecycle, project.archived_at, project.archive_reason = "active", None, None
        _note(tx, project, ProjectAction.RESTORED, "project-restored", {})
    return project


def blockers(tx: Tx, project: Project, registry: Sequence[DeletionBlocker]) -> list[tuple[str, int]]:
    """Why the project cannot be deleted yet: documented blocker words with counts."""
    found: list[tuple[str, int]] = []
    if project.lifecycle != "archived":
        found.append(("active-project", 1))
    environments = tx.execute(
        select(func.count())
        .select_from(Environment)
        .where(Environment.project_id == project.id, Environment.lifecycle != "archived")
    ).scalar_one()
    if environments:
        found.append(("environment", environments))
    for blocker in registry:
        found.extend(blocker.blockers(tx, "project", project.id))
    return found


def delete(tx: Tx, ref: str, confirmation: str, registry: Sequence[DeletionBlocker]) -> None:
    """Remove an archived project that nothing refers to. Environments that are archived and empty go along."""
    project = locked(tx, ref)
    if confirmation != project.ref:
        raise Invalid(
            "The confirmation does not name this project.", hint=f"Send confirmation.projectId = {project.ref}."
        )
    standing = blockers(tx, project, registry)
    if standing:
        words = "; ".join(in_words(*one) for one in standing)
        raise Conflict(
            f"The project {project.name} cannot be deleted yet: {words}.",
            code="project_delete_blocked",
            hint="Remove what is listed, archive the project, then delete it.",
            blockers=[kind for kind, _ in standing],
        )
    _note(tx, project, ProjectAction.DELETED, "project-deleted", {"name": project.name})
    for blocker in registry:
        blocker.forget(tx, "project", project.id)
    # The newest first: an environment stands on the one that it was made from.
    found = tx.scalars(select(Environment).where(Environment.project_id == project.id).order_by(Environment.id.desc()))
    for environment in list(found):
        tx.execute(delete_rows(Variable).where(Variable.owner == f"environment:{environment.id}"))
        tx.session.delete(environment)
        tx.session.flush()
    tx.execute(delete_rows(Variable).where(Variable.owner == f"project:{project.id}"))
    tx.session.delete(project)
    tx.session.flush()


def _note(tx: Tx, project: Project, action: ProjectAction, event: str, data: dict[str, object]) -> None:
    audit.record(
        tx,
        action,
        resource_type="project",
        resource_id=project.ref,
        organization_id=project.organization_id,
        detail=data,
    )
    events.append(
        tx, f"project:{project.ref}", event, {"projectId": project.ref, **data}, organization_id=project.organization_id
    )
