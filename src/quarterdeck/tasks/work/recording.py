"""What a running attempt says, each report in one unit with what follows from it (`tasks.orders`, ADR 0037).

The ledger lets nobody in but the holder of the attempt's job, and each report once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.jobs import Unkept
from quarterdeck.kernel.jobs.job import Job
from quarterdeck.tasks import orders
from quarterdeck.tasks.orders import CHECK
from quarterdeck.tasks.tunnels import tunnels
from quarterdeck.tasks.tunnels.orders import TOLD as TUNNEL_TOLD
from quarterdeck.tasks.tunnels.orders import Told
from quarterdeck.tasks.work import gates, messages, ordering, stages, usage
from quarterdeck.tasks.work.happenings import happened
from quarterdeck.tasks.work.hearing import heard, read, said
from quarterdeck.tasks.work.holding import locked
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.payload import Attempt
from quarterdeck.tasks.work.transitions import ASSIGNED, DISCONNECTED, HELD, RUNNING, STAGE_GATE, SUSPENDED, move
from quarterdeck.tasks.workspaces import diffs, keeping

RATE_LIMITED = "rate_limited"
LONGEST_VERSION = 100
LONGEST_PAUSE = timedelta(days=8)
"""The longest that a usage limit may say it lasts."""


def record(tx: Tx, job: Job, kind: str, data: Any) -> Any:
    """Keep one report and answer it. Raises `Conflict` (`task_ended`) when the task has ended meanwhile, and `Invalid`
    for a report that is none.
    """
    report = REPORTS.get(kind)
    if report is None:
        raise Invalid(f"There is no report of the kind {kind[:40]}.", code="report_unknown")
    task = locked(tx, job.read(Attempt).task_id)
    if task is None or task.job_id != job.id:
        raise Conflict("This attempt is none of its task any more.", code="task_ended")
    if task.status not in HELD:
        raise Conflict(f"Task #{task.id} is {task.status}.", code="task_ended")
    reconnected(tx, task)
    reply = report(tx, task, job, data)
    committing(tx, f"task.record.{kind}")
    return reply


def reconnected(tx: Tx, task: Task) -> None:
    """A word of a machine that was thought to be away: its task runs again."""
    if task.status == SUSPENDED and task.suspend_reason == DISCONNECTED:
        told = "The machine is connected again."
        happened(tx, task, "worker_reconnected", told)
        move(tx, task, RUNNING, told)


def _workspace(tx: Tx, task: Task, job: Job, data: Any) -> None:
    told = read(data, orders.WorkspaceReport)
    keeping.made(tx, task, job.worker_id, told)
    task.branch, task.base_branch = told.branch, told.base_branch


def _stage(tx: Tx, task: Task, _job: Job, data: Any) -> None:
    told = heard(tx, task, data, orders.StageReport)
    if task.suspend_reason == STAGE_GATE:
        gates.left(tx, task, told)
    if told.status == "running" and task.status == ASSIGNED:
        move(tx, task, RUNNING, f"Task #{task.id} runs.")
    stages.report(tx, task, told)


def _gate(tx: Tx, task: Task, _job: Job, data: Any) -> orders.GateAnswer:
    return gates.ask(tx, task, heard(tx, task, data, orders.GateReport))


def _gate_check(tx: Tx, task: Task, _job: Job, data: Any) -> orders.GateAnswer:
    return gates.check(tx, task, heard(tx, task, data, orders.GateReport))


def _agent(tx: Tx, task: Task, _job: Job, data: Any) -> None:
    told = read(data, orders.AgentReport)
    if told.session is not None and not orders.is_session(told.session):
        raise Invalid("That is no session of an agent program.", code="report_invalid", field="session")
    if told.session is not None and told.type == task.agent_type:  # a stage may have another one
        task.agent_session = told.session
    program = " ".join(said(tx, task, one, LONGEST_VERSION) for one in (told.type, told.version) if one)
    happened(tx, task, "log", f"The agent {program} runs.", pid=told.pid)


def _usage(tx: Tx, task: Task, job: Job, data: Any) -> orders.UsageAnswer:
    return usage.told(tx, task, job.read(Attempt).number, read(data, orders.UsageReport))


class _After(Struct):
    after: orders.Bytes = 0
    last: bool = False


def _messages(tx: Tx, task: Task, job: Job, data: Any) -> orders.MessagesAnswer:
    heard = job.created_at if job.read(Attempt).session is not None else None
    told = read(data or {}, _After)
    return messages.asked(tx, task, told.after, heard, last=told.last)


def _deliver(tx: Tx, task: Task, _job: Job, data: Any) -> None:
    told = read(data, orders.DeliverReport)
    messages.close(tx, task)
    happened(tx, task, "log", f"The branch {told.branch} may be pushed at {told.commit[:12]}.", commit=told.commit)


def _delivered(tx: Tx, task: Task, _job: Job, data: Any) -> None:
    told = read(data, orders.DeliveredReport)
    task.branch, task.commit_sha = told.branch, told.commit
    keeping.delivered(tx, task, told)
    changed = f"{told.files_changed} files, +{told.insertions} -{told.deletions}"
    if told.pushed:
        happened(tx, task, "git_push", f"The branch {told.branch} is pushed ({changed}).", commit=told.commit)
    else:
        happened(tx, task, "log", f"Nothing new is on the branch {told.branch}: it was not pushed.", commit=told.commit)
    if told.merge_request_url is not None:
        task.merge_request_url = told.merge_request_url
        happened(tx, task, "mr_created", f"The merge request is {told.merge_request_url}", url=told.merge_request_url)


def _diff(tx: Tx, task: Task, _job: Job, data: Any) -> None:
    diffs.told(tx, task, read(data, orders.DiffReport), ordering.secrets_of(tx, task))


def _tunnel(tx: Tx, task: Task, _job: Job, data: Any) -> None:
    tunnels.reported(tx, task, heard(tx, task, data, orders.TunnelReport))


def _tunnel_check(tx: Tx, task: Task, _job: Job, _data: Any) -> Told | None:
    return tunnels.wanted(tx, task)


def _terminal(tx: Tx, task: Task, job: Job, _data: Any) -> Unkept:
    """A token for the terminal of this attempt, which its worker dials again."""
    return Unkept(ordering.terminal_token(tx, task, job))


def _note(tx: Tx, task: Task, _job: Job, data: Any) -> None:
    told = heard(tx, task, data, orders.NoteReport)
    if RATE_LIMITED in (told.type, told.data.get("code")):
        task.resume_at = _limit_ends(tx, told.data)
    # What it tells beside the event may not speak for the server's own fields.
    own = {"level", "message", "stageIndex", "stageName", "actor", "projectId"}
    more = {name: value for name, value in told.data.items() if name not in own}
    kind = told.type if told.type in orders.NOTES else "log"
    happened(tx, task, kind, told.message, level=told.level, stage=told.stage, detail=more or None)


def _limit_ends(tx: Tx, data: Mapping[str, Any]) -> datetime | None:
    """When a usage limit ends, as its agent says: a time or in so many seconds, within what such limits last."""
    seconds = data.get("retryAfterSeconds")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        return tx.now + timedelta(seconds=min(max(float(seconds), 0.0), LONGEST_PAUSE.total_seconds()))
    try:
        found = datetime.fromisoformat(data.get("resumeAt", ""))
    except (TypeError, ValueError):
        return None
    moment = (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
    return min(max(moment, tx.now), tx.now + LONGEST_PAUSE)


Report = Callable[[Tx, Task, Job, Any], Any]
REPORTS: dict[str, Report] = {
    orders.TERMINAL: _terminal,
    "workspace": _workspace,
    "stage": _stage,
    "gate": _gate,
    "gate-check": _gate_check,
    "agent": _agent,
    "usage": _usage,
    "messages": _messages,
    "deliver": _deliver,
    "delivered": _delivered,
    "diff": _diff,
    TUNNEL_TOLD: _tunnel,
    f"{TUNNEL_TOLD}{CHECK}": _tunnel_check,
    "note": _note,
}
