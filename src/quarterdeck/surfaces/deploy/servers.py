"""Servers, and the policies that give access domains."""

from __future__ import annotations

from typing import Any

from quarterdeck.deploy.deployments import rollups
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.credentials.access import AGENT, INLINE, Shown
from quarterdeck.fleet.servers import access_policies, servers
from quarterdeck.fleet.servers.model import AccessPolicy, Server
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import at, limit_of, plain, present
from quarterdeck.surfaces.deploy.wire import default_access_domain_policies as policy_wire
from quarterdeck.surfaces.deploy.wire import servers as wire
from quarterdeck.surfaces.shared.values import given


def credential(shown: Shown) -> dict[str, Any]:
    """What may be told of how a server is signed in to."""
    agent = shown.row.kind == AGENT
    return present(
        kind=AGENT if agent else INLINE,
        credentialId=shown.stored.ref if shown.stored else None,
        credentialName=shown.stored.name if shown.stored else None,
        username=shown.username,
        publicKeyConfigured=not agent,
        privateKeyConfigured=not agent,
    )


def items(tx: Tx, rows: list[Server]) -> list[dict[str, Any]]:
    known = access.of_servers(tx, rows)
    return [item(row, known.get(row.id)) for row in rows]


def item(server: Server, shown: Shown | None) -> dict[str, Any]:
    return present(
        id=server.ref,
        name=server.name,
        host=server.host,
        port=server.port,
        providerKey=server.provider,
        targetKind=server.target_kind,
        lifecycleStatus=server.lifecycle,
        deactivatedAt=at(server.deactivated_at),
        deactivationReason=server.deactivation_reason,
        edgeProxy=present(
            kind=server.proxy_kind,
            status=server.proxy_status,
            lastAttemptAt=at(server.proxy_attempted_at),
            lastSucceededAt=at(server.proxy_succeeded_at),
            lastErrorCode=server.proxy_error_code,
            lastErrorMessage=server.proxy_error_message,
        ),
        credential=None if shown is None else credential(shown),
        createdAt=wire_time(server.created_at),
    )


@operation("servers.count")
async def count(call: Call) -> dict[str, int]:
    return {"count": await call.read(servers.count)}


@operation("servers.list")
async def newest(call: Call, query: wire.ServersListQuery) -> dict[str, Any]:
    def verb(tx: Tx) -> list[dict[str, Any]]:
        return items(tx, servers.newest(tx, limit_of(query)))

    return {"items": await call.read(verb)}


@operation("servers.register")
async def register(call: Call, body: wire.ServersRegisterBody) -> dict[str, str]:
    made = await call.write(
        servers.register,
        name=body.name,
        host=body.host,
        provider=body.provider_key,
        target_kind=given(body.target_kind) or "single-server",
        port=given(body.port) or 22,
        proxy_kind=given(body.proxy_kind) or "traefik",
    )
    return {"id": made.ref}


@operation("servers.show")
async def show(call: Call, server_id: str, query: wire.ServersShowQuery) -> dict[str, Any]:
    def verb(tx: Tx) -> dict[str, Any]:
        server = servers.find(tx, server_id)
        body: dict[str, Any] = {"schemaVersion": "servers.show/v1", "server": items(tx, [server])[0]}
        if given(query.include_rollups) is not False:
            body["rollups"] = rollups.of_server(tx, server.id)
        return {**body, "generatedAt": wire_time(tx.now)}

    return await call.read(verb)


def policy(row: AccessPolicy, server_ref: str | None) -> dict[str, Any]:
    return present(
        schemaVersion="default-access-domain-policies.policy/v1",
        id=row.ref,
        scope=scope(server_ref),
        mode=row.mode,
        providerKey=row.provider,
        templateRef=row.template,
        updatedAt=wire_time(row.updated_at),
    )


def scope(server_ref: str | None) -> dict[str, str]:
    return {"kind": "deployment-target", "serverId": server_ref} if server_ref else {"kind": "system"}


@operation("default-access-domain-policies.list")
async def policies(call: Call) -> dict[str, Any]:
    rows = await call.read(access_policies.all_of)
    return {"schemaVersion": "default-access-domain-policies.list/v1", "items": [policy(*row) for row in rows]}


@operation("default-access-domain-policies.configure")
async def configure_policy(call: Call, body: policy_wire.DefaultAccessDomainPoliciesConfigureBody) -> dict[str, str]:
    where = plain(body.scope) or {}

    def verb(tx: Tx) -> dict[str, str]:
        made = access_policies.configure(
            tx,
            server_ref=where.get("serverId"),
            mode=body.mode,
            provider=given(body.provider_key),
            template=given(body.template_ref),
        )
        return {"id": made.ref}

    return await call.write_once(body, verb)


@operation("default-access-domain-policies.show")
async def show_policy(call: Call, query: policy_wire.DefaultAccessDomainPoliciesShowQuery) -> dict[str, Any]:
    server_ref = given(query.server_id) if given(query.scope_kind) == "deployment-target" else None
    row = await call.read(access_policies.show, server_ref)
    return {
        "schemaVersion": "default-access-domain-policies.show/v1",
        "scope": scope(server_ref),
        "policy": policy(row, server_ref) if row is not None else None,
    }
