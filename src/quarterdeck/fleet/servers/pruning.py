"""The record of what is to be removed from a server, and of what was."""

from __future__ import annotations

from typing import Any

from quarterdeck.fleet.servers import servers
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx


class CapacityAction(audit.Action):
    PRUNING = "server.capacity-pruning"
    PRUNED = "server.capacity-pruned"


def begin(tx: Tx, server_ref: str, *, counts: dict[str, int], size: int) -> None:
    """Before the first effect: what one request is about to remove, `counts` by category, `size` in bytes."""
    _note(tx, server_ref, CapacityAction.PRUNING, {"categories": counts, "bytes": size})


def note(tx: Tx, server_ref: str, *, counts: dict[str, int], reclaimed: int) -> None:
    """One audit event and one event for all that one request removed; `counts` by category."""
    _note(tx, server_ref, CapacityAction.PRUNED, {"categories": counts, "reclaimedBytes": reclaimed})


def _note(tx: Tx, server_ref: str, action: CapacityAction, detail: dict[str, Any]) -> None:
    server = servers.find(tx, server_ref)
    audit.record(
        tx,
        action,
        resource_type="server",
        resource_id=server.ref,
        organization_id=server.organization_id,
        detail=detail,
    )
    events.append(
        tx,
        f"server:{server.ref}",
        action.replace(".", "-"),
        {"serverId": server.ref, **detail},
        organization_id=server.organization_id,
    )
