"""The order of an attempt: secrets come into it when it is claimed, are kept nowhere, and are shown in no line."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
from sqlalchemy import text

from quarterdeck.kernel import jobs
from quarterdeck.kernel.jobs import LogLine
from quarterdeck.kernel.logs import Line
from quarterdeck.tasks.composition import AgentTasks
from quarterdeck.tasks.projects.model import TaskProject

TOKEN, VALUE = "ghp_not_a_real_token_0001", "value-of-a-variable-0002"


def sealed(yard):
    row_id = yard.project().id

    def verb(tx):
        row = tx.get(TaskProject, row_id)
        row.git_token = tx.vault.seal("tasks_projects", row.uid, "git_token", TOKEN)
        secret = msgspec.json.encode({"API_KEY": VALUE}).decode()
        row.environment = tx.vault.seal("tasks_projects", row.uid, "environment", secret)
        row.setup_command, row.custom_agent = "make setup", {"argv": ["agent"]}

    yard.act(verb)


def test_secrets_are_in_the_order_and_nowhere_else(yard):
    sealed(yard)
    forge = yard.machine()
    _, job_id = yard.started(forge)
    order = forge.orders[job_id]
    assert order["repository"]["token"] == TOKEN
    assert order["environment"] == {"API_KEY": VALUE}
    assert (order["setup_command"], order["agent"]["custom"]) == ("make setup", {"argv": ["agent"]})
    assert (order["stage_seconds"], order["gate_seconds"]) == (1800, 1800)

    def everything(tx):
        rows = [tx.execute(text(f"SELECT * FROM {table}")).all() for table in ("jobs", "domain_events", "tasks_tasks")]
        return str(rows)

    kept = yard.db.read_sync(everything)
    assert TOKEN not in kept
    assert VALUE not in kept


async def test_no_line_shows_them_after_a_restart_either(yard):
    sealed(yard)
    task_id, _ = yard.started(yard.machine())

    async def shown():
        line = Line(datetime(2026, 1, 1, tzinfo=UTC), "application", "stdout", None, "info", f"{TOKEN} {VALUE}")
        await yard.logs.store(f"task:{task_id}", [line])
        return (await yard.logs.read(f"task:{task_id}", tail=1))[0].message

    told = await shown()
    assert TOKEN not in told
    assert VALUE not in told
    await yard.logs.close(f"task:{task_id}")  # forgets what was to be hidden, as another process does
    await AgentTasks(yard.db, yard.logs).ready()
    assert await shown() == told


def test_an_order_that_cannot_be_made_fails_the_task(yard):
    project = yard.project()
    forge = yard.machine()
    task_id = yard.create()
    yard.dispatch()

    def verb(tx):
        tx.get(TaskProject, project.id).repo_url = None

    yard.act(verb)
    assert forge.take() == []
    task = yard.task(task_id)
    assert (task.status, task.error_code) == ("failed", "workspace_error")


async def test_what_a_terminal_shows_is_told_from_what_the_worker_says(yard):
    store = jobs.into(yard.logs)
    await store("task:1", [LogLine(0, "on the screen", "pty"), LogLine(0, "of the work", "system")])
    assert [one.stream for one in await yard.logs.read("task:1")] == ["stdout", "system"]


async def test_the_lines_are_complete_once_the_worker_has_told_its_end(yard):
    yard.project()
    forge = yard.machine()
    task_id, job_id = yard.started(forge)
    await yard.logs.store(f"task:{task_id}", [Line(yard.clock.now(), "application", "stdout", None, "info", "x")])
    forge.end(job_id, result={"branch": "b"})
    while not (await yard.logs.state(f"task:{task_id}")).closed:
        await asyncio.sleep(0.01)
