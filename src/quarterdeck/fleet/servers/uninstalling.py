"""The record of a server that we leave: from the moment it is accepted until it has ended nothing new goes there."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import structlog
from sqlalchemy import select

from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers import engines, noting, servers
from quarterdeck.fleet.servers.model import ProxyAttempt, Server
from quarterdeck.fleet.servers.transitions import first_edge, move_edge
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid

INTERRUPTED = "uninstall_interrupted"
log = structlog.get_logger("quarterdeck.servers")


class UninstallAction(audit.Action):
    UNINSTALLING = "server.uninstalling"
    UNINSTALLED = "server.uninstalled"
    GIVEN_UP = "server.uninstall-given-up"


def accept(tx: Tx, server_ref: str) -> list[Server]:
    """Take nothing new from now on, under whichever name that machine is registered; answers all servers that it is.
    The caller checks in the same unit that nothing is there. Written before anything goes, so that the trail says who
    took it away whatever happens to us meanwhile.

    Raises `Invalid` for this machine, and `Conflict`: `ssh_credential_missing` for one that nobody can sign in to,
    `server_in_use` while its edge is brought up or it is being uninstalled already, `engine_busy` while an engine is
    being installed there, whichever name of the machine that was asked under.
    """
    found = servers.find(tx, server_ref)
    check_elsewhere(found)
    access.check_reachable(tx, found)
    for one in access.same_machine(tx, found):
        servers.hold(tx, one)
    server = servers.find(tx, server_ref)
    places = access.same_machine(tx, server)
    if any(one.uninstalling_at is not None for one in places):
        raise in_use(server, "it is being uninstalled already", "Wait until that has ended.")
    ids = [one.id for one in places]
    bringing = select(ProxyAttempt.id).where(ProxyAttempt.server_id.in_(ids), ProxyAttempt.finished_at.is_(None))
    if tx.first(bringing.limit(1)) is not None:
        raise in_use(server, "its edge is being brought up", "Wait until that has ended: qd work")
    engines.check_idle(tx, server, places)
    for one in places:
        one.uninstalling_at = tx.now
    tx.flush()
    noting.note(tx, server, UninstallAction.UNINSTALLING, {})
    return places


def check_elsewhere(server: Server) -> None:
    """Raise `Invalid` for the machine of the control plane."""
    if server.provider == servers.LOCAL:
        raise Invalid(
            f"{server.name} is the machine of the control plane.",
            hint="Delete what runs on it, stop the server, and remove its data directory.",
            field="serverId",
        )


def in_use(server: Server, why: str, hint: str) -> Conflict:
    return Conflict(f"{server.name} is in use: {why}.", code="server_in_use", hint=hint, relatedEntityId=server.ref)


def note(
    tx: Tx, server_ref: str, places: Collection[int], *, counts: dict[str, int], engine: str | None = None
) -> None:
    """It has ended: one audit event and one event for all that one request removed; `counts` by kind. `engine` is what
    an engine that went was called. That edge and engine are gone is known under every name of the machine.
    """
    server = servers.find(tx, server_ref)
    for one in _release(tx, {server.id, *places}):
        if counts.get("edge"):
            move_edge(tx, one, first_edge(one.proxy_kind))
            one.edge_http_port = one.edge_https_port = None
        if engine is not None and (one.id == server.id or one.engine_use in engines.USES):
            engines.removed(tx, one, engine)
    tx.flush()
    tx.publish("servers")
    if counts:
        noting.note(tx, server, UninstallAction.UNINSTALLED, {"removed": counts})


def give_up(tx: Tx, server_ref: str, places: Collection[int], code: str) -> None:
    """It was not carried to its end; what is left is taken away by a repeat."""
    _release(tx, places)
    server = tx.first(select(Server).where(Server.ref == server_ref))
    if server is not None:
        _failed(tx, server, code)


def recover(tx: Tx) -> int:
    """Let what a process that ended was uninstalling take work again. Run once, before the process serves. Answers how
    many servers that were.
    """
    found = list(tx.scalars(select(Server).where(Server.uninstalling_at.is_not(None)).order_by(Server.id)))
    for server in found:
        server.uninstalling_at = None
        _failed(tx, server, INTERRUPTED)
        log.warning("uninstall_interrupted", server=server.ref)
    return len(found)


def _release(tx: Tx, places: Collection[int]) -> Sequence[Server]:
    found = list(tx.scalars(select(Server).where(Server.id.in_(sorted(places))).order_by(Server.id)))
    for server in found:
        servers.hold(tx, server)
        server.uninstalling_at = None
    tx.flush()
    return found


def _failed(tx: Tx, server: Server, code: str) -> None:
    detail: dict[str, object] = {"errorCode": code}
    noting.note(tx, server, UninstallAction.GIVEN_UP, detail, outcome="failure")
