"""`actions.ChatActions` over the room of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quarterdeck.access import Access
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.principal import Principal
from quarterdeck.surfaces.chat.actions import TaskSeen
from quarterdeck.tasks import machines
from quarterdeck.tasks.telling import subject as subject_of
from quarterdeck.tasks.work import acting, answering, creating, finding, gates, reading
from quarterdeck.tasks.work.happenings import stream
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces.model import Workspace

CHANNEL = "bot"


class TaskActions:
    """Commands of chats, by the rules of tasks."""

    def create(self, tx: Tx, access: Access, *, text: str, project_key: str, machine: str | None) -> TaskSeen:
        uid = None if machine is None else named(tx, access, machine).uid
        wanted = creating.Wanted(project_key=project_key, description=text, machine=uid, source=CHANNEL)
        return seen(tx, creating.create(tx, access, wanted))

    def show(self, tx: Tx, access: Access, task_id: int) -> TaskSeen:
        return seen(tx, finding.find(tx, access, task_id))

    def listed(self, tx: Tx, access: Access, *, project_key: str | None, limit: int) -> Sequence[TaskSeen]:
        found = finding.listed(tx, access, finding.Filter(project_key=project_key, limit=limit))
        return [_seen(tx, one) for one in reading.described(tx, found)]

    def cancel(self, tx: Tx, access: Access, task_id: int) -> TaskSeen:
        return seen(tx, acting.cancel(tx, access, task_id))

    def retry(self, tx: Tx, access: Access, task_id: int) -> TaskSeen:
        return seen(tx, acting.retry(tx, access, task_id))

    def confirm(self, tx: Tx, access: Access, task_id: int) -> TaskSeen:
        gate = gates.open_gate(tx, finding.find(tx, access, task_id))
        if gate is not None and gate.kind != "confirm":
            what = "a choice" if gate.kind == "choice" else "a text"
            raise Conflict(
                f"Stage {gate.stage_name} of task #{task_id} needs {what}.",
                code="gate_needs_more",
                hint="Answer it on its card.",
            )
        given = answering.Answer(approved=True, channel=CHANNEL)
        return seen(tx, answering.answer(tx, access, task_id, given))

    def answer(self, tx: Tx, access: Access, task_id: int, subject: str, *, approved: bool, result: str) -> TaskSeen:
        task = finding.find(tx, access, task_id)
        gate = gates.newest(tx, task)
        if gate is None or subject_of(gate.id) != subject:
            raise Conflict(
                f"Task #{task_id} no longer waits for this answer.", code="gate_not_open", hint="Look at the task."
            )
        given = answering.Answer(
            index=gate.position, result=result or None, approved=approved if not result else None, channel=CHANNEL
        )
        if not approved:
            given = answering.Answer(index=gate.position, approved=False, channel=CHANNEL)
        return seen(tx, answering.answer(tx, access, task_id, given))

    def workspace(self, tx: Tx, access: Access, task_id: int) -> str:
        task = finding.find(tx, access, task_id)
        row = tx.get(Workspace, task.id)
        if row is None:
            return f"Task #{task.id} has no worktree yet."
        where = "It is removed." if row.removed_at is not None else row.path
        return f"{row.branch}, from {row.base_branch}\n{where}"

    def drain(self, tx: Tx, access: Access, machine: str, *, end: bool) -> str:
        worker = named(tx, access, machine)
        changed = machines.undrain(tx, worker.uid) if end else machines.drain(tx, worker.uid)
        return machines.status(tx, changed)

    async def logs(self, instance: Any, principal: Principal, task_id: int, limit: int) -> Sequence[str]:
        access = instance.access
        name: str = await instance.db.read(lambda tx: stream(finding.find(tx, access, task_id).id))
        head = (await instance.logs.state(name)).head
        return [one.message for one in await instance.logs.read(name, after=max(head - limit, 0), limit=limit)]


def named(tx: Tx, access: Access, name: str) -> Worker:
    """A machine by its name, in any case. Raises `NotFound` (`worker_not_found`), and `Invalid` (`machine_ambiguous`)
    where several have it.
    """
    machines.require_visible(tx, access)
    found = [one for one in machines.in_service(tx) if one.name.lower() == name.strip().lower()]
    if not found:
        raise NotFound(f"There is no machine {name[:60]!r}.", code="worker_not_found", hint="Look at the machines.")
    if len(found) > 1:
        raise Invalid(
            f"{len(found)} machines are called {name[:60]!r}.", code="machine_ambiguous", hint="Rename one of them."
        )
    return found[0]


def seen(tx: Tx, task: Task) -> TaskSeen:
    return _seen(tx, reading.described(tx, [task])[0])


def _seen(tx: Tx, one: reading.Described) -> TaskSeen:
    task, current = one.task, one.task.current_stage
    gate = gates.open_gate(tx, task)
    return TaskSeen(
        id=task.id,
        project_key=one.project_key or "-",
        description=task.description,
        status=task.status,
        stage=task.pipeline[current]["name"] if current is not None and current < len(task.pipeline) else None,
        machine=one.machine.name if one.machine is not None else None,
        error=task.error_message,
        result=task.merge_request_url,
        waits_for=gate.prompt if gate is not None else None,
    )
