"""The end of an agent: its secret and key count no longer, and what it had is given back at once."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.broker.agents import listing
from quarterdeck.broker.agents.actions import AgentAction, note
from quarterdeck.broker.agents.model import Agent
from quarterdeck.broker.agents.standing import SECRETS, owner
from quarterdeck.fleet.workers import draining
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.recovery import held_by
from quarterdeck.kernel.text import lines

SUBJECT = "broker-job:"
"""How the subject of a job of the broker begins in the ledger."""


def revoke(tx: Tx, uid: str, reason: str | None = None) -> Worker:
    """Revoke an agent of the caller's organization; again is a success. A worker that does other work too stays one for
    that: tell it by `WorkerControl.dial_again`, a decommissioned one by `send_away`. Raises `NotFound`.
    """
    told = lines(reason, "reason", 500) or None if reason is not None else None
    worker, agent = listing.locked(tx, uid)
    if agent.revoked_at is not None:
        return worker
    note(tx, worker, AgentAction.REVOKED, **({"reason": told} if told else {}))
    _end(tx, worker, agent)
    others = sorted(one for one in worker.capabilities if one.partition(":")[0] != SECRETS)
    if others:
        worker.capabilities = others
        tx.flush()
    else:
        draining.decommission(tx, worker, audited=False)
    return worker


def departed(tx: Tx, worker: Worker) -> None:
    """The rule for a worker that is decommissioned."""
    agent = tx.first(select(Agent).where(Agent.worker_id == worker.id))
    if agent is not None and agent.revoked_at is None:
        _end(tx, worker, agent)


def _end(tx: Tx, worker: Worker, agent: Agent) -> None:
    agent.revoked_at = agent.updated_at = tx.now
    agent.secret_hash = agent.earlier_secret_hash = agent.earlier_until = None
    agent.public_key = agent.public_key_algorithm = None
    tx.flush()
    for job in {**held_by(tx, owner(worker)), **held_by(tx, draining.owner(worker))}.values():
        if (job.subject or "").startswith(SUBJECT):
            jobs.take_back(tx, job.id)


draining.departures.register("broker-agent", departed)
