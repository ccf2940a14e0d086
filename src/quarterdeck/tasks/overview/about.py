"""What some tasks name, read once for all of them: projects, machines, people, and how their stages stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.projects import listing
from quarterdeck.tasks.work.model import StageRun, Task


@dataclass(frozen=True, slots=True)
class About:
    """By row ids: `keys` of projects, `stages` of tasks in their order."""

    keys: Mapping[int, str]
    workers: Mapping[int, Worker]
    people: Mapping[int, User]
    stages: Mapping[int, Sequence[StageRun]]


def about(tx: Tx, tasks: Sequence[Task]) -> About:
    workers = {one for task in tasks for one in (task.worker_id, task.requested_worker_id) if one is not None}
    stages: defaultdict[int, list[StageRun]] = defaultdict(list)
    runs = select(StageRun).where(StageRun.task_id.in_([task.id for task in tasks]))
    for run in tx.scalars(runs.order_by(StageRun.task_id, StageRun.position)):
        stages[run.task_id].append(run)
    people = select(User).where(User.id.in_({task.developer_id for task in tasks}))
    return About(
        keys=listing.keys(tx, {task.project_id for task in tasks}),
        workers={one.id: one for one in tx.scalars(select(Worker).where(Worker.id.in_(workers)))},
        people={one.id: one for one in tx.scalars(people)},
        stages=stages,
    )
