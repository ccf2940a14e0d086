"""Where secrets are kept, as administrators define it."""

from __future__ import annotations

from msgspec import UNSET

from quarterdeck.broker.connections import connections
from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.tenancy import projects
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.wire import connections as wire
from quarterdeck.surfaces.shared.values import given
from quarterdeck.workspace.model import Project

EDIT = "broker:integration.edit"
MISSING = ((400, "id_malformed"), (404, "connection_not_found"))
SERVER = (403, "connection_server_refused")
MALFORMED = ((400, "validation_error"), (400, "connection_malformed"), (400, "provider_unknown"))


@route("GET", "/api/v1/provider-connections", permission="authenticated", narrowed="broker")
async def index(call: Call) -> list[wire.Connection]:
    """The connections that requests can name, by name. Nothing of their credentials is told."""
    return await call.read(lambda tx: [shown(tx, one) for one in connections.listed(tx)])


@route(
    "POST",
    "/api/v1/provider-connections",
    permission=EDIT,
    status=201,
    errors=(*MALFORMED, SERVER, (404, "project_not_found"), (409, "connection_name_taken")),
)
async def create(call: Call, body: wire.NewConnection) -> wire.Connection:
    """Define where secrets are kept."""

    def verb(tx: Tx) -> wire.Connection:
        named = given(body.project_id)
        made = connections.create(
            tx,
            body.name,
            body.provider_type,
            given(body.config) or {},
            Secret(text) if (text := given(body.credential)) else None,
            project=projects.usable(tx, shapes.uid(named, "project_id")) if named else None,
            environment_name=given(body.environment) or None,
            agent_scope=given(body.agent_scope),
            discover_seconds=body.discover_seconds,
        )
        return shown(tx, made)

    return await call.write(verb)


@route(
    "PUT",
    "/api/v1/provider-connections/{id}",
    permission=EDIT,
    errors=(*MISSING, *MALFORMED, SERVER, (400, "connection_credential_needed")),
)
async def change(call: Call, id: str, body: wire.ConnectionChange) -> wire.Connection:  # noqa: A002
    """Change what is given of a connection."""
    uid = shapes.uid(id)

    def verb(tx: Tx) -> wire.Connection:
        kept = connections.change(
            tx,
            uid,
            config=given(body.config),
            credential=Secret(text) if (text := given(body.credential)) is not None else None,
            enabled=given(body.enabled),
            discover_seconds=given(body.discover_seconds),
        )
        return shown(tx, kept)

    return await call.write(verb)


@route("DELETE", "/api/v1/provider-connections/{id}", permission=EDIT, status=204, errors=MISSING)
async def delete(call: Call, id: str) -> None:  # noqa: A002
    """Delete a connection. What was asked for by it and waits, fails."""
    uid = shapes.uid(id)
    await call.write(lambda tx: connections.delete(tx, uid))


def shown(tx: Tx, one: Connection) -> wire.Connection:
    project = tx.get(Project, one.project_id) if one.project_id is not None else None
    return wire.Connection(
        id=one.uid,
        name=one.name,
        provider_type=one.provider_type,  # type: ignore[arg-type]  # one of the providers
        config=dict(one.config),
        has_credential=one.credential is not None,
        agent_scope=dict(one.agent_scope),
        enabled=one.enabled,
        discover_seconds=one.discover_seconds,
        project_id=project.uid if project is not None else UNSET,
        environment=one.environment_name or UNSET,
        discovered_at=shapes.at(one.discovered_at) if one.discovered_at is not None else UNSET,
        checked_at=shapes.at(one.checked_at) if one.checked_at is not None else UNSET,
        health_error=one.health_error or UNSET,
        created_at=shapes.at(one.created_at),
        updated_at=shapes.at(one.updated_at),
    )
