"""How long the lines of tasks stay: as each organization has it in its settings (`logRetentionDays`). The events of a
task stay as long as the task.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, register, spare
from quarterdeck.tasks.settings import settings as task_settings
from quarterdeck.tasks.work.model import Task

STREAM = "task:"
CHUNK = 500
SHORTEST = timedelta(days=1)


def keeps(tx: Tx, streams: list[str]) -> dict[str, int]:
    """Stream to how many days its lines stay; those of no task are left out."""
    numbers = [int(one.removeprefix(STREAM)) for one in streams if one.removeprefix(STREAM).isdigit()]
    rows = tx.execute(select(Task.id, Task.organization_id).where(Task.id.in_(numbers))).all()
    days = {one: int(task_settings.of(tx, one)["logRetentionDays"]) for one in {row.organization_id for row in rows}}
    return {f"{STREAM}{row.id}": days[row.organization_id] for row in rows}


async def _prune(instance: Any, before: datetime) -> int:
    """`before` is a day ago, the shortest that can be chosen: what is younger needs no look."""
    now, count = before + SHORTEST, 0
    streams = await instance.logs.older(STREAM, before)
    for start in range(0, len(streams), CHUNK):
        for stream, days in (await instance.db.read(keeps, streams[start : start + CHUNK])).items():
            count += (await instance.logs.prune(stream, before=now - timedelta(days=days))).lines
    return count


spare(STREAM)
register(Category("task-lines", "Log lines of agent tasks, as the settings of tasks say", SHORTEST, _prune))
