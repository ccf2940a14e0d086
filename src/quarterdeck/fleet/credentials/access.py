"""How a server is signed in to: which credential, and which host key it has to show."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select

from quarterdeck.fleet.credentials import credentials
from quarterdeck.fleet.credentials.keys import check_username, key_pair
from quarterdeck.fleet.credentials.model import HostKey, ServerCredential, SshCredential
from quarterdeck.fleet.servers import noting, servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.targets.login import DEFAULT_USERNAME, HostKeyPin, Login
from quarterdeck.identity.machine import Machine
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid
from quarterdeck.kernel.vault import Secret

TABLE = ServerCredential.__tablename__
AGENT, INLINE, STORED = "local-ssh-agent", "ssh-private-key", "stored-ssh-private-key"
LOCAL_AGENT = "servers:local-agent"
FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")


class AccessAction(audit.Action):
    CONFIGURED = "server.credential-configured"
    HOST_KEY_PINNED = "server.host-key-pinned"
    HOST_KEY_ACCEPTED = "server.host-key-accepted"


@dataclass(frozen=True, slots=True)
class Way:
    """One of the three ways to sign in, as it was asked for."""

    kind: str
    username: str | None = None
    private_key: Secret[str] | None = None
    public_key: str | None = None
    credential_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A server's credential as it may be shown."""

    row: ServerCredential
    stored: SshCredential | None

    @property
    def username(self) -> str | None:
        return self.row.username or (self.stored.username if self.stored else None)


def configure(tx: Tx, server_ref: str, way: Way) -> None:
    """Say how a server is signed in to, in place of whatever was said before. Nothing is contacted. Where neither `way`
    nor its stored credential names an account, it stays the one that it was.

    Raises `Forbidden` (`ssh_agent_refused`) for the agent, unless the caller answers for this machine.
    """
    server = servers.locked(tx, server_ref)
    servers.check_active(server)
    _check_agent(tx, way)
    username = check_username(way.username)
    stored = None
    if way.kind == STORED:
        stored = credentials.locked(tx, way.credential_ref or "", shared=True)
    row = _row(tx, server.id) or ServerCredential(uid=tx.ids.uid(), server_id=server.id)
    if username is None and (stored is None or stored.username is None):
        username = _account(tx, row)  # another key is no reason to sign in as somebody else
    row.kind, row.username, row.configured_at = way.kind, username, tx.now
    row.credential_id = stored.id if stored else None
    row.public_key = row.private_key = None
    if way.kind == INLINE and way.private_key is not None:
        pair = key_pair(way.private_key, way.public_key)
        row.public_key = pair.public
        row.private_key = tx.vault.seal(TABLE, row.uid, "private_key", pair.private)
    tx.add(row)
    tx.flush()
    noting.note(
        tx,
        server,
        AccessAction.CONFIGURED,
        {"kind": way.kind, "credentialId": stored.ref if stored else None},
    )


def _account(tx: Tx, row: ServerCredential) -> str | None:
    """Whom a server was signed in to as until now, if that was said."""
    before = tx.get(SshCredential, row.credential_id) if row.credential_id is not None else None
    return row.username or (before.username if before is not None else None)


def of_servers(tx: Tx, rows: list[Server]) -> dict[int, Shown]:
    """The credentials of these servers by row id; a server without one is missing."""
    found = tx.session.execute(
        select(ServerCredential, SshCredential)
        .outerjoin(SshCredential, SshCredential.id == ServerCredential.credential_id)
        .where(ServerCredential.server_id.in_([row.id for row in rows]))
    )
    return {row.server_id: Shown(row, stored) for row, stored in found}


def login(tx: Tx, server: Server) -> Login:
    """What a connection to this server needs. Raises `Conflict` (`ssh_credential_missing`) where nothing was said,
    and `Forbidden` (`ssh_agent_refused`) for the agent where the server is another organization's.
    """
    row = _row(tx, server.id)
    if row is None:
        raise credential_missing(server.name)
    if row.kind == AGENT and not Machine.belongs_to(tx, server.organization_id):
        raise _agent_refused()
    stored = tx.get(SshCredential, row.credential_id) if row.credential_id is not None else None
    key = None
    if stored is not None:
        key = credentials.private_key(tx, stored)
    elif row.private_key is not None:
        key = tx.vault.open(TABLE, row.uid, "private_key", row.private_key)
    username = row.username or (stored.username if stored else None) or DEFAULT_USERNAME
    named = stored.name if stored else None
    return Login(server.host, server.port, username, key, pin(tx, server.id), named, server.name)


