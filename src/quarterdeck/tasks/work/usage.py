"""What the agents of a task have used: each session tells all of itself, however many attempts go on with it."""

from __future__ import annotations

from sqlalchemy import func, select

from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.orders import MOST_TOKENS, UsageAnswer, UsageReport
from quarterdeck.tasks.work.happenings import happened
from quarterdeck.tasks.work.model import SessionUsage, Task

MOST_SESSIONS = 1000
"""Of one task; an agent that tells of more is heard no further."""
LONGEST = 200


def told(tx: Tx, task: Task, attempt: int, report: UsageReport) -> UsageAnswer:
    """Keep what a session has used by now, and answer whether the budget of its task is spent. Figures never become
    less: a report may come late, and a session may forget what it began with.
    """
    session = report.session or f"attempt {attempt}"
    row = tx.session.get(SessionUsage, (task.id, session[:LONGEST]))
    if row is None:
        known = tx.execute(select(func.count()).where(SessionUsage.task_id == task.id)).scalar_one()
        if known >= MOST_SESSIONS:
            return UsageAnswer(spent=spent(task))
        row = tx.add(SessionUsage(task_id=task.id, session=session[:LONGEST], input_tokens=0, output_tokens=0))
    row.input_tokens = max(row.input_tokens, report.input_tokens)
    row.output_tokens = max(row.output_tokens, report.output_tokens)
    if report.cost_usd is not None:
        row.cost_usd = max(row.cost_usd or 0.0, report.cost_usd)
    tx.flush()
    sums = select(
        func.sum(SessionUsage.input_tokens), func.sum(SessionUsage.output_tokens), func.sum(SessionUsage.cost_usd)
    )
    into, out, cost = tx.execute(sums.where(SessionUsage.task_id == task.id)).one()
    before = spent(task)
    task.input_tokens, task.output_tokens, task.cost_usd = min(int(into), MOST_TOKENS), min(int(out), MOST_TOKENS), cost
    if spent(task) and not before:
        happened(
            tx,
            task,
            "error",
            f"The budget of ${task.budget_usd:.2f} is spent (${task.cost_usd:.2f}).",
            level="error",
            costUsd=task.cost_usd,
        )
    return UsageAnswer(spent=spent(task))


def spent(task: Task) -> bool:
    return task.budget_usd is not None and task.cost_usd is not None and task.cost_usd >= task.budget_usd
