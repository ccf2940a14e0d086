"""Which tasks have been over for so long that they go, and with them everything that was kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Exists, delete, exists, or_, select

from quarterdeck.fleet.terminals import rows as terminals
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.tasks.projects import activity
from quarterdeck.tasks.settings import settings as task_settings
from quarterdeck.tasks.tunnels.model import Tunnel
from quarterdeck.tasks.tunnels.states import LIVE as OPEN_TUNNELS
from quarterdeck.tasks.work.happenings import STREAM, stream
from quarterdeck.tasks.work.holding import locked
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.transitions import ENDED
from quarterdeck.tasks.workspaces.model import Workspace


def over(tx: Tx, after: int, limit: int) -> list[int]:
    """The numbers above `after` of tasks that may go, in order: those that ended `logRetentionDays` of their
    organization ago. What an open task depends on stays, what a tunnel leads into, and what has a worktree still, which
    its machine is to remove first.
    """
    found: list[int] = []
    for organization_id in sorted(tx.execute(select(Task.organization_id).distinct()).scalars()):
        needed = _needed(tx, organization_id)
        query = select(Task.id).where(
            Task.organization_id == organization_id,
            Task.finished_at < _before(tx, organization_id),
            Task.status.in_(ENDED),
            Task.id > after,
            ~_has_worktree(),
            ~exists().where(Tunnel.task_id == Task.id, Tunnel.state.in_(OPEN_TUNNELS)),
        )
        # As many more as could be left out: else those would keep the others from being found.
        ids = tx.execute(query.order_by(Task.id).limit(limit + len(needed))).scalars()
        found += [one for one in ids if one not in needed][:limit]
    return sorted(found)[:limit]


def forget(tx: Tx, task_id: int) -> list[str] | None:
    """Remove a task with its stages, gates, messages, its workspace, tunnel and all that is held against its number in
    the database. Answers as `erase` does; None where it has to stay after all: it was retried since `over` was asked,
    or a task that is open now depends on it.
    """
    task = locked(tx, task_id)
    if task is None or task.status not in ENDED or task.finished_at is None:
        return None
    job = look(tx, task.job_id) if task.job_id is not None else None
    if task.finished_at >= _before(tx, task.organization_id) or (job is not None and not job.ended):
        return None
    if task_id in _needed(tx, task.organization_id):
        return None
    activity.forgotten(tx, task.project_id)
    tx.session.expunge(task)
    tx.execute(delete(Task).where(Task.id == task_id))
    return erase(tx, task_id)


def erase(tx: Tx, task_id: int) -> list[str]:
    """Remove what is held against the number of a task that is no more: its events, except what a subscriber has not
    seen yet, and its terminals. Answers the uids of the terminals, whose recordings are to go next.
    """
    gone = terminals.forget(tx, [stream(task_id)])
    events.erase(tx, stream(task_id))
    return gone


def carrying(tx: Tx, after: str, limit: int) -> list[str]:
    """Names above `after`, in order, of streams of tasks that hold events and of those that have terminals."""
    query = """
        SELECT stream FROM event_streams WHERE stream LIKE :named AND stream > :after AND head > watermark
        UNION SELECT subject FROM fleet_terminals WHERE subject LIKE :named AND subject > :after
        ORDER BY 1 LIMIT :limit
    """
    return list(tx.execute(query, {"named": f"{STREAM}%", "after": after, "limit": limit}).scalars())


def orphaned(tx: Tx, streams: Sequence[str]) -> list[int]:
    """The numbers of those streams whose task is no more."""
    numbers = {int(one.removeprefix(STREAM)) for one in streams if one.removeprefix(STREAM).isdecimal()}
    return sorted(numbers - set(tx.execute(select(Task.id).where(Task.id.in_(numbers))).scalars()))


def _needed(tx: Tx, organization_id: int) -> set[int]:
    """The numbers of tasks that open ones depend on."""
    open_ = select(Task.depends_on).where(Task.organization_id == organization_id, Task.finished_at.is_(None))
    return {int(one) for listed in tx.execute(open_).scalars() for one in listed}


def _before(tx: Tx, organization_id: int) -> datetime:
    days = max(int(task_settings.of(tx, organization_id)["logRetentionDays"]), 1)
    return tx.now - timedelta(days=days)


def _has_worktree() -> Exists:
    """On a machine that is in service; the server's own has no row."""
    in_service = exists().where(Worker.id == Workspace.worker_id, Worker.revoked_at.is_(None))
    served = or_(Workspace.worker_id.is_(None), in_service)
    return exists().where(Workspace.task_id == Task.id, Workspace.removed_at.is_(None), served)
