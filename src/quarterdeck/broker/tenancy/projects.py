"""Projects of the broker: a project's part, made, found, listed, archived. The project itself is workspace's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from quarterdeck.broker.tenancy.happenings import adopted, happened
from quarterdeck.broker.tenancy.model import BrokerProject
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.workspace import projects as workspace
from quarterdeck.workspace.model import Project
from quarterdeck.workspace.names import check_name, slug

ACTIVE, ARCHIVED = "active", "archived"


@dataclass(frozen=True, slots=True)
class Listed:
    part: BrokerProject
    project: Project

    @property
    def updated_at(self) -> datetime:
        """When the broker's part last changed, or the project was archived, wherever that was."""
        return max(self.part.updated_at, self.project.archived_at or self.part.updated_at)


def find(tx: Tx, uid: str) -> Project:
    """A project of the current organization that has its part here. Raises `NotFound` (`project_not_found`)."""
    return listed(tx, uid).project


def listed(tx: Tx, uid: str) -> Listed:
    """As `find`, with the part."""
    query = (
        select(BrokerProject, Project)
        .join(Project, Project.id == BrokerProject.project_id)
        .where(Project.organization_id == tx.principal.acts_in, Project.uid == uid.lower())
    )
    row = tx.session.execute(query).first()
    if row is None:
        raise NotFound(
            f"There is no project {uid[:60]}.", code="project_not_found", hint="Look at the list of projects."
        )
    return Listed(row[0], row[1])


def named(tx: Tx, uid: str, field: str) -> Project:
    """As `find`, for a project that something else names. Raises `Invalid` (`project_unknown`)."""
    try:
        return find(tx, uid)
    except NotFound:
        raise Invalid(
            f"{field}: there is no project {uid[:60]}.",
            code="project_unknown",
            hint="Look at the list of projects.",
            field=field,
        ) from None


def usable(tx: Tx, uid: str, field: str = "project_id") -> Project:
    """As `named`, for what is begun in a project: it stays as it is until the unit ends. Raises `Conflict`
    (`project_archived`), too.
    """
    project = workspace.locked(tx, named(tx, uid, field).ref, shared=True)
    workspace.check_active(project)
    return project


def page(tx: Tx, limit: int, after: str | None = None) -> list[Listed]:
    """Those of the current organization, oldest first, behind that of the uid `after`."""
    query = (
        select(BrokerProject, Project)
        .join(Project, Project.id == BrokerProject.project_id)
        .where(BrokerProject.organization_id == tx.principal.acts_in)
    )
    if after:
        query = query.where(BrokerProject.id > listed(tx, after).part.id)
    return [Listed(*row) for row in tx.session.execute(query.order_by(BrokerProject.id).limit(limit))]


def create(tx: Tx, name: str, owner_team_id: str | None = None, status: str = ACTIVE) -> Listed:
    """Make a project, or give the one of that name its part, where it has none yet.

    Raises `Invalid`, and `Conflict` (`project_name_taken`, `project_archived`).
    """
    name = check_name(name, "project name")
    found = workspace.find_by_slug(tx, slug(name, ""))
    if found is None:
        project = workspace.create(tx, name)
    else:
        project = _free(tx, workspace.locked(tx, found.ref))
        adopted(tx, project)
    part = tx.add(
        BrokerProject(
            uid=tx.ids.uid(),
            organization_id=project.organization_id,
            project_id=project.id,
            owner_team_id=owner_team_id,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    happened(tx, project, "broker-project-created", name=project.name)
    if status == ARCHIVED:
        workspace.archive(tx, project.ref)
    return Listed(part, project)


def set_status(tx: Tx, uid: str, status: str) -> None:
    """`archived` takes no requests any more; repeating it is a success without an event. Raises `NotFound`."""
    one = listed(tx, uid)
    project = workspace.locked(tx, one.project.ref)
    if project.lifecycle == status:
        return
    if status == ARCHIVED:
        workspace.archive(tx, project.ref)
    else:
        workspace.restore(tx, project.ref)
    one.part.updated_at = tx.now
    happened(tx, project, "broker-project-status-changed", status=status)


def remove(tx: Tx, part: BrokerProject) -> None:
    """Take the part away; whoever calls has written why."""
    tx.session.delete(part)
    tx.flush()


def _free(tx: Tx, project: Project) -> Project:
    """Raises `Conflict` for a project that has its part, or takes no changes."""
    if tx.first(select(BrokerProject).where(BrokerProject.project_id == project.id)) is not None:
        raise Conflict(
            f"A project {project.name} exists already.",
            code="project_name_taken",
            hint="Choose another name.",
            field="name",
        )
    workspace.check_active(project)
    return project
