"""What `/metrics` says of an installation: read when somebody asks, cheap however much there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quarterdeck import __version__
from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.jobs.job import LANES

if TYPE_CHECKING:
    from quarterdeck.instance import Instance

# Every statement reads a partial or covering index: live jobs and statuses, never the rows behind them.
_WAITING = "SELECT lane, COUNT(*), MIN(due_at) FROM jobs WHERE due_at IS NOT NULL GROUP BY lane"
_RUNNING = "SELECT lane, COUNT(*) FROM jobs WHERE lease_until IS NOT NULL GROUP BY lane"
_PARKED = "SELECT COUNT(*) FROM jobs WHERE parked_key IS NOT NULL"
_UNSEALED = "SELECT COUNT(*) FROM audit_unsealed"
_SUBSCRIBERS = "SELECT name, failures FROM event_subscribers"
_DEPLOYMENTS = "SELECT status, COUNT(*) FROM deploy_deployments GROUP BY status"


def ask(tx: Tx) -> dict[str, Any]:
    now = micros(tx.now)
    return {
        "waiting": {row[0]: (row[1], max(now - row[2], 0) / 1e6) for row in tx.execute(_WAITING)},
        "running": {row[0]: row[1] for row in tx.execute(_RUNNING)},
        "parked": tx.execute(_PARKED).scalar(),
        "unsealed": tx.execute(_UNSEALED).scalar(),
        "subscribers": {row[0]: row[1] for row in tx.execute(_SUBSCRIBERS)},
        "deployments": {row[0]: row[1] for row in tx.execute(_DEPLOYMENTS)},
    }


async def collect(instance: Instance) -> tuple[str, bytes]:
    """Content type and text of `/metrics`."""
    metrics = instance.metrics
    metrics.gauge("info", "The program.", ["version", "database"]).labels(__version__, instance.db.dialect).set(1)
    found = await instance.db.read(ask)
    waiting = metrics.gauge("jobs_pending", "Jobs that could be claimed or will be.", ["lane"])
    oldest = metrics.gauge("jobs_oldest_pending_seconds", "How long the oldest due job has waited.", ["lane"])
    running = metrics.gauge("jobs_running", "Jobs that a worker holds.", ["lane"])
    for number, lane in enumerate(LANES):
        count, age = found["waiting"].get(number, (0, 0.0))
        waiting.labels(lane).set(count)
        oldest.labels(lane).set(age)
        running.labels(lane).set(found["running"].get(number, 0))
    metrics.gauge("jobs_parked", "Jobs that wait for their turn.").set(found["parked"])
    metrics.gauge("audit_unsealed", "Audit events that the sealer has not chained yet.").set(found["unsealed"])
    failures = metrics.gauge(
        "event_subscriber_failures",
        "How often delivery to a subscriber has failed since it last went on.",
        ["subscriber"],
    )
    failures.clear()
    for name, count in found["subscribers"].items():
        failures.labels(name).set(count)
    deployments = metrics.gauge("deployments", "Deployments by status.", ["status"])
    deployments.clear()
    for status, count in found["deployments"].items():
        deployments.labels(status).set(count)
    remote = sum(1 for session in instance.jobs.sessions if session.worker_id is not None)
    here = int(not instance.settings.no_worker)
    metrics.gauge("workers_connected", "Workers that can take jobs.").set(remote + here)
    metrics.gauge("database_waiting", "Units of work that wait for the database.").set(instance.db.waiting)
    metrics.gauge("edge_up", "1 while the edge proxy answers.").set(await _edge_up(instance))
    metrics.gauge("disk_free_ratio", "The share of the data directory's disk that is free.").set(instance.data.free())
    return metrics.render()


async def _edge_up(instance: Instance) -> int:
    if instance.edge is None:
        return 0
    try:
        return int((await instance.edge.status()).running)
    except Problem:
        return 0
