"""The public keys of agents: what values for them are sealed to."""

from __future__ import annotations

import base64
import hashlib

from quarterdeck.broker.agents.actions import AgentAction, note
from quarterdeck.broker.agents.model import Agent
from quarterdeck.broker.sealing import agreement
from quarterdeck.broker.sealing.encoding import decoded, encoded
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid

ALGORITHM = agreement.KEY_ALGORITHM


def register(tx: Tx, worker: Worker, agent: Agent, text: str, algorithm: str | None = None) -> None:
    """Keep another key, from now on the only one: what waits for the agent is sealed when it is fetched, to the key on
    file then. Raises `Invalid`.
    """
    key = checked(tx, text, algorithm)
    keep(tx, agent, key)
    note(tx, worker, AgentAction.KEY_SET, algorithm=ALGORITHM, public_key_sha=fingerprint(key))


def keep(tx: Tx, agent: Agent, key: bytes) -> None:
    agent.public_key, agent.public_key_algorithm = encoded(key), ALGORITHM
    agent.public_key_set_at = agent.updated_at = tx.now
    tx.flush()


def checked(tx: Tx, text: str, algorithm: str | None = None) -> bytes:
    """The raw key. Raises `Invalid` (`base64_invalid`, `public_key_invalid`)."""
    if algorithm not in {None, "", ALGORITHM}:
        raise _invalid(f"{str(algorithm)[:40]!r} is not an algorithm of public keys.", "public_key_algorithm")
    key = decoded(text, "public_key")
    if len(key) != agreement.KEY:
        raise _invalid(f"public_key has {len(key)} bytes instead of {agreement.KEY}.", "public_key")
    if not agreement.agrees(key, tx.ids):
        raise _invalid("public_key is a point of small order.", "public_key")
    return key


def of(agent: Agent) -> bytes | None:
    """The raw key on file."""
    return None if agent.public_key is None else decoded(agent.public_key, "public_key")


def fingerprint(key: bytes) -> str:
    """How a key is named in the audit trail (contract: broker §7)."""
    return base64.urlsafe_b64encode(hashlib.sha256(key).digest()[:8]).decode().rstrip("=")


def _invalid(told: str, field: str) -> Invalid:
    return Invalid(told, code="public_key_invalid", hint="Send an X25519 key of 32 bytes as base64.", field=field)
