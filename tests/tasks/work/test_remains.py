"""What a project that is deleted leaves of its tasks: nothing, neither here nor on machines, and no number."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import msgspec
import pytest
from sqlalchemy import select, text

from quarterdeck.fleet.terminals import rows
from quarterdeck.fleet.terminals.broker import Broker
from quarterdeck.kernel import events, jobs
from quarterdeck.kernel.logs import Line
from quarterdeck.kernel.retention.categories import find
from quarterdeck.tasks.projects.blockers import TaskBlockers
from quarterdeck.tasks.terminals import TaskTerminals
from quarterdeck.tasks.tunnels import tunnels
from quarterdeck.tasks.tunnels.orders import TUNNEL
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces.cleaning import CLEAN
from quarterdeck.workspace import projects as workspace
from quarterdeck.workspace.model import Project


@pytest.fixture
async def housekeeping(yard, tmp_path):
    """What a run of the category takes, on an instance with terminals."""
    terminals = Broker(yard.db, yard.access, tmp_path / "recordings", "process:one", TaskTerminals())
    instance = SimpleNamespace(db=yard.db, logs=yard.logs, terminals=terminals)

    async def run():
        return await find("task-remains").prune(instance, yard.clock.now())

    run.terminals = terminals
    yield run
    await terminals.close()


def delete(yard, part):
    def verb(tx):
        ref = tx.get(Project, part.project_id).ref
        workspace.archive(tx, ref)
        workspace.delete(tx, ref, ref, [TaskBlockers(yard.access)])

    yard.act(verb)


def failed(yard, machine, **more):
    """A task that failed, and whose worktree is on its machine."""
    task_id, job_id = yard.started(machine, **more)
    machine.say(job_id, "workspace", {"path": "/w", "branch": "b", "base_branch": "main", "head_commit": "c" * 40})
    machine.end(job_id, "failed", error_code="agent_exited", error_message="It ended.")
    return task_id


async def recorded(yard, housekeeping, task_id, attempt=1):
    """A terminal of a task, its recording, and a line."""
    fleet, home = housekeeping.terminals, yard.organization.id
    opened = yard.act(lambda tx: rows.opened(tx, f"task:{task_id}", home, attempt, None, "process:one", 80, 24).uid)
    fleet.file(opened).parent.mkdir(exist_ok=True)
    fleet.file(opened).write_text("{}")
    line = Line(yard.clock.now() - timedelta(seconds=1), "application", "stdout", None, "info", "said")
    await yard.logs.store(f"task:{task_id}", [line])
    return fleet.file(opened)


async def held(yard, task_id):
    """Events, lines and terminals that are held against a number."""
    stream = f"task:{task_id}"
    shown = yard.db.read_sync(lambda tx: (len(events.read(tx, stream)), len(rows.of_subject(tx, stream))))
    return (*shown, len(await yard.logs.read(stream)))


async def test_a_deleted_project_leaves_neither_traces_nor_a_number(yard, housekeeping):
    gone, _ = yard.project(), yard.project("SHOP")
    forge = yard.machine(slots=9)
    kept = yard.create(project="SHOP")
    yard.cancel(kept)
    task_id = failed(yard, forge)
    kept_file, file = await recorded(yard, housekeeping, kept), await recorded(yard, housekeeping, task_id, attempt=2)
    delete(yard, gone)
    following = yard.create(project="SHOP")
    assert following > task_id
    assert await held(yard, following) == (1, 0, 0)
    before = await held(yard, kept)
    assert await housekeeping() == 1
    assert await held(yard, task_id) == (0, 0, 0)
    assert (file.exists(), kept_file.exists()) == (False, True)
    assert await held(yard, kept) == before
    assert await housekeeping() == 0


async def test_what_only_lines_are_left_of_goes_as_well(yard, housekeeping):
    yard.project()
    task_id = yard.create()
    line = Line(yard.clock.now() - timedelta(seconds=1), "application", "stdout", None, "info", "said")
    for number in (task_id, task_id + 1000):
        await yard.logs.store(f"task:{number}", [line])
    assert await housekeeping() == 1
    assert [len(await yard.logs.read(f"task:{number}")) for number in (task_id, task_id + 1000)] == [1, 0]


def test_the_number_of_the_newest_task_is_not_given_again(yard):
    yard.project()
    task_id = yard.create()
    yard.act(lambda tx: tx.execute(text("DELETE FROM tasks_tasks WHERE id = :id"), {"id": task_id}).rowcount)
    assert yard.create() > task_id


def test_machines_are_asked_for_the_worktrees_of_a_project_that_is_deleted(yard):
    part, forge = yard.project(), yard.machine(slots=9, last_seen_at=yard.clock.now())
    task_id = failed(yard, forge)
    yard.act(lambda tx: tunnels.start(tx, tx.get(Task, task_id)).state)
    delete(yard, part)
    assert yard.db.read_sync(lambda tx: tx.execute(select(Task.id)).all()) == []
    assert yard.db.read_sync(lambda tx: jobs.find(tx, kind=TUNNEL).state) == "canceled"

    def clean():
        return yard.db.read_sync(lambda tx: jobs.find(tx, kind=CLEAN))

    def take():
        asking = jobs.Claimant(forge.owner, forge.capabilities, ("housekeeping",), 9, forge.row.id, **yard.claiming)
        claimed = yard.db.write_sync(jobs.claim, asking)
        for one in claimed:
            forge.held[one.job.id] = [one.job.fence, 0]
            forge.orders[one.job.id] = msgspec.json.decode(one.order)
        return [one.job.id for one in claimed]

    (taken,) = take()
    assert forge.orders[taken] == {
        "task_id": task_id, "path": "/w", "organization": yard.organization.uid, "project_key": "WEB",
    }  # fmt: skip
    forge.end(taken, "failed", error_code="workspace_error", error_message="The disk is read-only.")
    assert (take(), clean().state) == ([], "pending"), "not at once"
    yard.clock.advance(12 * 3600 + 1)
    (again,) = take()
    forge.end(again, result={"removed": 5, "free": 9})
    assert (clean().id, clean().state) == (again, "succeeded")


def test_a_machine_that_is_gone_is_asked_for_nothing(yard):
    part, forge = yard.project(), yard.machine(slots=9)
    failed(yard, forge)
    yard.act(lambda tx: setattr(tx.get(type(forge.row), forge.row.id), "revoked_at", tx.now))
    delete(yard, part)
    assert yard.db.read_sync(lambda tx: jobs.find(tx, kind=CLEAN)) is None
