"""How long worktrees stay: so many hours after the end of their task, and as long as somebody is in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, or_, select, text

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs, retention
from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.tasks.settings.defaults import DEFAULTS
from quarterdeck.tasks.settings.model import TaskSettings
from quarterdeck.tasks.tunnels import tunnels
from quarterdeck.tasks.tunnels.model import Tunnel
from quarterdeck.tasks.tunnels.states import LIVE
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import keeping
from quarterdeck.tasks.workspaces.cleaning import CLEAN, Asked, Cleaned, CleanOrder
from quarterdeck.tasks.workspaces.model import Workspace
from quarterdeck.tasks.workspaces.naming import names

EVERY = 300
AT_ONCE = 200
HOURS = "workspaceRetentionHours"
AGAIN = timedelta(hours=12)
"""After a removal that failed."""
_ASKED = (
    "SELECT 1 FROM jobs j WHERE j.subject = 'workspace:' || tasks_tasks.id AND j.kind = :kind "
    "AND (j.finished_at IS NULL OR j.finished_at >= :since)"
)
Occupied = Callable[[Tx, int], bool]
_occupied: dict[str, Occupied] = {}


def occupied_by(name: str, ask: Occupied) -> None:
    """Let a room say that somebody is in a task's worktree (`ask(tx, task_id)`), a viewer of its terminal for example;
    one of the same name is replaced.
    """
    _occupied[name] = ask


def held(tx: Tx, task: Task) -> str | None:
    """Why the worktree of a task stays for now."""
    if task.finished_at is None:
        return "its task has not ended"
    tunnel = tx.get(Tunnel, task.id)
    if tunnel is not None and tunnel.state in LIVE:
        return "a tunnel leads into it"
    return next((f"{name} is attached" for name, ask in sorted(_occupied.items()) if ask(tx, task.id)), None)


def due(tx: Tx, after: int = 0) -> tuple[list[tuple[Task, Workspace]], int | None]:
    """Worktrees of tasks above `after`, in order, that have stayed long enough, that nobody is in and whose removal was
    not asked for already; of as many as are looked at in one go. Where to go on is said next, None at the end.
    """
    query = (
        select(Task, Workspace)
        .join(Workspace, Workspace.task_id == Task.id)
        .outerjoin(Worker, Worker.id == Workspace.worker_id)
        .where(Task.id > after, Workspace.removed_at.is_(None), Worker.revoked_at.is_(None), _over(tx))
        .where(text(f"NOT EXISTS ({_ASKED})").bindparams(kind=CLEAN, since=micros(tx.now - AGAIN)))
        .order_by(Task.id)
        .limit(AT_ONCE)
    )
    found = [(row[0], row[1]) for row in tx.session.execute(query)]
    rest = int(found[-1][0].id) if len(found) == AT_ONCE else None
    return [(task, row) for task, row in found if held(tx, task) is None], rest


def sweep(tx: Tx) -> int:
    """Ask the workers to remove what is due, so much at a time; answers how many were asked. What has to stay keeps no
    other from being found.
    """
    asked = 0
    rest: int | None = 0
    while rest is not None and asked < AT_ONCE:
        found, rest = due(tx, rest)
        for task, row in found:
            ask(tx, task, row)
        asked += len(found)
    return asked


def ask(tx: Tx, task: Task, row: Workspace) -> jobs.Job:
    """A job for the worker that has the worktree."""
    return _enqueue(tx, Asked(task=task.id), task.organization_id, row.worker_id)


def ask_last(tx: Tx, project_id: int) -> int:
    """Ask for every worktree of a project (its row id of workspace) whose tasks are removed next in this unit: the jobs
    know what is to go, and are given again until it is gone or the machine is decommissioned. Tunnels into them are
    closed. Answers how many were asked.
    """
    query = (
        select(Task, Workspace)
        .join(Workspace, Workspace.task_id == Task.id)
        .outerjoin(Worker, Worker.id == Workspace.worker_id)
        .where(Task.project_id == project_id, Workspace.removed_at.is_(None), Worker.revoked_at.is_(None))
        .order_by(Task.id)
    )
    found = [(row[0], row[1]) for row in tx.session.execute(query)]
    for task, row in found:
        tunnel = tx.get(Tunnel, task.id)
        if tunnel is not None and tunnel.state in LIVE and tunnel.state != "CLOSING":
            tunnels.stop(tx, task)
        before = jobs.find(tx, subject=_subject(task.id), kind=CLEAN)
        if before is not None and not before.ended:
            jobs.cancel(tx, before.id, "the project is deleted", audited=False)
        _enqueue(tx, Asked(task=task.id, order=_order(tx, task, row)), task.organization_id, row.worker_id)
    return len(found)


def _enqueue(
    tx: Tx, asked: Asked, organization_id: int | None, worker_id: int | None, run_at: datetime | None = None
) -> jobs.Job:
    return jobs.enqueue(
        tx,
        jobs.Enqueue(
            CLEAN,
            asked,
            organization_id,
            subject=_subject(asked.task),
            worker_id=worker_id,
            capabilities=frozenset({jobs.SERVER}) if worker_id is None else frozenset[str](),
            run_at=run_at,
            max_attempts=3,
        ),
    )


def _order(tx: Tx, task: Task, row: Workspace) -> CleanOrder:
    organization, key = names(tx, task)
    return CleanOrder(task_id=task.id, path=row.path, organization=organization, project_key=key)


def _over(tx: Tx) -> ColumnElement[bool]:
    """Whether a task ended as long ago as its organization says."""
    said = {row.organization_id: row.chosen for row in tx.scalars(select(TaskSettings))}
    chosen = {one: int(values[HOURS]) for one, values in said.items() if HOURS in values}
    own = [and_(Task.organization_id == one, _ended(tx, hours)) for one, hours in chosen.items()]
    return or_(and_(Task.organization_id.not_in(chosen), _ended(tx, int(DEFAULTS[HOURS]))), *own)


def _ended(tx: Tx, hours: int) -> ColumnElement[bool]:
    return Task.finished_at < tx.now - timedelta(hours=hours)


def _subject(task_id: int) -> str:
    return f"workspace:{task_id}"


def _assign(tx: Tx, job: jobs.Job) -> CleanOrder:
    last = job.read(Asked).order
    if last is not None:
        return last
    task, row = _meant(tx, job)
    why = "it is gone already" if task is None or row is None else held(tx, task)
    if task is None or row is None or why is not None:
        raise Conflict(
            f"The workspace of {job.subject} is not removed: {why}.",
            code="workspace_occupied",
            hint="Housekeeping asks again when nobody is in it.",
        )
    return _order(tx, task, row)


def _finish(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
    asked = job.read(Asked)
    if asked.order is not None:
        if outcome.state == "failed" and _in_service(tx, job.worker_id):
            _enqueue(tx, asked, job.organization_id, job.worker_id, tx.now + AGAIN)
        return
    task, row = _meant(tx, job)
    if task is None or row is None or outcome.state != "succeeded" or row.updated_at > job.created_at:
        return  # or made anew meanwhile
    done = msgspec.json.decode(outcome.result or "{}", type=Cleaned)
    keeping.removed(tx, task, row, done.removed)


def _meant(tx: Tx, job: jobs.Job) -> tuple[Task | None, Workspace | None]:
    task = tx.get(Task, job.read(Asked).task)
    return task, None if task is None else keeping.kept(tx, task)


def _in_service(tx: Tx, worker_id: int | None) -> bool:
    """The server's own machine always is."""
    worker = None if worker_id is None else tx.get(Worker, worker_id)
    return worker_id is None or (worker is not None and worker.revoked_at is None)


def _about(_tx: Tx, some: Sequence[jobs.Job]) -> dict[int, jobs.About]:
    return {job.id: jobs.About("workspaces.clean", details={"task": job.read(Asked).task}) for job in some}


jobs.kinds.register(
    jobs.JobKind(
        CLEAN,
        assign=_assign,
        finish=_finish,
        lane="housekeeping",
        lease_seconds=60,
        backoff_seconds=60,
        work=jobs.Work("system", "Remove a workspace", _about),
    )
)


async def _prune(instance: Any, _before: datetime) -> int:
    return int(await instance.db.write(sweep))


retention.register(
    retention.Category(
        "task-workspaces",
        "Worktrees of tasks on their machines, workspaceRetentionHours after the end",
        timedelta(0),
        _prune,
        every=EVERY,
    )
)
