"""Signs of life of foreign agents. Those of enrolled workers come over their control channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import update

from quarterdeck.broker.agents.model import Agent
from quarterdeck.fleet.workers.actions import CHANGED
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.text import shown

NEXT = 30
"""Seconds until the next sign of life (contract: broker §2)."""
MOST_CAPABILITIES = 50


def beat(
    tx: Tx,
    worker: Worker,
    agent: Agent,
    *,
    version: str | None = None,
    cluster_name: str | None = None,
    status: str | None = None,
    capabilities: Sequence[str] | None = None,
) -> None:
    """An agent lives, and may say of itself what is hearsay and bounded."""
    seen(tx, worker)
    if version is not None and (told := shown(version.strip(), 40)) and told != worker.version:
        worker.version = told
    said = {
        "cluster_name": None if cluster_name is None else shown(cluster_name, 200),
        "status": None if status is None else shown(status, 40),
        "capabilities": None if capabilities is None else [shown(one, 60) for one in capabilities[:MOST_CAPABILITIES]],
    }
    kept = {**agent.reported, **{name: value for name, value in said.items() if value is not None}}
    if kept != agent.reported:
        agent.reported, agent.updated_at = kept, tx.now
    tx.flush()


def seen(tx: Tx, worker: Worker) -> None:
    """It was heard at this moment."""
    if worker.last_seen_at is not None and tx.now - worker.last_seen_at < timedelta(seconds=1):
        return
    first = worker.first_seen_at or tx.now
    tx.execute(update(Worker).where(Worker.id == worker.id).values(last_seen_at=tx.now, first_seen_at=first))
    tx.publish(CHANGED, worker.uid)


def knows(agent: Agent, word: str) -> bool:
    """Whether a foreign program has said that it can do something that the documented one cannot."""
    said = agent.reported.get("capabilities")
    return isinstance(said, list) and word in said
