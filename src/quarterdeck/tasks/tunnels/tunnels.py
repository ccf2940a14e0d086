"""Tunnels into the worktrees of tasks: started and stopped by people, and as their workers report them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.tasks.orders import RUN, TunnelReport
from quarterdeck.tasks.tunnels import places
from quarterdeck.tasks.tunnels.actions import TunnelAction
from quarterdeck.tasks.tunnels.adapters import KINDS
from quarterdeck.tasks.tunnels.model import Tunnel
from quarterdeck.tasks.tunnels.orders import TOLD, TUNNEL, Told, TunnelOrder
from quarterdeck.tasks.tunnels.states import LIVE, State
from quarterdeck.tasks.tunnels.transitions import move
from quarterdeck.tasks.work.happenings import tell
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import keeping
from quarterdeck.tasks.workspaces.model import Workspace
from quarterdeck.tasks.workspaces.naming import names, setting

SPARE = timedelta(minutes=20)
"""How long after its time a tunnel counts as lost: somebody may still be entering a code."""


def shown(tx: Tx, task: Task) -> Tunnel | None:
    """None: there never was one."""
    return tx.get(Tunnel, task.id)


def start(tx: Tx, task: Task, kind: str = KINDS[0]) -> Tunnel:
    """Have the task's worker start a tunnel: its running attempt is told, else it gets a job of its own. Raises
    `Conflict` (`tunnel_active`, `workspace_missing`, `machine_offline`, `too_many_tunnels`).
    """
    tx.lock(f"task-tunnel:{task.id}")
    row = keeping.kept(tx, task)
    if row is None:
        raise Conflict(
            f"Task {task.id} has no workspace.",
            code="workspace_missing",
            hint="Wait until its machine has made one; after the end of a task it is kept for a while only.",
        )
    tunnel = tx.get(Tunnel, task.id)
    if tunnel is not None and tunnel.state in LIVE:
        raise Conflict(
            f"The tunnel of task {task.id} is {tunnel.state}.",
            code="tunnel_active",
            hint="Use it, or stop it first.",
        )
    places.require_there(tx, row.worker_id)
    attempted = _attempted(tx, task)
    if not attempted:
        places.take(tx, task.organization_id, row.worker_id)
    if tunnel is None:
        tunnel = tx.add(Tunnel(task_id=task.id, state="IDLE", kind=kind, updated_at=tx.now))
    hours = int(setting(tx, task.organization_id, "tunnelTtlHours"))
    tunnel.kind, tunnel.name = kind, f"task-{task.id}"
    tunnel.url = tunnel.auth_prompt = tunnel.error = None
    tunnel.started_at, tunnel.expires_at = tx.now, tx.now + timedelta(hours=hours)
    move(tx, task, tunnel, "STARTING")
    _note(tx, task, TunnelAction.STARTED, tunnel)
    if attempted:
        tell(tx, task, TOLD, Told(action="start", order=order(tx, task, row, tunnel)))
        return tunnel
    jobs.enqueue(
        tx,
        jobs.Enqueue(
            TUNNEL,
            {"task": task.id},
            task.organization_id,
            subject=_subject(task),
            worker_id=row.worker_id,
            capabilities=frozenset({jobs.SERVER}) if row.worker_id is None else frozenset(),
        ),
    )
    return tunnel


def stop(tx: Tx, task: Task) -> Tunnel:
    """Have the tunnel closed. Raises `Conflict` (`tunnel_not_active`)."""
    tx.lock(f"task-tunnel:{task.id}")
    tunnel = tx.get(Tunnel, task.id)
    if tunnel is None or tunnel.state not in LIVE or tunnel.state == "CLOSING":
        raise Conflict(
            f"Task {task.id} has no tunnel that could be stopped.",
            code="tunnel_not_active",
            hint="Look at its state.",
        )
    move(tx, task, tunnel, "CLOSING")
    _note(tx, task, TunnelAction.STOPPED, tunnel)
    carried = jobs.find(tx, subject=_subject(task), kind=TUNNEL)
    if carried is not None and not carried.ended:
        jobs.cancel(tx, carried.id, "the tunnel was stopped", audited=False)  # one that waits ends at once
        tx.session.refresh(tunnel)
    elif _attempted(tx, task):
        tell(tx, task, TOLD, Told(action="stop"))
    else:
        _over(tx, task, tunnel, "CLOSED")
    return tunnel


def reported(tx: Tx, task: Task, report: TunnelReport) -> None:
    """What the worker says; a report that comes too late changes nothing."""
    tunnel = tx.get(Tunnel, task.id)
    if tunnel is None or tunnel.state not in LIVE or report.state not in (*LIVE, "EXPIRED", "CLOSED", "FAILED"):
        return
    state: State = report.state
    if tunnel.state == "CLOSING" and state in {"STARTING", "CONNECTED"}:
        return  # said before it heard that it is to close
    tunnel.error = report.error
    if state in LIVE:
        tunnel.auth_prompt = report.auth_prompt
        tunnel.url = report.url
        tunnel.name = report.name or tunnel.name
        move(tx, task, tunnel, state)
    else:
        _over(tx, task, tunnel, state)


def wanted(tx: Tx, task: Task) -> Told | None:
    """What the running attempt has to be told of the tunnel, for when it asks: it may not have heard it."""
    tunnel, row = tx.get(Tunnel, task.id), keeping.kept(tx, task)
    if tunnel is None or row is None or not _attempted(tx, task):
        return None
    if tunnel.state == "CLOSING":
        return Told(action="stop")
    unheard = tunnel.state == "STARTING" and tunnel.updated_at == tunnel.started_at
    return Told(action="start", order=order(tx, task, row, tunnel)) if unheard else None


def ended(tx: Tx, task: Task) -> None:
    """The attempt is over, and with it the tunnel that it carried; one with a job of its own goes on."""
    tx.lock(f"task-tunnel:{task.id}")
    tunnel = tx.get(Tunnel, task.id)
    carried = jobs.find(tx, subject=_subject(task), kind=TUNNEL)
    if tunnel is not None and tunnel.state in LIVE and (carried is None or carried.ended):
        _over(tx, task, tunnel, "CLOSED")


def lost(tx: Tx) -> int:
    """End tunnels that nobody tells of any more: so long after their time, or when they were asked of an attempt that
    never heard of it. Answers how many.
    """
    query = select(Tunnel, Task).join(Task, Task.id == Tunnel.task_id).where(Tunnel.state.in_(LIVE))
    count = 0
    for tunnel, task in [(row[0], row[1]) for row in tx.session.execute(query)]:
        began = tunnel.expires_at is not None and tx.now > tunnel.expires_at + SPARE
        silent = tunnel.state != "CONNECTED" and tunnel.updated_at < tx.now - SPARE
        carried = jobs.find(tx, subject=_subject(task), kind=TUNNEL)
        waits = carried is not None and not carried.ended
        if not began and (not silent or waits):
            continue
        tunnel.error = None if tunnel.state == "CLOSING" or began else "Its machine was not heard of in time."
        _over(tx, task, tunnel, "EXPIRED" if began else "CLOSED" if tunnel.state == "CLOSING" else "FAILED")
        count += 1
    return count


def unbegun(tx: Tx) -> list[int]:
    """Tasks whose machine has not begun their tunnel within its time to start."""
    query = select(Tunnel, Task).join(Task, Task.id == Tunnel.task_id).where(Tunnel.state == "STARTING")
    found = [(row[0], row[1]) for row in tx.session.execute(query)]
    return [task.id for tunnel, task in found if _unbegun(tx, task, tunnel) is not None]


def not_begun(tx: Tx, task_id: int) -> bool:
    """End a tunnel that is still one of `unbegun`. Answers whether it was."""
    tx.lock(f"task-tunnel:{task_id}")
    task, tunnel = tx.get(Task, task_id), tx.get(Tunnel, task_id)
    job = None if task is None or tunnel is None else _unbegun(tx, task, tunnel)
    if task is None or tunnel is None or job is None:
        return False
    seconds = int(setting(tx, task.organization_id, "tunnelStartTimeoutSec"))
    tunnel.error = (
        f"Its machine did not begin within {seconds} seconds: it is away, or busy with other tunnels. "
        "Start it again once the machine is back, or stop another tunnel there."
    )
    _over(tx, task, tunnel, "FAILED")
    jobs.cancel(tx, job.id, "the tunnel did not start in time", audited=False)
    return True


def _unbegun(tx: Tx, task: Task, tunnel: Tunnel) -> jobs.Job | None:
    """The job that no machine has begun in time."""
    within = timedelta(seconds=int(setting(tx, task.organization_id, "tunnelStartTimeoutSec")))
    if tunnel.state != "STARTING" or tunnel.started_at is None or tx.now - tunnel.started_at <= within:
        return None
    job = jobs.find(tx, subject=_subject(task), kind=TUNNEL)
    return job if job is not None and places.waits(job) else None


def order(tx: Tx, task: Task, row: Workspace, tunnel: Tunnel) -> TunnelOrder:
    """What the worker needs; its time counts from now."""
    organization, key = names(tx, task)
    left = (tunnel.expires_at - tx.now).total_seconds() if tunnel.expires_at is not None else 0.0
    return TunnelOrder(
        task_id=task.id,
        kind=tunnel.kind,
        path=row.path,
        organization=organization,
        project_key=key,
        name=tunnel.name or f"task-{task.id}",
        start_seconds=int(setting(tx, task.organization_id, "tunnelStartTimeoutSec")),
        life_seconds=max(1, int(left)),
    )


def _over(tx: Tx, task: Task, tunnel: Tunnel, state: State) -> None:
    """An end: nobody gets in any more, and no code is entered."""
    tunnel.url = tunnel.auth_prompt = None
    move(tx, task, tunnel, state)


def _attempted(tx: Tx, task: Task) -> bool:
    """Whether an attempt runs, which carries the tunnel beside its work."""
    job = None if task.job_id is None else look(tx, task.job_id)
    return job is not None and job.kind == RUN and job.state == jobs.State.RUNNING


def _note(tx: Tx, task: Task, action: TunnelAction, tunnel: Tunnel) -> None:
    audit.record(
        tx,
        action,
        resource_type="task",
        resource_id=str(task.id),
        organization_id=task.organization_id,
        detail={"kind": tunnel.kind},
    )


def _subject(task: Task) -> str:
    return f"task-tunnel:{task.id}"
