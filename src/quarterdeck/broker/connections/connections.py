"""Connections: defined by administrators, named by requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from quarterdeck.broker.connections.actions import ConnectionAction
from quarterdeck.broker.connections.configuration import check
from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.work.placing import SERVER_ALLOWED
from quarterdeck.identity.machine import Machine
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from quarterdeck.kernel.text import one_line, several
from quarterdeck.kernel.vault import Secret
from quarterdeck.workspace.model import Project

TABLE, FIELD = "broker_connections", "credential"
STREAM = "secret-connection:"
NAMED = "connection"
"""The one word that a request may say of where a secret is kept."""
LONGEST_CREDENTIAL = 16_384
MOST = 500
SHORTEST_DISCOVERY = 300


def find(tx: Tx, uid: str) -> Connection:
    """One of the caller's organization. Raises `NotFound` (`connection_not_found`)."""
    query = select(Connection).where(Connection.uid == uid, Connection.deleted_at.is_(None))
    found = tx.first(query.where(Connection.organization_id == tx.principal.acts_in))
    if found is None:
        raise NotFound("There is no such connection.", code="connection_not_found", hint="List the connections.")
    return found


def locked(tx: Tx, uid: str) -> Connection:
    """`find` for a change: nobody else changes it until the unit ends."""
    seen = find(tx, uid)
    tx.first(select(Connection).where(Connection.id == seen.id).with_for_update())
    tx.session.expire(seen)
    return find(tx, uid)


def listed(tx: Tx) -> Sequence[Connection]:
    """Those of the caller's organization, by name."""
    here = (Connection.organization_id == tx.principal.acts_in, Connection.deleted_at.is_(None))
    return list(tx.scalars(select(Connection).where(*here).order_by(Connection.name).limit(MOST)))


