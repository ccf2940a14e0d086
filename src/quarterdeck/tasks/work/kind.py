"""The kind of job that an attempt at a task is, and what operator work shows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from sqlalchemy import func, select

from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.jobs import JobKind
from quarterdeck.kernel.jobs.job import Job, Outcome
from quarterdeck.kernel.jobs.work import About, Work
from quarterdeck.kernel.logs import Logs
from quarterdeck.tasks.orders import RUN, TaskOrder
from quarterdeck.tasks.work.finishing import finish, late
from quarterdeck.tasks.work.happenings import stream
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.ordering import order
from quarterdeck.tasks.work.payload import Attempt
from quarterdeck.tasks.work.recording import record
from quarterdeck.tasks.work.transitions import ENDED, HELD, RATE_LIMITED

CAPABILITY = "tasks"
LEASE_SECONDS = 4 * 3600
"""How long an attempt outlives its last sign of life at most; `silence` gives it up long before (ADR 0037)."""


def kind(logs: Logs) -> JobKind:
    return JobKind(
        RUN,
        payload=Attempt,
        assign=partial(_assign, logs),
        record=record,
        finish=partial(_finish, logs),
        late=partial(_late, logs),
        unsettled=unsettled,
        lost="failed",
        lease_seconds=LEASE_SECONDS,
        capabilities=frozenset({CAPABILITY}),
        work=Work(title="Run an agent task", describe=describe, again=again),
    )


def _assign(logs: Logs, tx: Tx, job: Job) -> TaskOrder:
    """The order; what of it is secret is masked in the task's lines from now on."""
    made = order(tx, job)
    committing(tx, "task.claim")
    hidden = [made.repository.token, *made.environment.values()]
    logs.mask(stream(made.task_id), [one for one in hidden if one])
    return made


def _finish(logs: Logs, tx: Tx, job: Job, outcome: Outcome) -> None:
    finish(tx, job, outcome)
    committing(tx, "task.finish")
    _close(logs, tx, job)


def _late(logs: Logs, tx: Tx, job: Job, outcome: Outcome) -> None:
    late(tx, job, outcome)
    committing(tx, "task.late")
    _close(logs, tx, job)


def _close(logs: Logs, tx: Tx, job: Job) -> None:
    """The lines are complete once a worker has told the end of the newest attempt: one that was given up may still
    write some, in which its secrets stay hidden.
    """
    task = tx.get(Task, job.read(Attempt).task_id)
    if task is not None and task.job_id == job.id and task.status in ENDED and job.closed_by is None:
        name = stream(task.id)

        def complete() -> None:
            logs.close_later(name)

        tx.after_commit(complete)


def unsettled(tx: Tx) -> list[int]:
    """The jobs of all tasks that live, for the reconciler."""
    paused = func.coalesce(Task.suspend_reason, "") == RATE_LIMITED  # its attempt has ended, as it should
    query = select(Task.job_id).where(
        Task.finished_at.is_(None), Task.status.in_(HELD), Task.job_id.is_not(None), ~paused
    )
    return [job_id for job_id in tx.execute(query).scalars() if job_id is not None]


def describe(_tx: Tx, some: Sequence[Job]) -> Mapping[int, About]:
    return {
        job.id: About(jobs.kinds.title(job.kind), details={"taskId": attempt.task_id, "attempt": attempt.number})
        for job in some
        for attempt in [job.read(Attempt)]
    }


def again(_tx: Tx, job: Job) -> Job:
    """An attempt begins in the queue of its task alone, with what is checked there: the same job once more would belong
    to no task. Raises `Conflict` (`task_retried_as_a_whole`).
    """
    task_id = job.read(Attempt).task_id
    raise Conflict(
        f"It is an attempt at task #{task_id}, and the next one is made by the task.",
        code="task_retried_as_a_whole",
        hint=f"Retry the task, as with: qd task retry {task_id}",
    )
