"""Who belongs to a project: listed, added and taken out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from quarterdeck.access import Access, grants, in_projects
from quarterdeck.access.model import Grant
from quarterdeck.identity.model import User
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.tasks import developers
from quarterdeck.tasks.actions import TasksAction
from quarterdeck.tasks.projects import projects
from quarterdeck.tasks.projects.membership import KEYS, ROLES, Role, role_in
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.workspace import projects as workspace

NEEDED = "tasks:projects.view"
"""Who has not even this comes to no project, whatever they are in it."""


@dataclass(frozen=True, slots=True)
class ProjectMember:
    """`id` is the number of the membership, newest highest."""

    id: int
    user: User
    role: Role
    added_at: datetime


def page(tx: Tx, project: TaskProject, before: int | None = None, limit: int | None = None) -> list[ProjectMember]:
    """Members, newest first, from a membership's number on, so many at most."""
    query = select(Grant, User).join(User, User.id == Grant.user_id).where(Grant.project_id == project.project_id)
    if before is not None:
        query = query.where(Grant.id < before)
    found = tx.session.execute(query.order_by(Grant.id.desc()).limit(limit)).all()
    return [ProjectMember(one.id, user, ROLES[one.role], one.created_at) for one, user in found]


def count(tx: Tx, project: TaskProject) -> int:
    return in_projects.holders(tx, project.project_id)


def add(tx: Tx, access: Access, project: TaskProject, user_id: int | None, role: Role) -> ProjectMember:
    """Give somebody of the organization a role in a project. Raises `NotFound` (`developer_not_found`), `Invalid`
    (`developer_without_role`, `developer_inactive`) and `Conflict` (`already_member`, `project_archived`).
    """
    project, whole = projects.locked(tx, project.key)
    workspace.check_active(whole)
    tx.lock("access:membership")
    user = developers.find(tx, user_id)
    if not user.active:
        raise Invalid(
            f"{user.username} is deactivated.",
            code="developer_inactive",
            hint="Activate them first, or choose another person.",
            field="developerId",
        )
    access.load(tx)
    if not access.carrying(NEEDED) & set(grants.roles_of(tx, user.id, project.organization_id)):
        raise Invalid(
            f"{user.username} has no role of this surface.",
            code="developer_without_role",
            hint="Make them a developer first.",
            field="developerId",
        )
    held = role_in(tx, user.id, project)
    if held is not None:
        raise Conflict(
            f"{user.username} belongs to {project.key} already, as {held}.",
            code="already_member",
            hint="To change what they are, take them out and add them again.",
        )
    given = grants.give(tx, access, user.id, project.organization_id, KEYS[role], project_id=project.project_id)
    _note(tx, project, user, TasksAction.MEMBER_ADDED, role)
    return ProjectMember(given.id, user, role, given.created_at)


def remove(tx: Tx, access: Access, project: TaskProject, user_id: int | None) -> None:
    """Take somebody out of a project. Raises `NotFound` (`member_not_found`) and `Conflict` (`last_maintainer`): a
    project that had a maintainer keeps one.
    """
    project, _ = projects.locked(tx, project.key)
    tx.lock("access:membership")
    user = None if user_id is None else tx.get(User, user_id)
    role = None if user is None else role_in(tx, user.id, project)
    if user is None or role is None:
        raise NotFound(
            f"{project.key} has no such member.", code="member_not_found", hint="Look at the members of the project."
        )
    if role == "maintainer" and in_projects.holders(tx, project.project_id, KEYS[role]) == 1:
        raise Conflict(
            f"{user.username} is the last maintainer of {project.key}.",
            code="last_maintainer",
            hint="Make somebody else a maintainer first.",
        )
    in_projects.take(tx, access, user.id, project.organization_id, project.project_id)
    _note(tx, project, user, TasksAction.MEMBER_REMOVED, role)


def _note(tx: Tx, project: TaskProject, user: User, action: TasksAction, role: Role) -> None:
    audit.record(
        tx,
        action,
        resource_type="task-project",
        resource_id=project.key,
        organization_id=project.organization_id,
        detail={"key": project.key, "userId": user.uid, "name": user.username, "role": role},
    )
    events.append(
        tx,
        f"task-project:{project.uid}",
        str(action).replace(".", "-"),
        {"projectId": project.project_id, "key": project.key, "userId": user.uid, "role": role},
        organization_id=project.organization_id,
    )
