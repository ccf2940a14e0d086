"""What becomes of a server: renamed, deactivated, deleted."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete as delete_rows

from quarterdeck.fleet.servers import noting, removal, servers
from quarterdeck.fleet.servers.model import Destination, ProxyAttempt, Server, Sighting
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.protocols import DeletionBlocker
from quarterdeck.workspace.names import check_name, check_reason


class ServerLifecycleAction(audit.Action):
    RENAMED = "server.renamed"
    DEACTIVATED = "server.deactivated"
    DELETED = "server.deleted"


def rename(tx: Tx, ref: str, name: str) -> Server:
    server = servers.locked(tx, ref)
    name = check_name(name, "server name")
    if server.name != name:
        before, server.name = server.name, name
        noting.note(tx, server, ServerLifecycleAction.RENAMED, {"name": name, "before": before})
    return server


def deactivate(tx: Tx, ref: str, reason: str | None = None) -> Server:
    """Take no new work; what runs there goes on. Repeating it is a success without a second event."""
    server = servers.locked(tx, ref)
    reason = check_reason(reason)
    if server.lifecycle == "active":
        server.lifecycle, server.deactivated_at, server.deactivation_reason = "inactive", tx.now, reason
        noting.note(tx, server, ServerLifecycleAction.DEACTIVATED, {"reason": reason})
    return server


def blockers(tx: Tx, server: Server, registry: Sequence[DeletionBlocker]) -> list[tuple[str, int]]:
    """Why the server cannot be deleted yet: documented blocker words with counts."""
    found: list[tuple[str, int]] = [("active-server", 1)] if server.lifecycle == "active" else []
    if server.uninstalling_at is not None:
        found.append(("runtime-task", 1))
    for blocker in registry:
        found.extend(blocker.blockers(tx, "server", server.id))
    return found


def check_confirmed(server: Server, confirmation: str) -> None:
    """Raise `Invalid` for a confirmation that is not the server's reference."""
    if confirmation != server.ref:
        raise Invalid(
            "The confirmation does not name this server.",
            hint=f"Send confirmation.serverId = {server.ref}.",
            field="confirmation",
        )


def check_deletable(tx: Tx, server: Server, registry: Sequence[DeletionBlocker], *, but: Collection[str] = ()) -> None:
    """Raise `Conflict` (`server_delete_blocked`) with what stands in the way and the commands that clear it; without
    what the caller removes itself, which `but` names.
    """
    standing = [one for one in blockers(tx, server, registry) if one[0] not in but]
    found = removal.steps(server, standing)
    if found:
        raise Conflict(
            f"The server {server.name} cannot be deleted yet: {'; '.join(step.words for step in found)}.",
            code="server_delete_blocked",
            hint=removal.hint(found),
            relatedEntityId=server.ref,
            blockers=[kind for kind, _ in standing],
        )


def delete(tx: Tx, ref: str, confirmation: str, registry: Sequence[DeletionBlocker]) -> None:
    """Forget an inactive server that nothing refers to. Nothing on the host is touched."""
    server = servers.locked(tx, ref)
    check_confirmed(server, confirmation)
    check_deletable(tx, server, registry)
    noting.note(tx, server, ServerLifecycleAction.DELETED, {"name": server.name})
    for blocker in registry:
        blocker.forget(tx, "server", server.id)
    for model in (ProxyAttempt, Destination, Sighting):
        tx.execute(delete_rows(model).where(model.server_id == server.id))
    tx.session.delete(server)
    tx.flush()
