"""How much a task may cost, changed by a person while it lives or after it has failed."""

from __future__ import annotations

import math

from quarterdeck.access import Access
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.tasks.actions import TasksAction
from quarterdeck.tasks.work.finding import find, require_owner
from quarterdeck.tasks.work.happenings import happened
from quarterdeck.tasks.work.holding import held
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.transitions import FAILED, LIVE

LARGEST = 1_000_000


def change(tx: Tx, access: Access, task_id: int | None, dollars: float | None) -> Task:
    """Give a task another budget in US dollars, more than it has cost; None: it has no limit. What runs goes on under
    it, and one that failed may be retried. The same again changes nothing. Raises `NotFound`, `Forbidden`
    (`task_not_yours`), `Invalid` (`budget_invalid`) and `Conflict` (`task_ended`).
    """
    found = find(tx, access, task_id)
    require_owner(tx, access, found, "change the budget of")
    task = held(tx, found.id)
    if task.status not in LIVE and task.status != FAILED:
        raise Conflict(
            f"Task #{task.id} is {task.status} and costs nothing any more.",
            code="task_ended",
            hint="Create a new task for something else.",
        )
    if dollars is not None:
        _check(task, dollars)
    before, after = task.budget_usd, dollars
    if before == after:
        return task
    task.budget_usd, task.updated_at = after, tx.now
    told = f"The budget is {_dollars(after)} now, after {_dollars(before)}."
    happened(tx, task, "log", told, budgetUsd=after)
    detail = {"from": before, "to": after}
    audit.record(tx, TasksAction.BUDGET_CHANGED, resource_type="task", resource_id=str(task.id), detail=detail)
    return task


def _check(task: Task, dollars: float) -> None:
    spent = task.cost_usd or 0.0
    if not math.isfinite(dollars) or not 0 < dollars <= LARGEST:
        raise Invalid(
            "A budget is an amount of US dollars above 0.",
            code="budget_invalid",
            hint="Such as 5.0.",
            field="budgetUsd",
        )
    if dollars <= spent:
        raise Invalid(
            f"Task #{task.id} has cost ${spent:.2f} already.",
            code="budget_invalid",
            hint="Give it more than that.",
            field="budgetUsd",
        )


def _dollars(amount: float | None) -> str:
    return "without a limit" if amount is None else f"${amount:.2f}"
