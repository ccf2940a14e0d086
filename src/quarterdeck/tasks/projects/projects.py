"""The part of a project that tasks need: made, found, changed and deleted. The project itself is workspace's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from quarterdeck.access import Access, in_projects
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.vault import Secret
from quarterdeck.tasks.actions import TasksAction
from quarterdeck.tasks.projects import activity, addresses, secrets
from quarterdeck.tasks.projects.ending import EndsTasks
from quarterdeck.tasks.projects.fields import check_key, checked, require_described
from quarterdeck.tasks.projects.membership import not_found
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.workspace import projects as workspace
from quarterdeck.workspace.model import Project
from quarterdeck.workspace.names import check_name, slug

DELETED = "The project was deleted."


def find(tx: Tx, key: str) -> TaskProject:
    """A project of the caller's current organization by its key, in capitals or not. Raises `NotFound`
    (`project_not_found`); whether the caller may see it, `membership.require` says.
    """
    here = (TaskProject.organization_id == tx.principal.acts_in, func.lower(TaskProject.key) == key.lower())
    found = tx.first(select(TaskProject).where(*here)) if key.isascii() else None
    if found is None:
        raise not_found(key)
    return found


def locked(tx: Tx, key: str) -> tuple[TaskProject, Project]:
    """`find` for a command that changes it, with the project that it is a part of: nobody else changes either until
    the unit ends.
    """
    seen = find(tx, key)
    project = workspace.locked(tx, whole(tx, seen).ref)
    tx.session.expire(seen)
    return find(tx, key), project


def whole(tx: Tx, part: TaskProject) -> Project:
    """The project that it is a part of."""
    project = tx.get(Project, part.project_id)
    assert project is not None  # noqa: S101 - a foreign key holds it
    return project


def create(tx: Tx, key: str, name: str, values: Mapping[str, Any]) -> TaskProject:
    """Make a project, or give one of that name that has no part here yet its part. `values` are those of
    `fields.FIELDS`, and `description` and `environment`.

    Raises `Invalid`, and `Conflict` (`project_key_taken`, `project_name_taken`, `project_archived`).
    """
    check_key(key)
    name = check_name(name, "project name")
    said = dict(values)
    description, environment = said.pop("description", None), said.pop("environment", None)
    columns = checked(said)
    require_described(columns.get("agent_type"), columns.get("custom_agent"))
    organization_id = tx.principal.acts_in
    tx.lock(f"task-project-key:{organization_id}")
    here = (TaskProject.organization_id == organization_id, func.lower(TaskProject.key) == key.lower())
    if tx.first(select(TaskProject).where(*here)) is not None:
        raise Conflict(
            f"A project with the key {key} exists.", code="project_key_taken", hint="Choose another key.", field="key"
        )
    project, adopted = _adopted(tx, name), True
    if project is None:
        project, adopted = workspace.create(tx, name, description, trail={"taskKey": key}), False
    defaults = {"default_branch": "main", "merge_requests": True, "most_tasks": 0, "task_count": 0}
    part = TaskProject(
        uid=tx.ids.uid(),
        project_id=project.id,
        organization_id=organization_id,
        key=key,
        created_at=tx.now,
        **{**defaults, **columns},
    )
    secrets.keep_environment(tx, part, environment or {}, "environment")
    tx.add(part)
    if adopted:
        _audit(tx, part, TasksAction.PROJECT_CREATED, name=project.name)
    _event(tx, part, "task-project-created")
    return part


def change(tx: Tx, key: str, values: Mapping[str, Any]) -> TaskProject:
    """Change what is given: fields of `fields.FIELDS`, `name`, `description`, and `environment`, of which None takes a
    variable away and what is left out stays. A git token goes to those alone that it was given for: another host of the
    repository or of the forge's API forgets it. Raises as `create` does, and `NotFound`.
    """
    part, project = locked(tx, key)
    workspace.check_active(project)
    said = dict(values)
    name, environment = said.pop("name", None), said.pop("environment", None)
    if "description" in said:
        workspace.set_description(tx, project.ref, said.pop("description"))
    columns = checked(said)
    if columns.keys() & {"agent_type", "custom_agent"}:
        require_described(columns.get("agent_type", part.agent_type), columns.get("custom_agent", part.custom_agent))
    if name is not None:
        workspace.rename(tx, project.ref, name)
    moved = [column for column, value in columns.items() if getattr(part, column) != value]
    trusted = _origins(part)
    for column in moved:
        setattr(part, column, columns[column])
    if part.git_token is not None and not _origins(part) <= trusted:
        part.git_token = None
        moved.append("git_token")
    if secrets.keep_environment(tx, part, environment or {}, "environment"):
        moved.append("environment")
    if moved:
        tx.flush()
        _audit(tx, part, TasksAction.PROJECT_CHANGED, changed=sorted(moved))
        _event(tx, part, "task-project-changed", changed=sorted(moved))
    return part


def set_git_token(tx: Tx, key: str, token: Secret[str] | None) -> TaskProject:
    """Keep a token sealed, or forget the one that there is; the same again changes nothing."""
    part, project = locked(tx, key)
    workspace.check_active(project)
    if secrets.keep_git_token(tx, part, token):
        action = TasksAction.GIT_TOKEN_REMOVED if token is None else TasksAction.GIT_TOKEN_SET
        _audit(tx, part, action)
        _event(tx, part, str(action).replace(".", "-"))
    return part


def delete(tx: Tx, access: Access, key: str, ends: EndsTasks | None = None) -> None:
    """Delete the part, with what anybody is in it. `ends` cancels what lives (by force); without one live tasks are a
    `Conflict` (`project_has_live_tasks`). The project itself stays, with the history of its tasks: who gives it a part
    again sees them again.
    """
    part, project = locked(tx, key)
    living = activity.live(tx, part.organization_id, part.project_id)
    if living and ends is None:
        raise Conflict(
            f"Not all tasks of {part.key} have ended: {living} live.",
            code="project_has_live_tasks",
            hint="Cancel them first, or delete with force=true.",
            liveTasks=living,
        )
    ended = ends.end_tasks(tx, part.project_id, DELETED) if living and ends is not None else 0
    _audit(tx, part, TasksAction.PROJECT_DELETED, name=project.name, canceledTasks=ended)
    _event(tx, part, "task-project-deleted")
    remove(tx, access, part)


def remove(tx: Tx, access: Access, part: TaskProject) -> None:
    """Take the part and its memberships away; whoever calls has written why."""
    in_projects.take_all(tx, access, part.organization_id, part.project_id)
    tx.session.delete(part)
    tx.session.flush()


def _origins(part: TaskProject) -> set[tuple[str, str, int]]:
    """Whom its git token is sent to."""
    return {found for one in (part.repo_url, part.forge_url) if (found := addresses.origin(one)) is not None}


def _adopted(tx: Tx, name: str) -> Project | None:
    """The project of that name, locked, if there is one without a part. Raises `Conflict` for one that has its part."""
    found = workspace.find_by_slug(tx, slug(name, ""))
    if found is None:
        return None
    project = workspace.locked(tx, found.ref)
    workspace.check_active(project)
    part = tx.first(select(TaskProject).where(TaskProject.project_id == project.id))
    if part is not None:
        raise Conflict(
            f"The project {part.key} has the name {project.name} already.",
            code="project_name_taken",
            hint="Choose another name.",
            field="name",
        )
    return project


def _audit(tx: Tx, part: TaskProject, action: TasksAction, **detail: object) -> None:
    audit.record(
        tx,
        action,
        resource_type="task-project",
        resource_id=part.key,
        organization_id=part.organization_id,
        detail={"key": part.key, **detail},
    )


def _event(tx: Tx, part: TaskProject, word: str, **data: object) -> None:
    events.append(
        tx,
        f"task-project:{part.uid}",
        word,
        {"projectId": part.project_id, "key": part.key, **data},
        organization_id=part.organization_id,
    )
