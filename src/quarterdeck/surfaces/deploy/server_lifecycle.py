"""What becomes of a server, and its edge."""

from __future__ import annotations

from typing import Any

from quarterdeck.fleet.servers import lifecycle, proxies, servers
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import present
from quarterdeck.surfaces.deploy.wire import servers as wire
from quarterdeck.surfaces.shared.values import given

ENTITIES = {
    "active-server": "server",
    "deployment-history": "deployment",
    "active-deployment": "deployment",
    "resource-placement": "resource",
    "default-access-policy": "default-access-domain-policy",
    "runtime-task": "operator-work",
}
"""What kind of thing a blocker word counts."""


@operation("servers.rename")
async def rename(call: Call, server_id: str, body: wire.ServersRenameBody) -> dict[str, Any]:
    return await call.write_once(body, lambda tx: {"id": lifecycle.rename(tx, server_id, body.name).ref})


@operation("servers.deactivate")
async def deactivate(call: Call, server_id: str, body: wire.ServersDeactivateBody) -> dict[str, Any]:
    return await call.write_once(body, lambda tx: {"id": lifecycle.deactivate(tx, server_id, given(body.reason)).ref})


@operation("servers.delete")
async def delete(call: Call, server_id: str, body: wire.ServersDeleteBody) -> dict[str, Any]:
    registry = call.service("deletion_blockers")

    def verb(tx: Tx) -> dict[str, str]:
        lifecycle.delete(tx, server_id, body.confirmation.server_id, registry)
        return {"id": server_id}

    return await call.write_once(body, verb)


@operation("servers.delete-check")
async def delete_check(call: Call, server_id: str) -> dict[str, Any]:
    registry = call.service("deletion_blockers")

    def verb(tx: Tx) -> dict[str, Any]:
        server = servers.find(tx, server_id)
        standing = lifecycle.blockers(tx, server, registry)
        return {
            "schemaVersion": "servers.delete-check/v1",
            "serverId": server.ref,
            "lifecycleStatus": server.lifecycle,
            "eligible": not standing,
            "blockers": [
                present(
                    kind=kind,
                    relatedEntityId=server.ref if kind == "active-server" else None,
                    relatedEntityType=ENTITIES.get(kind),
                    count=number,
                )
                for kind, number in standing
            ],
            "checkedAt": wire_time(tx.now),
        }

    return await call.read(verb)


@operation("servers.configure-edge-proxy")
async def configure_edge(call: Call, server_id: str, body: wire.ServersConfigureEdgeProxyBody) -> dict[str, Any]:
    def verb(tx: Tx) -> dict[str, Any]:
        server = proxies.configure(tx, server_id, body.proxy_kind)
        return {"id": server.ref, "edgeProxy": {"kind": server.proxy_kind, "status": server.proxy_status}}

    return await call.write_once(body, verb)


@operation("servers.bootstrap-proxy", further=((409, "conflict"), (502, "runtime_target_unsupported")))
async def bootstrap_edge(call: Call, server_id: str, body: wire.ServersBootstrapProxyBody) -> dict[str, str]:
    attempt = await call.write(
        proxies.bootstrap,
        server_id,
        provider_key=given(body.edge_proxy_provider_key),
        attempt_ref=given(body.attempt_id),
        reason=body.reason,
    )
    return {"serverId": server_id, "attemptId": attempt.ref}
