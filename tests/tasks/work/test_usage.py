"""What agents have used: each session tells all of itself, and is counted once however many attempts go on with it."""

from __future__ import annotations

import pytest

from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.work import usage


@pytest.fixture
def forge(yard):
    yard.project()
    return yard.machine()


def used(into, out, cost, session=None):
    return {"session": session, "input_tokens": into, "output_tokens": out, "cost_usd": cost}


def counted(yard, task_id):
    task = yard.task(task_id)
    return task.input_tokens, task.output_tokens, task.cost_usd


def retried(yard, forge, task_id, job_id):
    forge.end(job_id, "failed", error_code="stage_timeout", error_message="It took too long.")
    yard.retry(task_id)
    yard.dispatch()
    (second,) = forge.take()
    return second


def test_a_session_that_is_gone_on_with_counts_once(yard, forge):
    task_id, job_id = yard.started(forge, budget_usd=2.0)
    forge.say(job_id, "agent", {"type": "claude", "session": "s-1"})
    forge.say(job_id, "workspace", {"path": "/w", "branch": "b", "base_branch": "main", "head_commit": "c" * 40})
    assert forge.say(job_id, "usage", used(100, 10, 1.0, "s-1")) == {"spent": False}
    second = retried(yard, forge, task_id, job_id)
    assert forge.orders[second]["agent"]["resume"] == "s-1"
    assert forge.say(second, "usage", used(110, 11, 1.1, "s-1")) == {"spent": False}
    assert counted(yard, task_id) == (110, 11, pytest.approx(1.1))
    assert forge.say(second, "usage", used(5, 2, 0.9, "s-2")) == {"spent": True}, "another one adds to it"
    assert counted(yard, task_id) == (115, 13, pytest.approx(2.0))


def test_figures_never_become_less(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "usage", used(100, 10, None, "s-1"))
    forge.say(job_id, "usage", used(40, 12, 0.5, "s-1"))
    for wrong in (used(-5, 1, None, "s-2"), used(1, -5, None, "s-2"), used(1, 1, -0.5, "s-2")):
        with pytest.raises(Invalid):
            forge.say(job_id, "usage", wrong)
    assert counted(yard, task_id) == (100, 12, 0.5)


def test_sessions_without_a_name_are_one_for_each_attempt(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "usage", used(10, 1, None))
    second = retried(yard, forge, task_id, job_id)
    forge.say(second, "usage", used(7, 2, None))
    forge.say(second, "usage", used(9, 2, None))
    assert counted(yard, task_id) == (19, 3, None)


def test_an_agent_that_tells_of_sessions_without_end_is_heard_no_further(yard, forge, monkeypatch):
    monkeypatch.setattr(usage, "MOST_SESSIONS", 2)
    task_id, job_id = yard.started(forge)
    for number in range(4):
        forge.say(job_id, "usage", used(10, 1, None, f"{number}-" + "x" * 300))
    assert counted(yard, task_id) == (20, 2, None)
