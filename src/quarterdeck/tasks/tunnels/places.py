"""Whether a machine can take a tunnel now: it has to be there, and tunnels leave room for clearing up."""

from __future__ import annotations

from quarterdeck.fleet.workers import standing
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.jobs.finding import Filter, list_jobs
from quarterdeck.kernel.jobs.transitions import LIVE
from quarterdeck.tasks.settings.thresholds import heartbeat_timeout
from quarterdeck.tasks.tunnels.orders import TUNNEL

MOST = 6
"""Tunnels with a job of their own on one machine: of its 8 places beside work, 2 stay for what clears up."""


def require_there(tx: Tx, worker_id: int | None) -> None:
    """Raises `Conflict` (`machine_offline`). None is the server's own worker, which is always there."""
    worker = None if worker_id is None else tx.get(Worker, worker_id)
    if worker is None:
        return
    status = standing.status(worker, tx.now, heartbeat_timeout(tx, worker.organization_id))
    if status in {"offline", "decommissioned"}:
        raise Conflict(
            f"{worker.name}, which has the workspace, is {status}.",
            code="machine_offline",
            hint="Start the tunnel once it is back." if status == "offline" else "Retry the task to have another one.",
        )


def take(tx: Tx, organization_id: int, worker_id: int | None) -> None:
    """To be asked in the unit that enqueues the job. Raises `Conflict` (`too_many_tunnels`)."""
    tx.lock(f"tunnels-of-machine:{worker_id}")
    live = list_jobs(tx, Filter(organization_id=organization_id, kind=TUNNEL, states=tuple(LIVE), limit=10_000))
    if sum(one.worker_id == worker_id for one in live) >= MOST:
        raise Conflict(
            f"The machine that has the workspace carries {MOST} tunnels already.",
            code="too_many_tunnels",
            hint="Stop one of them, or wait until one ends.",
        )


def waits(job: jobs.Job) -> bool:
    """Whether its machine has not begun it."""
    return not job.ended and job.state != jobs.State.RUNNING
