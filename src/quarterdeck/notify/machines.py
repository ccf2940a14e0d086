"""What those who may drain machines are told of them, learned by events."""

from __future__ import annotations

from datetime import timedelta

from quarterdeck.access import grants
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.text import shown
from quarterdeck.notify.telling import tell

LATEST = timedelta(days=1)
"""What is older when it is heard of is no news."""
TYPES = {
    "worker-drained": "machine_draining",
    "worker-offline": "machine_offline",
    "worker-agent-degraded": "agent_degraded",
}
DRAIN = "tasks:machines.drain"
"""Who may do this is told: it is what machines in such a state need somebody for."""


def hear(tx: Tx, event: events.Event) -> None:
    """The durable subscriber. An event names the machine (`name`), a degraded `agent`, and a `reason`."""
    if event.organization_id is None or event.at < tx.now - LATEST:
        return
    kind = TYPES[event.type]
    name = shown(str(event.data.get("name") or event.stream), 100)
    agent = shown(str(event.data.get("agent") or ""), 80)
    title = {
        "machine_draining": f"The machine {name} takes no new tasks",
        "machine_offline": f"The machine {name} is offline",
        "agent_degraded": f"{agent or 'An agent'} is degraded on {name}",
    }[kind]
    leads = grants.permitted(tx, event.organization_id, DRAIN)
    tell(
        tx,
        kind,
        leads,
        title,
        str(event.data.get("reason") or ""),
        organization_id=event.organization_id,
        collapse_key=f"{kind}:{event.stream}:{agent}",
    )


events.subscribe("machine-notifications", TYPES, hear)
