"""What ends tasks of which something bigger goes."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.work import acting
from quarterdeck.tasks.work.holding import held
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.transitions import LIVE


class EndsTasksOfProjects:
    def end_tasks(self, tx: Tx, project_id: int, reason: str) -> int:
        """Cancel every live task of a project (its row id of workspace), with its job. Answers how many there were."""
        mine = select(Task.id).where(Task.project_id == project_id, Task.finished_at.is_(None), Task.status.in_(LIVE))
        ended = 0
        for task_id in tx.execute(mine.order_by(Task.id)).scalars().all():
            task = held(tx, task_id)
            if task.status in LIVE:
                acting.end(tx, task, reason, "cancelled")
                ended += 1
        return ended
