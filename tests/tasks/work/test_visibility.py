"""Whose tasks somebody may look at, depend on and cancel."""

from __future__ import annotations

import pytest

from quarterdeck.kernel.errors import Forbidden, NotFound


def test_nobody_learns_of_a_task_by_depending_on_it(yard):
    yard.project("SECRET")
    mine = yard.project("OPEN")
    bob = yard.person("bob", project=mine)
    hidden, shown = yard.create(project="SECRET"), yard.create(project="OPEN", by=bob)
    with pytest.raises(NotFound) as told:
        yard.create(project="OPEN", by=bob, depends_on=(shown, hidden))
    assert told.value.code == "task_not_found"
    with pytest.raises(NotFound) as of_none:
        yard.create(project="OPEN", by=bob, depends_on=(4711,))
    assert told.value.message.replace(str(hidden), "?") == of_none.value.message.replace("4711", "?")
    task_id = yard.create(project="OPEN", by=bob, depends_on=(shown,))
    assert yard.task(task_id).depends_on == [shown]
    assert yard.task(yard.create(project="OPEN", depends_on=(hidden,))).depends_on == [hidden], "ada sees it"


def test_a_lead_cancels_the_tasks_of_others_and_does_nothing_else_to_them(yard):
    project = yard.project()
    ann = yard.person("ann", project=project)
    lead = yard.person("lou", "tasks:lead", project=project)
    member = yard.person("max", project=project)
    task_id = yard.create(by=ann)
    with pytest.raises(Forbidden) as refused:
        yard.cancel(task_id, by=member)
    assert refused.value.code == "task_not_yours"
    yard.cancel(task_id, by=lead)
    other, job_id = yard.started(yard.machine(), by=ann)
    yard.machines[0].end(job_id, "failed", error_code="agent_exited", error_message="It ended.")
    with pytest.raises(Forbidden):
        yard.retry(other, by=lead)
    yard.retry(other)
