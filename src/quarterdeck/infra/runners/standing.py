"""How a runner stands, and what it may be given."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.errors import Conflict

INFRA, ELSEWHERE, DRIFT = "infra", "infra:elsewhere", "infra:drift"
CAPABILITIES = frozenset({INFRA, ELSEWHERE, DRIFT})
"""What every runner has that is not the server's own."""
SILENT = timedelta(seconds=60)
"""Without a sign of life for longer, a runner is offline (contract: infra §4.5)."""
Status = Literal["ONLINE", "OFFLINE", "DRAINING"]
Mode = Literal["self-hosted", "cloud-hosted"]
SELF_HOSTED: Mode = "self-hosted"
CLOUD_HOSTED: Mode = "cloud-hosted"


def status(worker: Worker, now: datetime) -> Status:
    """Derived where it is asked for: nobody has to sweep. A drained runner that is silent is offline, and one that went
    by itself is so at once.
    """
    if worker.left_at is not None or worker.last_seen_at is None or now - worker.last_seen_at > SILENT:
        return "OFFLINE"
    return "DRAINING" if worker.drain_requested_at is not None else "ONLINE"


def takes_jobs(worker: Worker) -> bool:
    """Whether it offered to take infrastructure jobs when last it came; one that has never come may yet."""
    return worker.first_seen_at is None or not {INFRA, DRIFT}.isdisjoint(worker.offered)


def looks_only(worker: Worker) -> bool:
    """Whether it takes looks for drift and no other infrastructure job: it was enrolled for those alone, or offered
    nothing else when last it came.
    """
    if INFRA not in worker.capabilities:
        return DRIFT in worker.capabilities
    return worker.first_seen_at is not None and DRIFT in worker.offered and INFRA not in worker.offered


def require_takes_jobs(worker: Worker, *, look: bool) -> None:
    """Raise `Conflict` (`runner_takes_no_jobs`) for one that a job would wait for in vain. `look`: it is for drift."""
    if takes_jobs(worker) and looks_only(worker) and not look:
        raise Conflict(
            f"{worker.name} takes looks for drift alone.",
            code="runner_takes_no_jobs",
            hint="Start it again with --capability infra and a token for that, or choose another runner.",
        )
    if not takes_jobs(worker):
        raise Conflict(
            f"{worker.name} does not take infrastructure jobs.",
            code="runner_takes_no_jobs",
            hint="Start it again with --capability infra, or choose another runner.",
        )


def owner(worker: Worker) -> str:
    """As whom the ledger knows a foreign runner."""
    return f"runner:{worker.uid}"
