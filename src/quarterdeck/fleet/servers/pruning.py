"""The record of what is to be removed from a server, and of what was."""

from __future__ import annotations

from quarterdeck.fleet.servers import noting, servers
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx


class CapacityAction(audit.Action):
    PRUNING = "server.capacity-pruning"
    PRUNED = "server.capacity-pruned"


def begin(tx: Tx, server_ref: str, *, counts: dict[str, int], size: int) -> None:
    """Before the first effect: what one request is about to remove, `counts` by category, `size` in bytes."""
    noting.note(tx, servers.find(tx, server_ref), CapacityAction.PRUNING, {"categories": counts, "bytes": size})


def note(tx: Tx, server_ref: str, *, counts: dict[str, int], reclaimed: int) -> None:
    """One audit event and one event for all that one request removed; `counts` by category."""
    noting.note(
        tx, servers.find(tx, server_ref), CapacityAction.PRUNED, {"categories": counts, "reclaimedBytes": reclaimed}
    )
