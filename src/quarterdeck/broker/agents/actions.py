"""What of agents is audited."""

from __future__ import annotations

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx


class AgentAction(audit.Action):
    MINTED = "agent.mint"
    ROTATED = "agent.rotate"
    REVOKED = "agent.revoke"
    KEY_SET = "agent.public-key.set"


def note(tx: Tx, worker: Worker, action: AgentAction, **detail: object) -> None:
    """The audit event of what is done to an agent."""
    audit.record(
        tx,
        action,
        resource_type="agent",
        resource_id=worker.uid,
        organization_id=worker.organization_id,
        detail={"name": worker.name, **detail},
    )
