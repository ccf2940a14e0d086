"""By whom a job may be done: the words of its route."""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck.broker.agents import scopes
from quarterdeck.broker.agents.beating import knows
from quarterdeck.broker.agents.model import Agent
from quarterdeck.broker.agents.standing import ELSEWHERE, FOREIGN, SECRETS
from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.work.types import BEYOND_THE_PROTOCOL
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.routes import LABEL
from quarterdeck.workspace.model import Project

WITHIN = ("file", "quarterdeck")
"""Providers that the server itself keeps: nobody else can reach them."""
SERVER_ALLOWED = "allow_server"
"""Under this word the configuration of a connection says that the server's own worker may use it."""
RECIPIENT = "recipient-key"
"""What a program has to know that seals to the requester's own key."""
BEYOND = (*BEYOND_THE_PROTOCOL, RECIPIENT)
FOREIGN_WORDS = frozenset({SECRETS, ELSEWHERE, FOREIGN})


def words(
    tx: Tx, job_type: str, request: Request | None, connection: Connection | None, agent_scope: Mapping[str, str]
) -> frozenset[str]:
    """What whoever takes a job has to be able to do, and the labels that say what it is about. Without a connection
    only a foreign agent can do it, with a configuration of its own.
    """
    found = {SECRETS, *scopes.capabilities(agent_scope)}
    if connection is None:
        found |= {FOREIGN, scopes.OPEN}
    elif connection.provider_type not in WITHIN:
        found.add(scopes.OPEN)
        if connection.config.get(SERVER_ALLOWED) is not True:
            found.add(ELSEWHERE)
    if request is not None:
        found |= scopes.labels(facts(tx, request))
        if request.recipient_key is not None:
            found.add(_needs(RECIPIENT))
    elif connection is not None:
        found |= scopes.labels({"provider_type": connection.provider_type})
    if job_type in BEYOND_THE_PROTOCOL:
        found.add(_needs(job_type))
    return frozenset(found)


def facts(tx: Tx, request: Request) -> dict[str, str | None]:
    """What scopes of agents are held against."""
    project = tx.get(Project, request.project_id) if request.project_id is not None else None
    return {
        "project_id": project.uid if project is not None else None,
        "environment": request.environment_name,
        "provider_type": request.provider_type,
    }


def has(agent: Agent) -> frozenset[str]:
    """The capabilities of a foreign agent."""
    return FOREIGN_WORDS | scopes.capabilities(agent.scope)


def barred(agent: Agent) -> frozenset[str]:
    """Labels of jobs that a foreign program would only pretend to do: it has not said that it can."""
    return frozenset(_needs(word) for word in BEYOND if not knows(agent, word))


def confined_worker(_tx: Tx, worker: Worker) -> frozenset[str]:
    """The rule for enrolled workers, which the ledger gives work to; other work of theirs is not confined."""
    return scopes.confining(scopes.of_capabilities(worker.capabilities))


def _needs(word: str) -> str:
    return f"{LABEL}{SECRETS}:knows:{word}"
