"""The job that carries the tunnel of a task without a running attempt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from quarterdeck.kernel import jobs, retention
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.tasks.orders import TunnelReport
from quarterdeck.tasks.tunnels import tunnels
from quarterdeck.tasks.tunnels.orders import TOLD, TUNNEL, TunnelOrder
from quarterdeck.tasks.work.hearing import heard, said
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import keeping

EVERY = 300


def _task(tx: Tx, job: jobs.Job) -> Task | None:
    return tx.get(Task, job.read(dict[str, int])["task"])


def _assign(tx: Tx, job: jobs.Job) -> TunnelOrder:
    task = _task(tx, job)
    row = None if task is None else keeping.kept(tx, task)
    tunnel = None if task is None else tunnels.shown(tx, task)
    if task is None or row is None or tunnel is None:
        raise Conflict(
            "The workspace that the tunnel leads into is gone.",
            code="workspace_missing",
            hint="Retry the task to have another one.",
        )
    return tunnels.order(tx, task, row, tunnel)


def _record(tx: Tx, job: jobs.Job, kind: str, data: Any) -> None:
    task = _task(tx, job)
    if kind == TOLD and task is not None:
        tunnels.reported(tx, task, heard(tx, task, data, TunnelReport))


def _finish(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
    task = _task(tx, job)
    if task is None:
        return
    state = "CLOSED" if outcome.state != "failed" else "FAILED"
    if outcome.state == "succeeded":
        state = msgspec.json.decode(outcome.result or "{}").get("state", state)
    tunnel = tunnels.shown(tx, task)
    kind = "" if tunnel is None else tunnel.kind
    tunnels.reported(tx, task, TunnelReport(state=state, kind=kind, error=_error(tx, task, tunnel, outcome)))


def _error(tx: Tx, task: Task, tunnel: Any, outcome: jobs.Outcome) -> str | None:
    """What the worker had said stays, where the end of the job says nothing."""
    if outcome.state == "failed":
        return None if outcome.error_message is None else str(said(tx, task, outcome.error_message))
    return None if tunnel is None else tunnel.error


def _about(_tx: Tx, some: Sequence[jobs.Job]) -> dict[int, jobs.About]:
    return {job.id: jobs.About("tunnels.carry", details={"task": job.read(dict[str, int])["task"]}) for job in some}


jobs.kinds.register(
    jobs.JobKind(
        TUNNEL,
        assign=_assign,
        record=_record,
        finish=_finish,
        lost="failed",
        lane="housekeeping",  # it stays for hours, and is no work: it takes no place from tasks
        lease_seconds=60,
        work=jobs.Work("system", "Carry a tunnel", _about),
    )
)


async def _prune(instance: Any, _before: datetime) -> int:
    return int(await instance.db.write(tunnels.lost))


retention.register(
    retention.Category(
        "task-tunnels", "Tunnels into workspaces that nobody tells of any more", timedelta(0), _prune, every=EVERY
    )
)
