"""How long tasks and their lines stay: as each organization has it in its settings (`logRetentionDays`), the lines from
when they were written, the task with everything else of it from its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, lasting, register, spare
from quarterdeck.tasks.settings import settings as task_settings
from quarterdeck.tasks.work import forgetting
from quarterdeck.tasks.work.happenings import STREAM, stream
from quarterdeck.tasks.work.model import Task

CHUNK = 500
SHORTEST = timedelta(days=1)
HOUR = 3600


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
        for name, days in (await instance.db.read(keeps, streams[start : start + CHUNK])).items():
            count += (await instance.logs.prune(name, before=now - timedelta(days=days))).lines
    return count


async def _forget(instance: Any, _before: datetime) -> int:
    """One after another. Whether a task goes is decided in the unit that removes it, and only then its lines go, which
    are those of a new attempt where it was retried meanwhile; lines without a task are found by `_sweep`.
    """
    count = after = 0
    while ids := await instance.db.read(forgetting.over, after, CHUNK):
        after = ids[-1]
        for task_id in ids:
            if await _without(instance, forgetting.forget, task_id):
                await instance.logs.forget(stream(task_id))
                count += 1
    return count


async def _sweep(instance: Any, before: datetime) -> int:
    """What is held against the numbers of tasks that are no more: a project that is deleted takes its tasks along, not
    what is written elsewhere of them. Answers how many tasks that was.
    """
    lines = await instance.logs.older(STREAM, before)
    parts = [lines[start : start + CHUNK] for start in range(0, len(lines), CHUNK)]
    after, found = "", set[int]()
    while names := await instance.db.read(forgetting.carrying, after, CHUNK):
        after = names[-1]
        parts.append(names)
    for part in parts:
        found.update(await instance.db.read(forgetting.orphaned, part))
    for task_id in sorted(found):
        await instance.logs.forget(stream(task_id))
        await _without(instance, forgetting.erase, task_id)
    return len(found)


def _there(tx: Tx, streams: Sequence[str]) -> list[str]:
    gone = {stream(number) for number in forgetting.orphaned(tx, streams)}
    return [one for one in streams if one not in gone]


async def _without(instance: Any, verb: Callable[[Tx, int], list[str] | None], task_id: int) -> bool:
    """Remove a task, or what is left of one, with the recordings of its terminals. Answers whether it went."""
    recorded = await instance.db.write(verb, task_id)
    for uid in recorded or ():
        instance.terminals.file(uid).unlink(missing_ok=True)
    return recorded is not None


spare(STREAM)
lasting(STREAM, _there)
register(Category("task-lines", "Log lines of agent tasks, as the settings of tasks say", SHORTEST, _prune))
register(Category("tasks", "Agent tasks that have ended, as their settings say", SHORTEST, _forget))
register(Category("task-remains", "What is kept of tasks whose project was deleted", timedelta(0), _sweep, every=HOUR))
