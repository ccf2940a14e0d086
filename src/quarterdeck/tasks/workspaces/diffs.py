"""What a task changes, as its worker told last; kept as long as the lines of its log (`logRetentionDays`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from quarterdeck.kernel import retention
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.logs.masking import hidden
from quarterdeck.tasks.orders import DiffReport
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import keeping
from quarterdeck.tasks.workspaces.comparing import MOST, readable
from quarterdeck.tasks.workspaces.model import Diff
from quarterdeck.tasks.workspaces.naming import setting

SHORTEST = timedelta(days=1)
"""The shortest that can be chosen."""
MARGIN = 4096
"""Bytes beside `MOST`: what is no UTF-8 takes more room once it is shown."""


def told(tx: Tx, task: Task, report: DiffReport, secrets: Iterable[str]) -> Diff:
    """Keep what a worker tells, in place of what it told before, without the values of `secrets`. Raises `Invalid`
    (`report_invalid`) for one that is too large.
    """
    if len(report.patch) > MOST + MARGIN or min(report.files_changed, report.insertions, report.deletions) < 0:
        raise Invalid(f"A diff has at most {MOST} bytes.", code="report_invalid")
    row = tx.get(Diff, task.id)
    known, row = row is not None, row or Diff(task_id=task.id)
    row.attempt, row.stage = task.attempt, report.index
    row.base_commit, row.commit_sha = report.base[:250], report.commit[:64] if report.commit is not None else None
    row.files_changed, row.insertions, row.deletions = report.files_changed, report.insertions, report.deletions
    row.patch, row.cut, row.told_at = hidden(readable(report.patch), secrets), report.cut, tx.now
    if not known:
        tx.add(row)
    keeping.compared(tx, task, report)
    return row


def found(tx: Tx, task: Task) -> Diff | None:
    return tx.get(Diff, task.id)


def find(tx: Tx, task: Task) -> Diff:
    """Raises `NotFound` (`task_diff_not_found`)."""
    row = found(tx, task)
    if row is None:
        raise NotFound(
            f"Nothing is known yet of what task #{task.id} changes.",
            code="task_diff_not_found",
            hint="Its machine tells when a stage waits for somebody, and at the end.",
        )
    return row


def expire(tx: Tx, now: datetime) -> int:
    """Remove what is older than its organization keeps lines; answers how many."""
    query = select(Diff.task_id, Diff.told_at, Task.organization_id).join(Task, Task.id == Diff.task_id)
    rows = tx.execute(query.where(Diff.told_at < now - SHORTEST)).all()
    days = {one: int(setting(tx, one, "logRetentionDays")) for one in {row.organization_id for row in rows}}
    gone = [row.task_id for row in rows if row.told_at < now - timedelta(days=days[row.organization_id])]
    for start in range(0, len(gone), 500):
        tx.execute(delete(Diff).where(Diff.task_id.in_(gone[start : start + 500])))
    return len(gone)


async def _prune(instance: Any, before: datetime) -> int:
    """`before` is a day ago."""
    return int(await instance.db.write(expire, before + SHORTEST))


retention.register(
    retention.Category("task-diffs", "What agent tasks change, as the settings of tasks say", SHORTEST, _prune)
)
