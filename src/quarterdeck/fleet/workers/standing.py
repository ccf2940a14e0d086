"""What the facts of a worker come to, by the thresholds that its organization has set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from quarterdeck.fleet.workers.description import MOST_SLOTS
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx

Status = Literal["online", "offline", "draining", "decommissioned"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Seconds and percentages (contract: tasks §7.6). `degrade_recover` has a time for each class of failure; a class
    that it does not name lasts until the worker starts again.
    """

    heartbeat_interval: float = 30
    heartbeat_timeout: float = 180
    disk_drain: float = 90
    degrade_after: int = 3
    degrade_recover: Mapping[str, float] = field(
        default_factory=lambda: {"auth_failure": 300, "rate_limit": 60, "unknown": 600}
    )


ThresholdsOf = Callable[[Tx, int], Thresholds]
"""Those of an organization, by its number; given by whoever keeps them."""


def defaults(_tx: Tx, _organization_id: int) -> Thresholds:
    return Thresholds()


def status(worker: Worker, now: datetime, heartbeat_timeout: float) -> Status:
    """A connection that is lost makes nobody offline: the last sign of life does, once it is old, and leaving."""
    if worker.revoked_at is not None:
        return "decommissioned"
    if worker.left_at is not None or worker.last_seen_at is None:
        return "offline"
    if (now - worker.last_seen_at).total_seconds() > heartbeat_timeout:
        return "offline"
    return "draining" if worker.drain_requested_at is not None else "online"


def slots(worker: Worker) -> int:
    """How many jobs it may have at a time: what it offers, bounded by an administrator and by the program."""
    return bounded(worker.slots, worker.max_slots)


def bounded(offered: int, allowed: int | None) -> int:
    """The same from the facts of a worker alone."""
    return max(min(offered, MOST_SLOTS, MOST_SLOTS if allowed is None else allowed), 0)
