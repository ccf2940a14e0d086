"""What the ends of attempts say about the agents of a machine, and a machine that is decommissioned."""

from __future__ import annotations

import pytest

from quarterdeck.fleet.workers import draining
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.tasks.composition import AgentTasks


def ends(yard, forge, code):
    task_id, job_id = yard.started(forge)
    if code is None:
        forge.end(job_id, result={"branch": "b"})
    else:
        forge.end(job_id, "failed", error_code=code, error_message=code)
    return task_id


@pytest.fixture
def forge(yard):
    yard.project()
    return yard.machine()


def test_three_failures_of_an_agent_keep_its_machine_from_it(yard, forge):
    for _ in range(3):
        ends(yard, forge, "agent_auth")
    task_id = yard.create()
    assert yard.dispatch() == []
    assert "claude in working order" in yard.task(task_id).queued_reason
    yard.clock.advance(301)
    assert yard.dispatch() == [task_id]


def test_a_success_clears_and_other_failures_do_not_count(yard, forge):
    for code in ("agent_auth", "agent_auth", None, "agent_auth", "agent_auth", "workspace_error", "stage_timeout"):
        ends(yard, forge, code)
    task_id = yard.create()
    assert yard.dispatch() == [task_id]


def test_decommissioning_deals_with_what_a_machine_had(yard, forge):
    AgentTasks(yard.db, yard.logs)
    running, _ = yard.started(forge)
    waiting = yard.create()
    yard.dispatch()
    yard.act(lambda tx: draining.decommission(tx, tx.get(Worker, forge.row.id)))
    assert (yard.task(running).status, yard.task(running).error_code) == ("failed", "worker_lost")
    assert yard.task(waiting).status == "queued"
    assert yard.dispatch() == []


def test_a_program_of_one_project_says_nothing_about_that_of_another(yard):
    for key in ("WEB", "DOCS"):
        yard.project(key, agent_type="custom", custom_agent={"argv": ["./agent"]})
    forge = yard.machine(agents=("custom",), slots=9)
    for _ in range(3):
        ends(yard, forge, "agent_exited")
    refused, other = yard.create(), yard.create(project="DOCS")
    assert yard.dispatch() == [other]
    assert yard.task(refused).queued_reason == "No machine that is online has the agent custom in working order."
    row = yard.db.read_sync(lambda tx: tx.get(Worker, forge.row.id))
    assert list(row.trouble) == ["custom@WEB"]
