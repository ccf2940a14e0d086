"""Lines of tasks stay as long as their organization says; its events are spared."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

from quarterdeck.kernel import retention
from quarterdeck.kernel.logs import Line
from quarterdeck.kernel.retention.categories import find
from quarterdeck.tasks.work.retention import SHORTEST


async def test_lines_go_when_their_organization_says(yard):
    yard.project()
    task_id = yard.create()
    yard.settings(logRetentionDays=2)
    now = yard.clock.now()
    ages = (timedelta(days=3), timedelta(hours=47), timedelta())
    for age in ages:
        line = Line(now - age, "application", "stdout", None, "info", str(age))
        await yard.logs.store(f"task:{task_id}", [line])
    category = find("task-lines")
    instance = SimpleNamespace(db=yard.db, logs=yard.logs)
    assert await category.prune(instance, now - SHORTEST) == 1
    assert [one.message for one in await yard.logs.read(f"task:{task_id}")] == [str(age) for age in ages[1:]]
    assert await category.prune(instance, now - SHORTEST) == 0
    assert "task:" in retention.spared()