def create(
    tx: Tx,
    name: str,
    provider_type: str,
    config: Mapping[str, Any],
    credential: Secret[str] | None,
    *,
    project: Project | None = None,
    environment_name: str | None = None,
    agent_scope: Mapping[str, str] | None = None,
    discover_seconds: int = 0,
) -> Connection:
    """Define one. Raises `Invalid`, `Forbidden` (`connection_server_refused`) and `Conflict`
    (`connection_name_taken`).
    """
    named = one_line(name, "name")
    _require_may_use_server(tx, config)
    tx.lock(f"broker-connections:{tx.principal.acts_in}")
    _require_free(tx, named)
    made = Connection(
        uid=tx.ids.uid(),
        organization_id=tx.principal.acts_in,
        name=named,
        provider_type=provider_type,
        config=check(provider_type, config, credential.reveal() if credential is not None else None),
        project_id=project.id if project is not None else None,
        environment_name=environment_name,
        agent_scope=dict(agent_scope or {}),
        enabled=True,
        discover_seconds=_rhythm(discover_seconds),
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.add(made)
    _seal(tx, made, credential)
    tx.flush()
    _told(tx, made, ConnectionAction.CREATED, "created", provider_type=provider_type)
    return made


def change(
    tx: Tx,
    uid: str,
    *,
    config: Mapping[str, Any] | None = None,
    credential: Secret[str] | None = None,
    enabled: bool | None = None,
    discover_seconds: int | None = None,
) -> Connection:
    """Change what is given. A credential stays only at the address that it was given for: a new address needs it anew
    (`connection_credential_needed`).
    """
    kept = locked(tx, uid)
    _require_may_use_server(tx, config or {})
    changed = []
    if config is not None:
        fresh = check(kept.provider_type, config, credential.reveal() if credential is not None else None)
        moved = any(kept.config.get(word) != fresh.get(word) for word in ("address", "endpoint"))
        if moved and kept.credential is not None and credential is None:
            raise Invalid(
                "The credential of this connection was given for another address.",
                code="connection_credential_needed",
                hint="Send the credential for the new address too.",
                field="credential",
            )
        if fresh != kept.config:
            kept.config = fresh
            changed.append("config")
    if credential is not None:
        _seal(tx, kept, credential)
        changed.append("credential")
    if enabled is not None and enabled != kept.enabled:
        kept.enabled = enabled
        changed.append("enabled")
    if discover_seconds is not None and discover_seconds != kept.discover_seconds:
        kept.discover_seconds = _rhythm(discover_seconds)
        changed.append("discover_seconds")
    if changed:
        kept.updated_at = tx.now
        tx.flush()
        _told(tx, kept, ConnectionAction.CHANGED, "changed", changed=sorted(changed))
    return kept


def delete(tx: Tx, uid: str) -> None:
    """No request names it from now on. Its credential is gone at once, its name free."""
    kept = locked(tx, uid)
    kept.deleted_at, kept.credential, kept.enabled = tx.now, None, False
    kept.updated_at = tx.now
    tx.flush()
    _told(tx, kept, ConnectionAction.DELETED, "deleted")


def choose(
    tx: Tx,
    organization_id: int,
    provider_type: str,
    config: Mapping[str, Any],
    project: Project | None,
    environment_name: str | None,
) -> Connection | None:
    """The connection that a request means: by its name, or the only one of its type for this place. None where none is
    defined: then agents of others use what they are configured with.

    Raises `Invalid` (`provider_config_refused`, `connection_unknown`, `connection_ambiguous`).
    """
    if {*config} - {NAMED} or (NAMED in config and not isinstance(config[NAMED], str)):
        raise Invalid(
            "Requests say no more of where a secret is kept than the name of a connection.",
            code="provider_config_refused",
            hint='Send {"connection": "NAME"}, or nothing.',
            field="target_provider_config",
        )
    name = config.get(NAMED)
    here = [
        one
        for one in tx.scalars(
            select(Connection)
            .where(
                Connection.organization_id == organization_id,
                Connection.provider_type == provider_type,
                Connection.deleted_at.is_(None),
            )
            .order_by(Connection.name)
            .limit(MOST)
        )
        if covers(one, project, environment_name) and (name is None or one.name == name)
    ]
    open_ones = [one for one in here if one.enabled]
    if name is not None and not open_ones:
        raise Invalid(
            f"No connection {name[:60]!r} of {provider_type} is open to this project and environment.",
            code="connection_unknown",
            hint="List the connections, or ask an administrator to define it.",
            field="target_provider_config.connection",
        )
    if len(open_ones) > 1:
        raise Invalid(
            f"Several connections of {provider_type} are meant: {several([one.name for one in open_ones])}.",
            code="connection_ambiguous",
            hint='Name one: {"connection": "NAME"}.',
            field="target_provider_config",
        )
    if here and not open_ones:
        raise Conflict(
            f"The connection {here[0].name!r} is switched off.",
            code="connection_disabled",
            hint="Ask an administrator.",
        )
    return open_ones[0] if open_ones else None


def covers(connection: Connection, project: Project | None, environment_name: str | None) -> bool:
    """Whether requests about this place may name it."""
    if connection.project_id is not None and (project is None or project.id != connection.project_id):
        return False
    return connection.environment_name is None or connection.environment_name == environment_name


def credential(tx: Tx, connection: Connection) -> Secret[str] | None:
    """What it is opened with."""
    if connection.credential is None:
        return None
    return tx.vault.open(TABLE, connection.uid, FIELD, connection.credential)


def _seal(tx: Tx, connection: Connection, given: Secret[str] | None) -> None:
    text = given.reveal() if given is not None else ""
    if len(text) > LONGEST_CREDENTIAL:
        raise Invalid("The credential is too long.", code="connection_malformed", field="credential")
    connection.credential = tx.vault.seal(TABLE, connection.uid, FIELD, text) if text else None


def _require_may_use_server(tx: Tx, config: Mapping[str, Any]) -> None:
    """What the server itself calls is reached from its own network."""
    if config.get(SERVER_ALLOWED) is True and not Machine.belongs_to(tx, tx.principal.acts_in):
        raise Forbidden(
            "The server's own worker calls addresses for the organization that the installation began with alone.",
            code="connection_server_refused",
            hint="Leave allow_server out, and let an agent of yours do it.",
        )


def _rhythm(seconds: int) -> int:
    if seconds and seconds < SHORTEST_DISCOVERY:
        raise Invalid(
            f"Secrets are looked for every {SHORTEST_DISCOVERY} seconds at most.",
            code="connection_malformed",
            hint="0 switches it off.",
            field="discover_seconds",
        )
    return seconds


def _require_free(tx: Tx, name: str) -> None:
    taken = select(Connection.id).where(
        Connection.organization_id == tx.principal.acts_in, Connection.name == name, Connection.deleted_at.is_(None)
    )
    if tx.execute(taken).first() is not None:
        raise Conflict(
            f"There is a connection {name!r} already.", code="connection_name_taken", hint="Choose another name."
        )


def _told(tx: Tx, connection: Connection, action: ConnectionAction, word: str, **detail: object) -> None:
    audit.record(
        tx,
        action,
        resource_type="provider-connection",
        resource_id=connection.uid,
        organization_id=connection.organization_id,
        detail={"name": connection.name, **detail},
    )
    events.append(
        tx,
        f"{STREAM}{connection.uid}",
        f"secret-connection-{word}",
        {"name": connection.name},
        organization_id=connection.organization_id,
    )