def is_reachable(tx: Tx, server: Server) -> bool:
    """Whether something says how to sign in to it."""
    return server.provider == servers.LOCAL or _row(tx, server.id) is not None


def check_reachable(tx: Tx, server: Server) -> None:
    """Raise `Conflict` (`ssh_credential_missing`) for a server that nothing says how to sign in to."""
    if not is_reachable(tx, server):
        raise credential_missing(server.name)


def same_machine(tx: Tx, server: Server) -> list[Server]:
    """The server, and those that are the same machine by their address or by the host key that was seen, of whichever
    organization; in the order of their rows.
    """
    return at_address(tx, server.provider, server.host, server.port, pin(tx, server.id))


def is_being_left(tx: Tx, server: Server) -> bool:
    """Whether its machine is being uninstalled under any name: one that was registered since does not say so itself."""
    if server.provider == servers.LOCAL:
        return False
    return any(one.uninstalling_at is not None for one in same_machine(tx, server))


def held(tx: Tx, server_ref: str, *, shared: bool = False) -> Server:
    """`servers.locked` for work that goes there, under every name of its machine: who leaves one holds those that he
    knows, so that one of both sees what the other has begun. The other names are held shared.
    """
    found = servers.find(tx, server_ref)
    hold_names(tx, [found], own=None if shared else found)
    return servers.find(tx, server_ref)


def hold_names(tx: Tx, places: Iterable[Server], *, own: Server | None = None) -> None:
    """Rely on these servers under every name of their machines, in the order of their rows; `own` is to be changed."""
    named = {one.id: one for place in places for one in _names(tx, place)}
    for _, one in sorted(named.items()):
        servers.hold(tx, one, shared=own is None or one.id != own.id)


def _names(tx: Tx, server: Server) -> list[Server]:
    return [server] if server.provider == servers.LOCAL else same_machine(tx, server)


def check_takes(tx: Tx, server: Server) -> None:
    """Raise what keeps new work from a server, deployments, its edge and its engine alike: `Conflict` with
    `server_inactive` or `ssh_credential_missing`. The caller holds it as `held` does.
    """
    servers.check_active(server)
    check_enterable(tx, server)


def check_enterable(tx: Tx, server: Server) -> None:
    """The same for what is only taken away there, which a deactivated server takes, too."""
    if is_being_left(tx, server):
        raise servers.being_uninstalled(server)
    check_reachable(tx, server)


def at_address(tx: Tx, provider: str, host: str, port: int, known: HostKeyPin | None = None) -> list[Server]:
    """The same for a machine that need not be registered: by its address, and by the host key where one is known."""
    if provider == servers.LOCAL:
        return list(tx.scalars(select(Server).where(Server.provider == servers.LOCAL).order_by(Server.id)))
    same = (Server.host == host) & (Server.port == port)
    if known is not None:
        same |= Server.id.in_(select(HostKey.server_id).where(HostKey.fingerprint == known.fingerprint))
    return list(tx.scalars(select(Server).where(Server.provider != servers.LOCAL, same).order_by(Server.id)))


def draft_login(tx: Tx, host: str, port: int, way: Way | None) -> Login:
    """The same for a server that is not registered."""
    if way is None:
        raise credential_missing(host)
    _check_agent(tx, way)
    username, key, name = check_username(way.username), None, None
    if way.kind == STORED:
        stored = credentials.find(tx, way.credential_ref or "")
        username, key, name = username or stored.username, credentials.private_key(tx, stored), stored.name
    elif way.kind == INLINE and way.private_key is not None:
        key = key_pair(way.private_key, way.public_key).private
    where = (servers.check_host(host), servers.check_port(port))
    return Login(*where, username or DEFAULT_USERNAME, key, credential=name)


