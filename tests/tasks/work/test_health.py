"""What the ends of attempts say about the agents of a machine, and a machine that is decommissioned."""

from __future__ import annotations

import pytest

from quarterdeck.fleet.workers import degradation, draining
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.tasks.composition import AgentTasks
from quarterdeck.tasks.work.model import Task


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


REVIEWED = [{"name": "plan", "command": "/p"}, {"name": "review", "command": "/r", "agentType": "codex"}]


def degraded(yard, machine):
    row = yard.db.read_sync(lambda tx: tx.get(Worker, machine.row.id))
    return [one.agent for one in degradation.degraded(row, yard.clock.now())]


def reviewing(yard, machine):
    task_id, job_id = yard.started(machine, project="REVIEWED")
    machine.say(job_id, "stage", {"index": 0, "status": "completed"})
    return task_id, job_id


def test_the_agent_of_the_stage_that_failed_is_the_one_that_fails(yard):
    yard.project("REVIEWED", pipeline=REVIEWED)
    machine = yard.machine(agents=("claude", "codex"), slots=9)
    for reported in ("running", "failed", None):
        _, job_id = reviewing(yard, machine)
        if reported != "failed":
            machine.say(job_id, "stage", {"index": 1, "status": "running"})
        if reported is not None:  # a program that is missing fails a stage that had not begun
            machine.say(job_id, "stage", {"index": 1, "status": "failed", "error": "agent_auth"})
        machine.end(job_id, "failed", error_code="agent_auth", error_message="codex is not logged in")
    assert degraded(yard, machine) == ["codex"]


def test_a_success_clears_every_agent_that_took_part(yard):
    yard.project("REVIEWED", pipeline=REVIEWED)
    machine = yard.machine(agents=("claude", "codex"), slots=9)

    def fails(times):
        for _ in range(times):
            _, job_id = reviewing(yard, machine)
            machine.say(job_id, "stage", {"index": 1, "status": "running"})
            machine.end(job_id, "failed", error_code="agent_exited", error_message="codex ended")

    fails(2)
    _, job_id = reviewing(yard, machine)
    machine.say(job_id, "stage", {"index": 1, "status": "completed"})
    machine.end(job_id, result={"branch": "b"})
    fails(2)
    assert degraded(yard, machine) == []
    fails(1)
    assert degraded(yard, machine) == ["codex"]


def test_what_was_asked_for_a_machine_that_is_decommissioned_goes_to_another(yard, forge):
    AgentTasks(yard.db, yard.logs)
    ended = ends(yard, forge, "workspace_error")
    task_id = yard.create(machine=forge.row.uid)
    spare = yard.machine("spare")
    yard.act(lambda tx: setattr(tx.get(Task, ended), "requested_worker_id", forge.row.id))
    yard.act(lambda tx: draining.decommission(tx, tx.get(Worker, forge.row.id)))
    assert any("any other may take it" in one.data["message"] for one in yard.events(task_id))
    assert yard.dispatch() == [task_id]
    assert len(spare.take()) == 1
    # One that had failed there is not bound by its retry, either.
    yard.retry(ended)
    assert yard.dispatch() == [ended]
