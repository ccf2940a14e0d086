"""What the end of an attempt means for its task."""

from __future__ import annotations

import msgspec

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.jobs.job import Job, Outcome
from quarterdeck.kernel.jobs.recovery import WORKER_LOST as JOB_LOST
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.tasks import orders
from quarterdeck.tasks.settings import settings as task_settings
from quarterdeck.tasks.tunnels import tunnels
from quarterdeck.tasks.work import acting, gates, health, stages
from quarterdeck.tasks.work.happenings import happened
from quarterdeck.tasks.work.hearing import read, said
from quarterdeck.tasks.work.holding import locked
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.payload import Attempt
from quarterdeck.tasks.work.transitions import (
    ASSIGNED,
    CANCELLED,
    COMPLETED,
    FAILED,
    HELD,
    QUEUED,
    RATE_LIMITED,
    RUNNING,
    SUSPENDED,
    WAKE,
    move,
)

JOB_RETURNED = "job_returned"
DECOMMISSIONED = "machine_decommissioned"
"""The code by which `jobs.give_up` ends the attempts of a machine that is decommissioned (contract: tasks §1.8)."""
WORKER_LOST, REJECTED, CANCELLED_BY_PERSON = "worker_lost", "rejected", "cancelled"
AGENT_FAILED = "agent_exited"
MACHINE_GONE = "Its machine was decommissioned."
AGAIN = "It waits for a machine again."
LONGEST_PAUSE = 3600.0
LONGEST_CODE = 80


def finish(tx: Tx, job: Job, outcome: Outcome) -> None:
    """The newest attempt of a task has ended, and its tunnel with it. It means something for a task that lives; any
    other attempt means nothing any more.
    """
    tx.publish(WAKE)  # its machine has a place
    task = locked(tx, job.read(Attempt).task_id)
    if task is None or task.job_id != job.id:
        return
    tunnels.ended(tx, task)
    if task.status not in HELD or task.suspend_reason == RATE_LIMITED:
        return
    health.note(tx, task, outcome)
    if outcome.state == "succeeded":
        _completed(tx, task, outcome)
    elif outcome.state == "canceled" or outcome.error_code in {REJECTED, CANCELLED_BY_PERSON}:
        _cancelled(tx, task, outcome)
    elif outcome.error_code in {JOB_LOST, JOB_RETURNED, WORKER_LOST} and task.status == ASSIGNED:
        requeue(tx, task, f"The machine did not begin: {_told(tx, task, outcome)}")
    elif outcome.error_code == DECOMMISSIONED and task.status != RUNNING:
        _leave_machine(tx, task)
    elif outcome.error_code == RATE_LIMITED:
        _pause(tx, task, outcome)
    else:
        fail(tx, task, _code(tx, task, outcome), _told(tx, task, outcome))


def late(tx: Tx, job: Job, outcome: Outcome) -> None:
    """An attempt that was given up for silence tells its end: one that had succeeded is restored (contract §4.5)."""
    task = locked(tx, job.read(Attempt).task_id)
    if task is None or task.job_id != job.id or outcome.state != "succeeded":
        return
    if task.status == FAILED and task.error_code == WORKER_LOST:
        told = "The machine came back and had completed the task."
        happened(tx, task, "worker_reconnected", told)
        stages.restored(tx, task, task.error_message or "")
        _completed(tx, task, outcome, told)


def requeue(tx: Tx, task: Task, told: str) -> None:
    """Back into the queue, as the attempt that it was: nothing of it has begun. The move says why."""
    move(tx, task, QUEUED, told)
    happened(tx, task, "requeued", AGAIN, level="warn")


def fail(tx: Tx, task: Task, code: str, told: str) -> None:
    gates.close_open(tx, task)
    stages.end_open(tx, task, "failed", told)
    move(tx, task, FAILED, told, code=code)
    happened(tx, task, "error", told, level="error", stage=task.current_stage, errorCode=code)


def _completed(tx: Tx, task: Task, outcome: Outcome, told: str | None = None) -> None:
    result = _result(outcome)
    if result is not None:
        task.branch = result.branch
        task.commit_sha = result.commit or task.commit_sha
        task.merge_request_url = result.merge_request_url or task.merge_request_url
    gates.close_open(tx, task)
    if task.status == ASSIGNED:
        move(tx, task, RUNNING, f"Task #{task.id} runs.")
    move(tx, task, COMPLETED, told or f"Task #{task.id} is completed.")


def _cancelled(tx: Tx, task: Task, outcome: Outcome) -> None:
    code = REJECTED if outcome.error_code == REJECTED else CANCELLED_BY_PERSON
    told = _told(tx, task, outcome)
    gates.close_open(tx, task)
    stages.end_open(tx, task, "cancelled", told)
    move(tx, task, CANCELLED, told, code=code)


def _leave_machine(tx: Tx, task: Task) -> None:
    """Its machine is no more: what had not begun is the same attempt still, what waited begins once more elsewhere."""
    told = MACHINE_GONE
    if task.status == ASSIGNED:
        requeue(tx, task, told)
        return
    gates.close_open(tx, task)
    acting.again(tx, task, 0, told)
    happened(tx, task, "requeued", AGAIN, level="warn")


def _pause(tx: Tx, task: Task, outcome: Outcome) -> None:
    """The agent has used up what its provider grants: go on when that ends, as the agent said, or after a while that
    becomes longer with each attempt.
    """
    gates.close_open(tx, task)
    stages.end_open(tx, task, "failed", _told(tx, task, outcome))
    if task.status == ASSIGNED:
        move(tx, task, RUNNING, f"Task #{task.id} runs.")
    until = task.resume_at
    if until is not None:
        seconds = max((until - tx.now).total_seconds(), 0.0)
    else:
        first = float(task_settings.of(tx, task.organization_id)["degradeRecoverSec"]["rate_limit"])
        seconds = min(first * 2 ** min(task.attempt - 1, 10), LONGEST_PAUSE)
    if task.status == SUSPENDED:
        move(tx, task, RUNNING, "The machine told why it stopped.")
    told = f"The usage limit of {task.agent_type} is reached; it goes on by itself."
    move(tx, task, SUSPENDED, told, reason=RATE_LIMITED, seconds=seconds)


def resume(tx: Tx, task: Task) -> None:
    """The pause of a task is over: queue it from the stage at which it stopped."""
    acting.again(tx, task, task.current_stage or task.from_stage, "The pause is over; it goes on where it stopped.")
    happened(tx, task, "requeued", AGAIN)


def _result(outcome: Outcome) -> orders.TaskResult | None:
    try:
        told = msgspec.json.decode(outcome.result or "null")
        return None if told is None else read(told, orders.TaskResult)
    except (Invalid, *UNREADABLE):
        return None


def _told(tx: Tx, task: Task, outcome: Outcome) -> str:
    return str(said(tx, task, outcome.error_message or outcome.error_code or "It gave no reason."))


def _code(tx: Tx, task: Task, outcome: Outcome) -> str:
    """A word of contract §3.3: what only the ledger says is told as the loss of the machine or of the agent."""
    if outcome.error_code in {JOB_LOST, JOB_RETURNED, DECOMMISSIONED}:
        return WORKER_LOST
    return str(said(tx, task, outcome.error_code or AGENT_FAILED, LONGEST_CODE))