def credential_missing(name: str) -> Conflict:
    return Conflict(
        f"Nothing says how to sign in to {name}.",
        code="ssh_credential_missing",
        hint=f"Give it a credential: qd server credential {shlex.quote(name)} --credential …, or its page in the "
        "console.",
    )


def way_missing(host: str) -> Conflict:
    """The same of a machine that is no server yet."""
    return Conflict(
        f"Nothing says how to sign in to {host}.",
        code="ssh_credential_missing",
        hint="Choose what it is signed in to with: a new key, a stored one, or the SSH agent.",
    )


def _check_agent(tx: Tx, way: Way) -> None:
    """The agent's keys are those of whoever runs the control plane, not those of every organization on it."""
    if way.kind == AGENT and not tx.part(Machine).answers(tx, LOCAL_AGENT):
        raise _agent_refused()


def _agent_refused() -> Forbidden:
    return Forbidden(
        "The SSH agent of the control plane's account is not yours to use.",
        code="ssh_agent_refused",
        hint="Give the server a key of its own, or ask an administrator of this installation's first organization.",
    )


def host_key(tx: Tx, server_id: int) -> HostKey | None:
    return tx.first(select(HostKey).where(HostKey.server_id == server_id))


def host_keys(tx: Tx, rows: Sequence[Server]) -> dict[int, HostKey]:
    """The pinned keys of these servers by row id."""
    mine = select(HostKey).where(HostKey.server_id.in_([row.id for row in rows]))
    return {one.server_id: one for one in tx.scalars(mine)}


def pin(tx: Tx, server_id: int) -> HostKeyPin | None:
    row = host_key(tx, server_id)
    return None if row is None else HostKeyPin(row.fingerprint, row.algorithm)


def keep_host_key(tx: Tx, server_id: int, seen: HostKeyPin) -> None:
    """Pin the key of the first contact. A key that is pinned already is never replaced here."""
    server = servers.observed(tx, server_id)
    if server is None:
        return  # deleted while it was contacted
    row = host_key(tx, server.id)
    if row is None:
        _pin(tx, server, seen)
        noting.note(
            tx,
            server,
            AccessAction.HOST_KEY_PINNED,
            {"fingerprint": seen.fingerprint, "algorithm": seen.algorithm},
        )
    elif row.fingerprint == seen.fingerprint and row.algorithm is None:
        row.algorithm = seen.algorithm


def accept_host_key(tx: Tx, server_ref: str, fingerprint: str) -> HostKey:
    """From now on expect the key with this fingerprint: the server was set up anew, and somebody has compared."""
    server = servers.locked(tx, server_ref)
    servers.check_active(server)
    fingerprint = check_fingerprint(fingerprint)
    row = host_key(tx, server.id)
    if row is not None and row.fingerprint == fingerprint:
        return row
    before = row.fingerprint if row is not None else None
    made = _pin(tx, server, HostKeyPin(fingerprint))
    noting.note(
        tx,
        server,
        AccessAction.HOST_KEY_ACCEPTED,
        {"fingerprint": fingerprint, "before": before},
    )
    return made


def check_fingerprint(fingerprint: str) -> str:
    """The fingerprint as it is kept. Raises `Invalid` for what is none."""
    if not FINGERPRINT.fullmatch(fingerprint):
        raise Invalid(
            "This is not the fingerprint of a host key.",
            hint="It begins with SHA256:. On the server: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
            field="fingerprint",
        )
    return fingerprint.rstrip("=")


def forget(tx: Tx, server_id: int) -> None:
    """Remove what is kept of a server that goes."""
    tx.execute(delete(ServerCredential).where(ServerCredential.server_id == server_id))
    tx.execute(delete(HostKey).where(HostKey.server_id == server_id))


def _pin(tx: Tx, server: Server, seen: HostKeyPin) -> HostKey:
    row = host_key(tx, server.id) or HostKey(uid=tx.ids.uid(), server_id=server.id)
    row.fingerprint, row.algorithm, row.pinned_at = seen.fingerprint, seen.algorithm, tx.now
    tx.add(row)
    tx.flush()
    return row


def _row(tx: Tx, server_id: int) -> ServerCredential | None:
    return tx.first(select(ServerCredential).where(ServerCredential.server_id == server_id))
