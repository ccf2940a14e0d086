"""Who may what in a project: memberships are roles held in it alone (ADR 0037)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from quarterdeck.access import Access, Place, in_projects
from quarterdeck.access.catalogue import tasks as catalogue
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, NotFound
from quarterdeck.kernel.principal import Principal
from quarterdeck.tasks.projects.model import TaskProject

Right = Literal["view", "create", "manage"]
Role = Literal["member", "maintainer"]
PERMISSIONS: dict[Right, str] = {
    "view": "tasks:project.view",
    "create": "tasks:project.create-tasks",
    "manage": "tasks:project.manage",
}
KEYS: dict[Role, str] = {"member": catalogue.MEMBER, "maintainer": catalogue.MAINTAINER}
ROLES: dict[str, Role] = {key: role for role, key in KEYS.items()}
NEEDED: dict[Right, str] = {"view": "to belong to it", "create": "to belong to it", "manage": "its role maintainer"}


def visible_projects(tx: Tx, access: Access, principal: Principal) -> set[int] | None:
    """Row ids (of workspace) of the projects in the caller's current organization whose tasks somebody may see; None is
    all of them.
    """
    access.load(tx)
    permission, where = PERMISSIONS["view"], principal.acts_in
    if access.decide(principal, permission, Place(where)).allowed:
        return None
    parts = {part.project_id for part in access.parts(principal.id, where) if part.project_id}
    return {one for one in parts if access.decide(principal, permission, Place(where, project_id=one)).allowed}


def may(tx: Tx, access: Access, project: TaskProject, right: Right) -> bool:
    """Whether the caller has a right in a project."""
    access.load(tx)
    return access.decide(tx.principal, PERMISSIONS[right], place(project)).allowed


def require(tx: Tx, access: Access, project: TaskProject, right: Right) -> None:
    """Raise `NotFound` (`project_not_found`) where the caller may not even see the project, else `Forbidden` unless
    they have the right.
    """
    if not may(tx, access, project, "view"):
        raise not_found(project.key)
    if may(tx, access, project, right):
        return
    permission = PERMISSIONS[right]
    if tx.principal.scopes and permission not in tx.principal.scopes:
        access.require(tx.principal, permission, place(project))
    raise Forbidden(
        f"You may not do this in the project {project.key}: it needs {NEEDED[right]}.",
        hint="Ask a maintainer of the project, or an administrator.",
        permission=permission,
    )


def place(project: TaskProject) -> Place:
    return Place(project.organization_id, project_id=project.project_id)


def role_in(tx: Tx, user_id: int, project: TaskProject) -> Role | None:
    """What somebody is in a project, whatever they are in the organization."""
    return ROLES.get(in_projects.role_of(tx, user_id, project.project_id) or "")


def roles_of(tx: Tx, user_id: int, projects: Collection[int]) -> dict[int, Role]:
    """Project (its row id of workspace) to what somebody is in it; projects that they do not belong to are left out."""
    return {project: ROLES[key] for project, key in in_projects.roles_of(tx, user_id, projects).items()}


def not_found(key: str) -> NotFound:
    return NotFound(
        f"There is no project {key[:70]}, or you may not see it.",
        code="project_not_found",
        hint="Look at the list of projects.",
    )
