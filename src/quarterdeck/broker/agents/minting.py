"""How an agent comes to be known: minted by an administrator, or enrolled as a worker."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from quarterdeck.broker.agents import keys, listing, scopes
from quarterdeck.broker.agents.actions import AgentAction, note
from quarterdeck.broker.agents.model import Agent
from quarterdeck.broker.agents.standing import ELSEWHERE, SECRETS
from quarterdeck.fleet.workers.actions import tell
from quarterdeck.fleet.workers.enrolment import digest
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity import sessions
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.text import one_line
from quarterdeck.kernel.vault import Secret

MOST = 1000
"""Agents of an organization that are not revoked."""
SECRET = 32
"""Random bytes of a secret."""
GRACE = timedelta(minutes=5)
"""For so long the secret of before counts beside a new one, so that an agent can be given it without a pause."""
LONGEST_GRACE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Minted:
    """An agent and its secret, which is shown this once."""

    worker: Worker
    agent: Agent
    secret: Secret[str]


def mint(
    tx: Tx,
    name: str,
    scope: Mapping[str, Any] | None = None,
    public_key: str | None = None,
    algorithm: str | None = None,
) -> Minted:
    """A foreign agent of the caller's organization. Raises `Invalid`, `Conflict` (`agent_name_taken`,
    `too_many_agents`), and `Forbidden` where a token of a program asks for it.
    """
    sessions.require_in_person(tx.principal)
    organization_id = tx.principal.acts_in
    called, kept = one_line(name, "name", 200), scopes.checked(scope)
    key = keys.checked(tx, public_key, algorithm) if public_key is not None else None
    if key is None and algorithm is not None:
        raise Invalid(
            "There is an algorithm and no public key.", hint="Send both, or neither.", field="public_key_algorithm"
        )
    tx.lock(f"broker-agents:{organization_id}")
    _require_room(tx, organization_id)
    if listing.living_named(tx, organization_id, called) is not None:
        raise Conflict(
            f"There is an agent named {called} already.",
            code="agent_name_taken",
            hint="Choose another name, or revoke that one first.",
        )
    worker = _worker(tx, organization_id, called)
    agent = _part(tx, worker, kept)
    secret = _give_secret(tx, agent)
    if key is not None:
        keys.keep(tx, agent, key)
    tx.flush()
    tell(tx, worker, "worker-enrolled")
    note(tx, worker, AgentAction.MINTED, **({"public_key_algorithm": keys.ALGORITHM} if key is not None else {}))
    return Minted(worker, agent, secret)


def rotate(tx: Tx, uid: str, grace: timedelta = GRACE) -> Minted:
    """Another secret for a foreign agent; the one of before counts for `grace`, at most a day. Raises `NotFound`,
    `Conflict` (`agent_revoked`, `agent_without_secret`) and `Invalid`.
    """
    sessions.require_in_person(tx.principal)
    if not timedelta() <= grace <= LONGEST_GRACE:
        raise Invalid(
            f"The secret of before counts for 0 to {LONGEST_GRACE.total_seconds():.0f} seconds.",
            hint="Send grace_seconds within.",
            field="grace_seconds",
        )
    worker, agent = listing.locked(tx, uid)
    if agent.revoked_at is not None or worker.revoked_at is not None:
        raise Conflict(f"The agent {worker.name} is revoked.", code="agent_revoked", hint="Mint another one.")
    if agent.secret_hash is None:
        raise Conflict(
            f"The agent {worker.name} was enrolled and has no secret.",
            code="agent_without_secret",
            hint="Its worker renews its own credentials.",
        )
    agent.earlier_secret_hash = agent.secret_hash if grace else None
    agent.earlier_until = tx.now + grace if grace else None
    secret = _give_secret(tx, agent)
    note(tx, worker, AgentAction.ROTATED, grace_seconds=int(grace.total_seconds()))
    tx.flush()
    return Minted(worker, agent, secret)


def adopt(tx: Tx, worker: Worker) -> Agent:
    """The part as an agent of a worker that was enrolled for secrets, made where it has none."""
    tx.lock(f"worker:{worker.uid}")
    known = tx.first(select(Agent).where(Agent.worker_id == worker.id))
    if known is not None:
        return known
    agent = _part(tx, worker, scopes.of_capabilities(worker.capabilities))
    note(tx, worker, AgentAction.MINTED, enrolled=True)
    return agent


def hear(tx: Tx, event: events.Event) -> None:
    """The durable subscriber: a worker was enrolled."""
    worker = tx.first(select(Worker).where(Worker.uid == event.stream.removeprefix("worker:")))
    if worker is not None and worker.revoked_at is None and SECRETS in worker.capabilities:
        adopt(tx, worker)


events.subscribe("broker-agents", {"worker-enrolled"}, hear)


def _require_room(tx: Tx, organization_id: int) -> None:
    mine = select(func.count()).select_from(Agent).where(Agent.organization_id == organization_id)
    if int(tx.execute(mine.where(Agent.revoked_at.is_(None))).scalar_one()) >= MOST:
        raise Conflict(
            f"There are {MOST} agents already.", code="too_many_agents", hint="Revoke those nobody needs any more."
        )


def _worker(tx: Tx, organization_id: int, name: str) -> Worker:
    """The control channel lets nobody in as it: the hash stands for a secret that nobody has."""
    offered = sorted({SECRETS, ELSEWHERE})
    return tx.add(
        Worker(
            uid=tx.ids.uid(),
            organization_id=organization_id,
            name=name,
            recovery_hash=digest(tx.ids.token(32)),
            generation=1,
            capabilities=offered,
            offered=offered,
            agents=[],
            hardware={},
            projects=[],
            trouble={},
            ailing=[],
            slots=1,
            created_at=tx.now,
        )
    )


def _part(tx: Tx, worker: Worker, scope: Mapping[str, str]) -> Agent:
    return tx.add(
        Agent(
            uid=tx.ids.uid(),
            worker_id=worker.id,
            organization_id=worker.organization_id,
            secret_hash=None,
            scope=dict(scope),
            reported={},
            created_at=tx.now,
            updated_at=tx.now,
        )
    )


def _give_secret(tx: Tx, agent: Agent) -> Secret[str]:
    """Kept is the SHA-256 of its text (contract: broker §2)."""
    secret = base64.urlsafe_b64encode(tx.ids.randbytes(SECRET)).decode().rstrip("=")
    agent.secret_hash, agent.updated_at = digest(secret), tx.now
    return Secret(secret)
