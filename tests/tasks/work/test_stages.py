"""The states of a stage: one way between them, and an event for each."""

from __future__ import annotations

import pytest

from quarterdeck.tasks.work.stages import MOVES, OVER
from support.taskyard import gate


@pytest.fixture
def forge(yard):
    yard.project()
    return yard.machine()


def changes(yard, task_id):
    told = [one.data for one in yard.events(task_id) if one.type == "stage_change"]
    return [(one["stageIndex"], one["status"]) for one in told]


def stands(yard, task_id):
    return [(one.status, one.error) for one in yard.stages(task_id)]


def test_every_change_of_a_stage_has_its_event(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "stage", {"index": 0, "status": "completed"})
    forge.say(job_id, "gate", gate(1))
    yard.answer(task_id, index=1, result="confirm")
    forge.say(job_id, "stage", {"index": 1, "status": "running"})
    forge.say(job_id, "gate", gate(1, "input"))
    yard.answer(task_id, index=1, result="blue")
    forge.end(job_id, "failed", error_code="agent_exited", error_message="It ended.")
    yard.retry(task_id)
    assert changes(yard, task_id) == [
        (0, "running"), (0, "completed"), (1, "waiting"), (1, "pending"), (1, "running"), (1, "waiting"),
        (1, "running"), (1, "failed"), (0, "pending"), (1, "pending"),
    ]  # fmt: skip
    assert stands(yard, task_id) == [("pending", None), ("pending", None)]
    assert [(one.started_at, one.finished_at, one.result) for one in yard.stages(task_id)] == [(None, None, None)] * 2


def test_a_stage_that_is_over_is_not_begun_by_a_late_word(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "stage", {"index": 0, "status": "completed"})
    before = yard.words(task_id)
    for late in ("running", "failed", "skipped"):
        forge.say(job_id, "stage", {"index": 0, "status": late, "number": 2})
    assert stands(yard, task_id)[0] == ("completed", None)
    assert yard.words(task_id) == before


def test_a_try_that_failed_is_followed_by_another(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "stage", {"index": 0, "status": "failed", "error": "stage_timeout"})
    assert stands(yard, task_id)[0] == ("failed", "stage_timeout")
    forge.say(job_id, "stage", {"index": 0, "status": "running", "number": 2})
    assert stands(yard, task_id)[0] == ("running", None)
    assert [one.data["attempt"] for one in yard.events(task_id) if one.type == "stage_change"] == [1, 1, 2]


def test_what_was_completed_by_a_machine_that_was_given_up_is_so_stage_by_stage(yard, forge):
    yard.project(
        "LAX",
        pipeline=[
            {"name": "lint", "command": "/l", "continueOnError": True},
            {"name": "build", "command": "/b"},
            {"name": "test", "command": "/t"},
        ],
    )
    task_id, job_id = yard.started(forge, project="LAX")
    forge.say(job_id, "stage", {"index": 0, "status": "failed", "error": "agent_exited"})
    forge.say(job_id, "stage", {"index": 1, "status": "running"})
    for seconds in (31, 600):
        yard.clock.advance(seconds)
        yard.look()
    assert [status for status, _ in stands(yard, task_id)] == ["failed", "failed", "pending"]
    forge.end(job_id, result={"branch": "b", "commit": "c" * 40})
    assert yard.task(task_id).status == "completed"
    assert stands(yard, task_id) == [("failed", "agent_exited"), ("completed", None), ("completed", None)]
    assert changes(yard, task_id)[-2:] == [(1, "completed"), (2, "completed")]


def test_the_table_leads_everywhere_and_out_of_an_end_only_to_another_attempt():
    assert all(ways <= MOVES.keys() for ways in MOVES.values())
    assert {one for one in OVER if MOVES[one] != {"pending"}} == {"failed"}
