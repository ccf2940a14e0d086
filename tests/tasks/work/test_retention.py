"""Lines of tasks stay as long as their organization says; its events are spared."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from quarterdeck.fleet.terminals import rows
from quarterdeck.fleet.terminals.broker import Broker
from quarterdeck.kernel import retention
from quarterdeck.kernel.logs import Line
from quarterdeck.kernel.retention.categories import find
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.terminals import TaskTerminals
from quarterdeck.tasks.tunnels import tunnels
from quarterdeck.tasks.tunnels.model import Tunnel
from quarterdeck.tasks.work import messages
from quarterdeck.tasks.work.model import FollowUpMessage, Gate, SessionUsage, StageRun, Task
from quarterdeck.tasks.work.retention import SHORTEST
from quarterdeck.tasks.workspaces import keeping
from quarterdeck.tasks.workspaces.model import Workspace
from support.taskyard import gate


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


PARTS = (StageRun, Gate, FollowUpMessage, SessionUsage, Workspace, Tunnel)


@pytest.fixture
async def housekeeping(yard, tmp_path):
    """What a run of the category takes, on an instance with terminals."""
    terminals = Broker(yard.db, yard.access, tmp_path / "recordings", "process:one", TaskTerminals())
    instance = SimpleNamespace(db=yard.db, logs=yard.logs, terminals=terminals)

    async def run():
        return await find("tasks").prune(instance, yard.clock.now() - SHORTEST)

    run.terminals = terminals
    yield run
    await terminals.close()


def worked(yard, machine, **more):
    """A task of which something of everything is kept, and that failed in the end."""
    task_id, job_id = yard.started(machine, **more)
    machine.say(job_id, "workspace", {"path": "/w", "branch": "b", "base_branch": "main", "head_commit": "c" * 40})
    machine.say(job_id, "usage", {"session": "s", "input_tokens": 1})
    machine.say(job_id, "gate", gate())
    yard.act(messages.send, yard.access, task_id, "One thing more.")
    yard.act(lambda tx: tunnels.start(tx, tx.get(Task, task_id)).state)
    machine.end(job_id, "failed", error_code="agent_exited", error_message="It ended.")
    return task_id


def clean(yard, task_id):
    def verb(tx):
        task = tx.get(Task, task_id)
        keeping.removed(tx, task, keeping.kept(tx, task), 1)

    yard.act(verb)


def left(yard, task_id):
    def verb(tx):
        parts = [tx.execute(select(func.count()).where(one.task_id == task_id)).scalar_one() for one in PARTS]
        return tx.get(Task, task_id) is not None, parts

    return yard.db.read_sync(verb)


async def test_a_task_goes_with_everything_of_it(yard, housekeeping):
    yard.project()
    yard.settings(logRetentionDays=3)
    forge = yard.machine(last_seen_at=yard.clock.now())
    task_id, kept = worked(yard, forge), yard.create()
    home = yard.organization.id

    def recorded(tx):
        return rows.opened(tx, f"task:{task_id}", home, 1, forge.row.id, "process:one", 80, 24).uid

    file = housekeeping.terminals.file(yard.act(recorded))
    file.parent.mkdir(exist_ok=True)
    file.write_text("{}")
    line = Line(yard.clock.now(), "application", "stdout", None, "info", "said")
    await yard.logs.store(f"task:{task_id}", [line])
    yard.clock.advance(3 * 86_400 + 1)
    assert await housekeeping() == 0, "its worktree is on its machine still"
    clean(yard, task_id)
    assert left(yard, task_id) == (True, [2, 1, 1, 1, 1, 1])
    assert await housekeeping() == 1
    assert left(yard, task_id) == (False, [0] * 6)
    assert yard.events(task_id) == []
    assert await yard.logs.read(f"task:{task_id}") == []
    assert yard.db.read_sync(rows.of_subject, f"task:{task_id}") == []
    assert not file.exists()
    assert left(yard, kept)[0], "it lives"
    assert yard.db.read_sync(lambda tx: tx.first(select(TaskProject))).task_count == 1
    assert await housekeeping() == 0


async def test_what_is_younger_or_needed_stays(yard, housekeeping):
    yard.project()
    needed, other = yard.create(), yard.create()
    waiting = yard.create(depends_on=(needed,))
    for task_id in (needed, other):
        yard.cancel(task_id)
    yard.clock.advance(90 * 86_400 - 1)
    forge = yard.machine(slots=9, last_seen_at=yard.clock.now())
    young = worked(yard, forge)
    assert await housekeeping() == 0
    yard.clock.advance(2)
    assert await housekeeping() == 1
    assert [left(yard, one)[0] for one in (needed, other, waiting, young)] == [True, False, True, True]
    yard.cancel(waiting)
    assert await housekeeping() == 1
    assert not left(yard, needed)[0]


async def test_what_stands_on_a_machine_that_is_gone_keeps_no_task(yard, housekeeping):
    yard.project()
    forge = yard.machine(last_seen_at=yard.clock.now())
    task_id = worked(yard, forge)
    yard.clock.advance(91 * 86_400)
    assert await housekeeping() == 0
    yard.act(lambda tx: setattr(tx.get(type(forge.row), forge.row.id), "revoked_at", tx.now))
    assert await housekeeping() == 1
    assert not left(yard, task_id)[0]


class Meanwhile:
    """A database in which something happens after the tasks have been looked for, and before the first one goes."""

    def __init__(self, db, happening):
        self._db, self._happening = db, happening

    async def read(self, verb, *given):
        found = await self._db.read(verb, *given)
        happening, self._happening = self._happening, None
        if happening is not None:
            happening()
        return found

    async def write(self, verb, *given):
        return await self._db.write(verb, *given)


@pytest.mark.parametrize("happens", ["retried", "needed"])
async def test_what_has_to_stay_after_all_keeps_its_lines(yard, tmp_path, happens):
    yard.project()
    forge = yard.machine(slots=9, last_seen_at=yard.clock.now())
    task_id, job_id = yard.started(forge)
    forge.end(job_id, "failed", error_code="agent_exited", error_message="It ended.")
    other = yard.create()
    yard.cancel(other)
    yard.clock.advance(91 * 86_400)
    line = Line(yard.clock.now(), "application", "stdout", None, "info", "said")
    for one in (task_id, other):
        await yard.logs.store(f"task:{one}", [line])
    does = {"retried": lambda: yard.retry(task_id), "needed": lambda: yard.create(depends_on=(task_id,))}
    db = Meanwhile(yard.db, does[happens])
    terminals = Broker(yard.db, yard.access, tmp_path / "recordings", "process:one", TaskTerminals())
    instance = SimpleNamespace(db=db, logs=yard.logs, terminals=terminals)
    assert await find("tasks").prune(instance, yard.clock.now() - SHORTEST) == 1
    await terminals.close()
    assert [left(yard, one)[0] for one in (task_id, other)] == [True, False]
    kept = [[one.message for one in await yard.logs.read(f"task:{number}")] for number in (task_id, other)]
    assert kept == [["said"], []]
