"""Projects as lists show them: with how much goes on in them, at a cost that does not grow with their tasks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select

from quarterdeck.access import in_projects
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.projects.membership import ROLES, Role
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.workspace.model import Project

PREVIEWED = 5
"""Members that a list names."""


@dataclass(frozen=True, slots=True)
class Previewed:
    user: User
    role: Role


@dataclass(frozen=True, slots=True)
class Listed:
    """`whole` is the project of workspace; `members` the first few who were added."""

    part: TaskProject
    whole: Project
    member_count: int
    members: tuple[Previewed, ...]


def page(tx: Tx, visible: set[int] | None, before: int | None = None, limit: int | None = None) -> list[Listed]:
    """Those of the current organization that are `visible` (`membership.visible_projects`), newest first."""
    query = _query(tx, visible)
    if before is not None:
        query = query.where(TaskProject.id < before)
    return _described(tx, tx.session.execute(query.order_by(TaskProject.id.desc()).limit(limit)).all())


def count(tx: Tx, visible: set[int] | None) -> int:
    here = _here(tx, visible)
    return int(tx.execute(select(func.count()).select_from(TaskProject).where(*here)).scalar_one())


def one(tx: Tx, part: TaskProject) -> Listed:
    found = tx.session.execute(select(TaskProject, Project).join(Project).where(TaskProject.id == part.id)).all()
    return _described(tx, found)[0]


def search(tx: Tx, visible: set[int] | None, words: str, limit: int) -> list[Listed]:
    """Those whose key, name, description or repository has the words, newest first; every sign stands for itself."""
    said = (TaskProject.key, Project.name, Project.description, TaskProject.repo_url)
    query = _query(tx, visible).where(or_(*(column.icontains(words, autoescape=True) for column in said)))
    return _described(tx, tx.session.execute(query.order_by(TaskProject.id.desc()).limit(limit)).all())


def keys(tx: Tx, projects: Collection[int]) -> dict[int, str]:
    """Row id of workspace to key, of those that have their part."""
    query = select(TaskProject.project_id, TaskProject.key).where(TaskProject.project_id.in_(projects))
    return {row.project_id: row.key for row in tx.execute(query)}


def _query(tx: Tx, visible: set[int] | None) -> Select[TaskProject, Project]:
    return select(TaskProject, Project).join(Project, Project.id == TaskProject.project_id).where(*_here(tx, visible))


def _here(tx: Tx, visible: set[int] | None) -> list[ColumnElement[bool]]:
    here: list[ColumnElement[bool]] = [TaskProject.organization_id == tx.principal.acts_in]
    return here if visible is None else [*here, TaskProject.project_id.in_(sorted(visible))]


def _described(tx: Tx, rows: Sequence[tuple[TaskProject, Project]]) -> list[Listed]:
    ids = [part.project_id for part, _ in rows]
    numbers = in_projects.counted(tx, ids)
    first = in_projects.first(tx, ids, PREVIEWED)
    wanted = {user_id for some in first.values() for user_id, _ in some}
    people = {user.id: user for user in tx.scalars(select(User).where(User.id.in_(wanted)))}
    return [
        Listed(
            part,
            whole,
            numbers.get(part.project_id, 0),
            tuple(
                Previewed(people[user_id], ROLES[role])
                for user_id, role in first.get(part.project_id, ())
                if user_id in people
            ),
        )
        for part, whole in rows
    ]
