"""The settings that say what the facts of a worker come to."""

from __future__ import annotations

from quarterdeck.fleet.workers.standing import Thresholds
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.settings import settings


def thresholds(tx: Tx, organization_id: int) -> Thresholds:
    """Those of an organization."""
    chosen = settings.of(tx, organization_id)
    return Thresholds(
        heartbeat_interval=chosen["heartbeatIntervalSec"],
        heartbeat_timeout=chosen["heartbeatTimeoutSec"],
        disk_drain=chosen["diskDrainPercent"],
        degrade_after=chosen["degradeAfterFailures"],
        degrade_recover=chosen["degradeRecoverSec"],
    )


def heartbeat_timeout(tx: Tx, organization_id: int) -> float:
    """Seconds of silence after which its machines are offline."""
    return thresholds(tx, organization_id).heartbeat_timeout
