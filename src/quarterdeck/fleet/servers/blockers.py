"""What of the fleet stands in the way of deleting a server, and what goes along with it."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers import engines
from quarterdeck.fleet.servers.model import AccessPolicy, ProxyAttempt, Server
from quarterdeck.kernel.db import Tx


class FleetBlockers:
    """A `kernel.protocols.DeletionBlocker`."""

    def blockers(self, tx: Tx, kind: str, row_id: int) -> list[tuple[str, int]]:
        if kind != "server":
            return []
        # Of a server that takes nothing new it says nothing any more.
        active = select(Server.id).where(Server.id == row_id, Server.lifecycle == "active")
        policies = select(func.count()).select_from(AccessPolicy).where(AccessPolicy.server_id.in_(active))
        running = (
            select(func.count())
            .select_from(ProxyAttempt)
            .where(ProxyAttempt.server_id == row_id, ProxyAttempt.finished_at.is_(None))
        )
        counted = [("default-access-policy", policies), ("runtime-task", running)]
        found = [(word, int(tx.execute(query).scalar_one())) for word, query in counted]
        server = tx.get(Server, row_id)
        if server is not None and engines.busy(tx, server):
            found[1] = ("runtime-task", found[1][1] + 1)
        return [(word, number) for word, number in found if number]

    def forget(self, tx: Tx, kind: str, row_id: int) -> None:
        """How it was signed in to, and how names were made for it. A stored credential stays, free of this server."""
        if kind == "server":
            access.forget(tx, row_id)
            tx.execute(delete(AccessPolicy).where(AccessPolicy.server_id == row_id))
