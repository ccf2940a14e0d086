"""Reading tasks: one, lists of them, and who may do what to one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select

from quarterdeck.access import Access, Place
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.work.holding import missing
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.visibility import may, visible_projects

ACT, ACT_ANY, CANCEL_ANY = "tasks:tasks.act", "tasks:tasks.act-any", "tasks:tasks.cancel-any"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tasks of the caller's organization; `before` is the number after which the next page begins (newest first),
    `skip` how many are passed over instead. `words` are looked for in descriptions and branches.
    """

    statuses: tuple[str, ...] = ()
    project_key: str | None = None
    worker_id: int | None = None
    developer_id: int | None = None
    mine: bool = False
    words: str = ""
    before: int | None = None
    skip: int = 0
    limit: int = 20


def find(tx: Tx, access: Access, task_id: int | None) -> Task:
    """A task that the caller may see. Raises `NotFound` (`task_not_found`) for any other."""
    task = tx.get(Task, task_id) if task_id is not None else None
    if task is None or task.organization_id != tx.principal.acts_in or not _sees(tx, access, task):
        raise missing(task_id)
    return task


def _sees(tx: Tx, access: Access, task: Task) -> bool:
    return may(tx, access, task.project_id, "view")


def listed(tx: Tx, access: Access, wanted: Filter) -> list[Task]:
    """A page of the tasks that the caller may see, newest first."""
    query = _where(tx, access, wanted, select(Task))
    if wanted.before is not None:
        query = query.where(Task.id < wanted.before)
    return list(tx.scalars(query.order_by(Task.id.desc()).offset(wanted.skip).limit(wanted.limit)))


def count(tx: Tx, access: Access, wanted: Filter) -> int:
    """How many tasks there are on all pages."""
    return int(tx.execute(_where(tx, access, wanted, select(func.count(Task.id)))).scalar_one())


def _where(tx: Tx, access: Access, wanted: Filter, query: Select[Any]) -> Select[Any]:
    me = tx.principal
    found = query.where(Task.organization_id == me.acts_in)
    visible = visible_projects(tx, access, me)
    if visible is not None:
        found = found.where(Task.project_id.in_(sorted(visible)))
    if wanted.statuses:
        found = found.where(Task.status.in_(wanted.statuses))
    if wanted.project_key is not None:
        keyed = select(TaskProject.project_id).where(
            TaskProject.organization_id == me.acts_in, func.lower(TaskProject.key) == wanted.project_key.strip().lower()
        )
        found = found.where(Task.project_id.in_(keyed))
    if wanted.worker_id is not None:
        found = found.where(Task.worker_id == wanted.worker_id)
    if wanted.developer_id is not None:
        found = found.where(Task.developer_id == wanted.developer_id)
    if wanted.mine:
        found = found.where(or_(Task.developer_id == me.id, Task.created_by == me.id))
    if wanted.words.strip():
        words = wanted.words.strip()
        found = found.where(
            or_(Task.description.icontains(words, autoescape=True), Task.branch.icontains(words, autoescape=True))
        )
    return found


def owns(tx: Tx, task: Task) -> bool:
    """Whose change it is, or who asked for it."""
    return tx.principal.kind == "user" and tx.principal.id in {task.developer_id, task.created_by}


def require_owner(tx: Tx, access: Access, task: Task, deed: str) -> None:
    """Raise `Forbidden` (`task_not_yours`) unless the caller is its owner or an administrator, and the credential
    may act at all.
    """
    _require_act(tx, access, task, deed)
    if not owns(tx, task) and not _everybodys(tx, access, ACT_ANY):
        raise _not_yours(task, deed, "its owner and administrators")


def require_canceller(tx: Tx, access: Access, task: Task) -> None:
    """Raise `Forbidden` (`task_not_yours`) unless the caller is its owner, a lead or an administrator, and the
    credential may act at all.
    """
    _require_act(tx, access, task, "cancel")
    if not owns(tx, task) and not _everybodys(tx, access, CANCEL_ANY):
        raise _not_yours(task, "cancel", "its owner, leads and administrators")


def _everybodys(tx: Tx, access: Access, permission: str) -> bool:
    """Whether the caller may do something to tasks whosever they are."""
    access.load(tx)
    return access.decide(tx.principal, permission, Place(tx.principal.acts_in)).allowed


def require_answerer(tx: Tx, access: Access, task: Task, deed: str) -> None:
    """Raise `Forbidden` unless the caller is its owner, a maintainer of its project or an administrator, and the
    credential may act at all.
    """
    _require_act(tx, access, task, deed)
    if owns(tx, task) or _everybodys(tx, access, ACT_ANY):
        return
    if not may(tx, access, task.project_id, "manage"):
        raise _not_yours(task, deed, "its owner, maintainers of its project and administrators")


def _require_act(tx: Tx, access: Access, task: Task, deed: str) -> None:
    """Whose task it is says nothing of what a credential was narrowed to."""
    decision = access.decide(tx.principal, ACT, Place(task.organization_id))
    if not decision.allowed:
        raise Forbidden(
            f"You may not {deed} task #{task.id}: {decision.reason}",
            code="task_not_yours",
            hint=decision.remedy or None,
        )


def _not_yours(task: Task, deed: str, who: str) -> Forbidden:
    return Forbidden(
        f"You may not {deed} task #{task.id}: that is for {who}.",
        code="task_not_yours",
        hint="Ask one of them.",
    )
