"""What a task says of its terminal (`task:42`)."""

from __future__ import annotations

from typing import Any

from quarterdeck.fleet.terminals.broker import Terms
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.tasks.settings import settings
from quarterdeck.tasks.work import happenings
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.transitions import HELD

KIND = "task"


def subject(task_id: int) -> str:
    return f"{KIND}:{task_id}"


class TaskTerminals:
    """Implements `fleet.terminals.Subjects`."""

    def terms(self, tx: Tx, subject: str) -> Terms:
        """Raises `NotFound`."""
        task = _task(tx, subject)
        if task is None:
            raise NotFound(f"There is no {subject[:60]}.", code="task_not_found")
        chosen = settings.of(tx, task.organization_id)
        return Terms(task.organization_id, int(chosen["ptyReplayBytes"]))

    def over(self, tx: Tx, subject: str, attempt: int, fence: int) -> bool:
        """Whether a machine has the task no more, or another attempt or job of it."""
        task = _task(tx, subject)
        if task is None or task.status not in HELD or task.attempt > attempt:
            return True
        return task.job_id is not None and fence not in {0, task.job_id}

    def happened(self, tx: Tx, subject: str, word: str, message: str, **data: Any) -> None:
        """An event of the task; of one that is gone nothing is told."""
        task = _task(tx, subject)
        if task is not None:
            happenings.happened(tx, task, word, message, **data)


def _task(tx: Tx, subject: str) -> Task | None:
    kind, _, number = subject.partition(":")
    return tx.get(Task, int(number)) if kind == KIND and number.isascii() and number.isdigit() else None
