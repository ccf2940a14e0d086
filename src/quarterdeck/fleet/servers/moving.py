"""A server that gets another address: the same machine elsewhere, or with consent another machine in its place."""

from __future__ import annotations

import shlex

from sqlalchemy import delete

from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers import noting, servers
from quarterdeck.fleet.servers.model import Server, Sighting
from quarterdeck.fleet.servers.transitions import first_edge, move_edge
from quarterdeck.fleet.targets.login import HostKeyPin
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, Problem


class MovingAction(audit.Action):
    MOVED = "server.moved"


def check(tx: Tx, server_ref: str, host: str, port: int) -> tuple[Server, str]:
    """What can be said before anybody looks there; answers the server, and the address as it is kept. Raises `Invalid`
    for the machine of the control plane and for what is no address, and `Conflict` (`server_inactive`) for a server
    that takes nothing, or an address at which a machine is being uninstalled.
    """
    server = servers.find(tx, server_ref)
    if server.provider == servers.LOCAL:
        raise Invalid(
            f"{server.name} is the machine of the control plane, which needs no address.",
            hint="Add the other machine as a server of its own: qd server add",
            field="serverId",
        )
    servers.check_active(server)
    host, port = servers.check_host(host), servers.check_port(port)
    if any(one.uninstalling_at is not None for one in access.at_address(tx, server.provider, host, port)):
        raise servers.being_uninstalled(server)
    return server, host


def move(
    tx: Tx,
    server_ref: str,
    *,
    host: str,
    port: int,
    shown: HostKeyPin | None = None,
    fingerprint: str | None = None,
) -> Server:
    """Sign in to it at another address from now on; the same address changes nothing. `shown` is the host key that
    somebody has seen there, None where nobody has looked; `fingerprint` the one that a person has agreed to expect.

    The pinned key stays the expected one. Where another one is shown, it is pinned only with that consent, and what was
    known of the machine before is forgotten: this is another one. Raises `Conflict` (`ssh_host_key_changed`) else, and
    what `check` raises.
    """
    servers.locked(tx, server_ref)
    server, host = check(tx, server_ref, host, port)
    before = {"host": server.host, "port": server.port}
    pinned = access.pin(tx, server.id)
    agreed = access.check_fingerprint(fingerprint) if fingerprint is not None else None
    expected = agreed or (pinned.fingerprint if pinned is not None else None)
    if shown is not None and expected is not None and shown.fingerprint != expected:
        raise _another(server, host, port, expected=expected, shown=shown.fingerprint)
    if (server.host, server.port) != (host, port):
        server.host, server.port = host, port
        tx.flush()
        noting.note(tx, server, MovingAction.MOVED, {"host": host, "port": port, "before": before})
    if agreed is not None and (pinned is None or pinned.fingerprint != agreed):
        access.accept_host_key(tx, server_ref, agreed)
        if pinned is not None:
            _another_machine(tx, server)
    elif shown is not None and pinned is None:
        access.keep_host_key(tx, server.id, shown)
    tx.publish("servers")
    return server


def _another_machine(tx: Tx, server: Server) -> None:
    """Neither an edge nor an engine of ours is known to be there."""
    move_edge(tx, server, first_edge(server.proxy_kind))
    server.edge_http_port = server.edge_https_port = None
    server.engine_use = server.engine_decided_at = server.engine_reason = None
    tx.execute(delete(Sighting).where(Sighting.server_id == server.id))
    tx.flush()


def told(problem: Problem, server: Server, host: str, port: int) -> Problem:
    """The problem of a look at the new address, with what to do about another host key."""
    if problem.code != "ssh_host_key_changed":
        return problem
    expected, shown = (str(problem.details.get(name, "")) for name in ("expectedFingerprint", "shownFingerprint"))
    return _another(server, host, port, expected=expected, shown=shown)


def _another(server: Server, host: str, port: int, *, expected: str, shown: str) -> Conflict:
    at = f" --port {port}" if port != 22 else ""
    return Conflict(
        f"What answers at {host} is not {server.name}: it shows the host key {shown} instead of {expected}.",
        code="ssh_host_key_changed",
        hint="If it is another machine that shall take its place, or it was set up anew, compare on its own screen "
        "(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: "
        f"qd server address {shlex.quote(server.name)} {host}{at} --trust {shown}",
        phase="host-key",
        expectedFingerprint=expected,
        shownFingerprint=shown,
    )
