"""Which agents there are."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.broker.agents.model import Agent
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound

MOST = 2000


def visible(tx: Tx) -> list[tuple[Worker, Agent]]:
    """Those of the caller's organization, oldest first: all that live, and the newest of the revoked, `MOST` in all."""
    query = (
        select(Worker, Agent)
        .join(Agent, Agent.worker_id == Worker.id)
        .where(Agent.organization_id == tx.principal.acts_in)
        .order_by(Agent.revoked_at.is_not(None), Agent.id.desc())
        .limit(MOST)
    )
    found = [(row[0], row[1]) for row in tx.session.execute(query)]
    return sorted(found, key=lambda one: (one[0].created_at, one[0].id))


def locked(tx: Tx, uid: str) -> tuple[Worker, Agent]:
    """One of the caller's organization that nobody else changes until the unit ends. Raises `NotFound`
    (`agent_not_found`).
    """
    tx.lock(f"worker:{uid}")
    row = tx.session.execute(
        select(Worker, Agent)
        .join(Agent, Agent.worker_id == Worker.id)
        .where(Worker.uid == uid, Agent.organization_id == tx.principal.acts_in)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound("There is no such agent.", code="agent_not_found", hint="See the list of agents.")
    return row[0], row[1]


def living_named(tx: Tx, organization_id: int, name: str) -> Agent | None:
    return tx.first(
        select(Agent)
        .join(Worker, Worker.id == Agent.worker_id)
        .where(
            Agent.organization_id == organization_id,
            Agent.revoked_at.is_(None),
            Worker.revoked_at.is_(None),
            Worker.name == name,
        )
        .limit(1)
    )
