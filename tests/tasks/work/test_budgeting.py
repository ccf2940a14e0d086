"""Another budget for a task that lives or has failed."""

from __future__ import annotations

import pytest

from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid
from quarterdeck.tasks.work import budgeting


@pytest.fixture
def project(yard):
    return yard.project()


@pytest.fixture
def forge(yard, project):
    return yard.machine()


def budget(yard, task_id, dollars, by=None):
    return yard.act(budgeting.change, yard.access, task_id, dollars, by=by)


def test_a_task_that_failed_for_its_budget_goes_on_under_another(yard, forge):
    task_id, job_id = yard.started(forge, budget_usd=1.0)
    assert forge.say(job_id, "usage", {"cost_usd": 1.25})["spent"]
    forge.end(job_id, "failed", error_code="budget_spent", error_message="It is spent.")
    for wrong in (1.0, 1.25, 0.0, float("nan")):
        with pytest.raises(Invalid):
            budget(yard, task_id, wrong)
    assert yard.task(task_id).budget_usd == 1.0
    with pytest.raises(Conflict, match=r"\$1\.25 of its budget of \$1\.00"):
        yard.retry(task_id)
    budget(yard, task_id, 5.0)
    yard.retry(task_id)
    assert yard.dispatch() == [task_id]
    (job_id,) = forge.take()
    assert not forge.say(job_id, "usage", {"cost_usd": 2.0})["spent"]
    assert yard.task(task_id).cost_usd == 3.25
    budget(yard, task_id, None)
    assert not forge.say(job_id, "usage", {"cost_usd": 900.0})["spent"]
    told = [one.data["message"] for one in yard.events(task_id) if "budget is" in one.data["message"]]
    assert told == ["The budget is $5.00 now, after $1.00.", "The budget is without a limit now, after $5.00."]


def test_only_its_owner_changes_it_and_not_once_it_is_over(yard, project, forge):
    task_id, job_id = yard.started(forge)
    with pytest.raises(Forbidden):
        budget(yard, task_id, 5.0, by=yard.person("carl", "tasks:lead", project=project))
    forge.end(job_id, result={"branch": "b"})
    with pytest.raises(Conflict):
        budget(yard, task_id, 5.0)
