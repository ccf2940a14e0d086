"""How a foreign agent proves itself: its id in the address, and its secret, with each request (contract: broker §2)."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.broker import acting
from quarterdeck.broker.agents.model import Agent
from quarterdeck.fleet.workers.enrolment import digest, same
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Unauthenticated
from quarterdeck.kernel.principal import Principal

NOBODY = digest("")
"""Compared with where there is nothing to compare with, so that a known id takes no longer than an unknown one."""


def agent(tx: Tx, uid: str, secret: str) -> tuple[Worker, Agent]:
    """The agent with this id and secret, or with its secret of before while that counts. Raises `Unauthenticated`
    (`agent_auth_rejected`), the same for an unknown id, a wrong secret, and one that is revoked.
    """
    row = tx.session.execute(
        select(Worker, Agent).join(Agent, Agent.worker_id == Worker.id).where(Worker.uid == uid)
    ).first()
    kept = earlier = NOBODY
    if row is not None:
        kept = row[1].secret_hash or NOBODY
        if row[1].earlier_until is not None and tx.now < row[1].earlier_until:
            earlier = row[1].earlier_secret_hash or NOBODY
    newest, before = same(secret, kept), same(secret, earlier)  # both, whatever the first says
    proven = (newest and kept != NOBODY) or (before and earlier != NOBODY)
    if row is None or not proven or row[1].revoked_at is not None or row[0].revoked_at is not None:
        raise rejected()
    return row[0], row[1]


def authenticate(tx: Tx, uid: str, secret: str) -> Principal:
    """The same as whom it acts."""
    return acting.agent(agent(tx, uid, secret)[0])


def caller(tx: Tx) -> tuple[Worker, Agent]:
    """The agent that the unit acts for, as its rows are now. Raises `Unauthenticated` where it was revoked."""
    row = tx.session.execute(
        select(Worker, Agent)
        .join(Agent, Agent.worker_id == Worker.id)
        .where(Worker.id == tx.principal.id, Worker.revoked_at.is_(None), Agent.revoked_at.is_(None))
    ).first()
    if tx.principal.kind != "agent" or row is None:
        raise rejected()
    return row[0], row[1]


def rejected() -> Unauthenticated:
    return Unauthenticated(
        "The id or the secret of the agent is not valid.", code="agent_auth_rejected", hint="Mint the agent again."
    )
