"""The record of what was removed from a server."""

from __future__ import annotations

from quarterdeck.fleet.servers import servers
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx


class CapacityAction(audit.Action):
    PRUNED = "server.capacity-pruned"


def note(tx: Tx, server_ref: str, *, counts: dict[str, int], reclaimed: int) -> None:
    """One audit event and one event for all that one request removed; `counts` by category."""
    server = servers.find(tx, server_ref)
    detail = {"categories": counts, "reclaimedBytes": reclaimed}
    audit.record(
        tx,
        CapacityAction.PRUNED,
        resource_type="server",
        resource_id=server.ref,
        organization_id=server.organization_id,
        detail=detail,
    )
    events.append(
        tx,
        f"server:{server.ref}",
        "server-capacity-pruned",
        {"serverId": server.ref, **detail},
        organization_id=server.organization_id,
    )
