"""How an agent stands, and as whom the ledger knows it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from quarterdeck.broker.agents.model import Agent
from quarterdeck.fleet.workers.model import Worker

SECRETS = "secrets"
"""The capability of agents."""
FOREIGN, ELSEWHERE = "secrets:foreign", "secrets:elsewhere"
"""Needed by jobs that only foreign agents can do, with a configuration of their own, and by jobs that are nothing for
the server's own worker.
"""
STALE = timedelta(minutes=5)
"""Without a sign of life for longer, an agent is stale (contract: broker §9)."""
Status = Literal["active", "stale", "revoked"]


def status(agent: Agent, worker: Worker, now: datetime) -> Status:
    """Derived where it is asked for: nobody has to sweep. One that was never seen is active."""
    if agent.revoked_at is not None or worker.revoked_at is not None:
        return "revoked"
    if worker.last_seen_at is not None and now - worker.last_seen_at > STALE:
        return "stale"
    return "active"


def owner(worker: Worker) -> str:
    """As whom the ledger knows a foreign agent."""
    return f"agent:{worker.uid}"
