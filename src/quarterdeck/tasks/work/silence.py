"""What time alone does to tasks: machines that are silent, gates that nobody answers, pauses that end (ADR 0037).

Everything is read from rows, so that any process of the server may do it: an attempt was last heard of when its job was
last renewed. `began` is when this process began to listen: nobody is blamed for a time in which nobody listened.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.clock import instant
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.kernel.jobs.job import Job
from quarterdeck.tasks.orders import RUN
from quarterdeck.tasks.settings import settings as task_settings
from quarterdeck.tasks.work import expiring, finishing, gates
from quarterdeck.tasks.work.happenings import happened
from quarterdeck.tasks.work.holding import held
from quarterdeck.tasks.work.model import Gate, Task
from quarterdeck.tasks.work.payload import Attempt
from quarterdeck.tasks.work.recording import reconnected
from quarterdeck.tasks.work.transitions import (
    ASSIGNED,
    DISCONNECTED,
    HELD,
    RATE_LIMITED,
    RUNNING,
    STAGE_GATE,
    SUSPENDED,
    move,
)

SILENCE = timedelta(seconds=30)
"""So long without a word, and a running task is suspended; one that was to begin goes back into the queue."""
PREPARATION = timedelta(hours=2)
"""A machine that has an attempt for so long and has begun no stage loses it, whatever signs of life it gives. What it
has to do before takes at most an hour: one fetch of half an hour, and commands of five minutes each.
"""
MOST = 100_000
STRICT = "strict"


class Seen(Struct, frozen=True):
    """What of a task is looked at often: no lock is taken for it."""

    id: int
    status: str
    reason: str | None
    resume_at: datetime | None
    assigned_at: datetime | None
    job_id: int | None
    suspended_at: datetime | None


def due(tx: Tx, began: datetime) -> list[int]:
    """Numbers of the tasks that time has something to do to."""
    late = tx.execute(select(Gate.task_id).where(Gate.closed_at.is_(None), Gate.expires_at <= tx.now)).scalars()
    found = set(late)
    columns = (
        Task.id, Task.status, Task.suspend_reason, Task.resume_at, Task.assigned_at, Task.job_id, Task.suspended_at,
    )  # fmt: skip
    live = [Seen(*row) for row in tx.execute(select(*columns).where(Task.finished_at.is_(None), Task.status.in_(HELD)))]
    running = {
        job.id: job for job in jobs.list_jobs(tx, jobs.Filter(kind=RUN, states=(jobs.State.RUNNING,), limit=MOST))
    }
    found |= {one.id for one in live if _concerns(tx, one, running.get(one.job_id or 0), began)}
    held_by_tasks = {one.job_id for one in live}
    left = [job for job in running.values() if job.id not in held_by_tasks and _silent(tx, job, began) >= SILENCE]
    return sorted(found | {job.read(Attempt).task_id for job in left})


def _concerns(tx: Tx, task: Seen, job: Job | None, began: datetime) -> bool:
    if task.status == SUSPENDED and task.reason == RATE_LIMITED:
        return task.resume_at is not None and task.resume_at <= tx.now
    if task.status == SUSPENDED and task.reason == STAGE_GATE:
        return False
    if job is None:
        return task.status == ASSIGNED and tx.now - max(task.assigned_at or began, began) >= SILENCE
    return _silent(tx, job, began) >= SILENCE or task.reason == DISCONNECTED or _unbegun(tx, task, began)


def _unbegun(tx: Tx, task: Seen | Task, began: datetime) -> bool:
    return task.status == ASSIGNED and tx.now - max(task.assigned_at or began, began) >= PREPARATION


def _silent(tx: Tx, job: Job, began: datetime) -> timedelta:
    return tx.now - max(heard(job), began)


def heard(job: Job) -> datetime:
    """When a running attempt last gave a sign of life."""
    assert job.lease_us is not None  # noqa: S101 - it runs
    return instant(job.lease_us - job.lease_seconds * 1_000_000)


def tend(tx: Tx, task_id: int, began: datetime) -> None:
    """Do to one task what its time has come for; nothing where somebody was faster."""
    task = held(tx, task_id)
    gate = gates.open_gate(tx, task)
    if gate is not None and gate.expires_at <= tx.now:
        expiring.expire(tx, task, gate)
        return
    job = look(tx, task.job_id) if task.job_id is not None else None
    if task.status not in HELD:
        if job is not None and job.state == jobs.State.RUNNING:
            _left_behind(tx, task, job, _silent(tx, job, began))
        return
    if task.status == SUSPENDED and task.suspend_reason == RATE_LIMITED:
        if task.resume_at is None or task.resume_at <= tx.now:
            finishing.resume(tx, task)
    elif task.suspend_reason == STAGE_GATE:
        return  # an open gate outlives the silence of its machine
    elif job is None or job.state != jobs.State.RUNNING:
        _never_taken(tx, task, job, began)
    elif _unbegun(tx, task, began):
        told = f"The machine {_machine(tx, task)} began no stage within {_seconds(PREPARATION)} s."
        jobs.give_up(tx, job.id, finishing.WORKER_LOST, told)
    else:
        _quiet(tx, task, job, tx.now - max(heard(job), began, _answered_at(tx, task)))


def _never_taken(tx: Tx, task: Task, job: Job | None, began: datetime) -> None:
    """A machine that does not take what it was given within half a minute loses it."""
    if task.status != ASSIGNED or tx.now - max(task.assigned_at or began, began) < SILENCE:
        return
    finishing.requeue(tx, task, f"The machine {_machine(tx, task)} did not take it within {_seconds(SILENCE)} s.")
    if job is not None and not job.ended:
        jobs.cancel(tx, job.id, "Its machine did not take it.", audited=False)


def _quiet(tx: Tx, task: Task, job: Job, quiet: timedelta) -> None:
    if quiet < SILENCE:
        if tx.now - heard(job) < SILENCE:  # a fresh window alone is no word of the machine
            reconnected(tx, task)
        return
    name = _machine(tx, task)
    if task.status == ASSIGNED:
        jobs.give_up(tx, job.id, finishing.WORKER_LOST, f"The machine {name} was silent for {_seconds(quiet)} s.")
        return
    if task.status == RUNNING:
        told = f"Nothing was heard of the machine {name} for {_seconds(quiet)} s."
        happened(tx, task, "worker_disconnected", told, level="warn")
        move(tx, task, SUSPENDED, told, reason=DISCONNECTED)
        return
    grace = _grace(tx, task)
    if quiet >= grace:
        told = f"The machine {name} did not come back within {_seconds(grace)} s."
        jobs.give_up(tx, job.id, finishing.WORKER_LOST, told)


def _left_behind(tx: Tx, task: Task, job: Job, quiet: timedelta) -> None:
    """The task has gone on or ended, and its attempt shall stop: a machine that is gone keeps nothing waiting."""
    if quiet >= _grace(tx, task):
        jobs.give_up(tx, job.id, finishing.WORKER_LOST, f"Its machine was silent for {_seconds(quiet)} s.")


def _grace(tx: Tx, task: Task) -> timedelta:
    """How long a machine may be silent before its attempt is given up."""
    return max(timedelta(seconds=task_settings.of(tx, task.organization_id)["reconnectGraceSec"]), SILENCE)


def offline(tx: Tx) -> list[int]:
    """At the start of the server: numbers of tasks with `bootReconcile` strict that run on machines that had been
    offline already. Everybody else has a fresh window.
    """
    rows = tx.execute(
        select(Task.id, Task.organization_id, Task.job_id).where(
            Task.finished_at.is_(None), Task.status.in_((RUNNING, SUSPENDED)), Task.job_id.is_not(None)
        )
    ).all()
    return [row.id for row in rows if _was_offline(tx, row.organization_id, row.job_id)]


def give_up(tx: Tx, task_id: int) -> None:
    """Give up one of those; nothing where its machine has come back meanwhile, or its task waits for no machine."""
    task = held(tx, task_id)
    if task.status not in {RUNNING, SUSPENDED} or task.suspend_reason in {STAGE_GATE, RATE_LIMITED}:
        return
    if task.job_id is not None and _was_offline(tx, task.organization_id, task.job_id):
        told = f"The machine {_machine(tx, task)} was offline when the server started."
        jobs.give_up(tx, task.job_id, finishing.WORKER_LOST, told)


def _was_offline(tx: Tx, organization_id: int, job_id: int) -> bool:
    settings = task_settings.of(tx, organization_id)
    job = look(tx, job_id) if settings["bootReconcile"] == STRICT else None
    if job is None or job.state != jobs.State.RUNNING:
        return False
    return tx.now - heard(job) >= timedelta(seconds=settings["heartbeatTimeoutSec"])


def _answered_at(tx: Tx, task: Task) -> datetime:
    """When the task was last asked something and went on: its machine has a fresh window from then on."""
    gate = gates.newest(tx, task)
    if gate is None or gate.attempt != task.attempt or gate.closed_at is None:
        return instant(0)
    return gate.closed_at


def _machine(tx: Tx, task: Task) -> str:
    worker = tx.get(Worker, task.worker_id) if task.worker_id is not None else None
    return worker.name if worker is not None else "of this attempt"


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
