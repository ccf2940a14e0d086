"""Policies of removing what is old on servers."""

from __future__ import annotations

from typing import Any

from quarterdeck.fleet.capacity import policies
from quarterdeck.fleet.capacity.model import PrunePolicy
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.wire import servers_capacity as wire
from quarterdeck.surfaces.shared.values import given


def item(policy: PrunePolicy) -> dict[str, Any]:
    return {
        "schemaVersion": "scheduled-runtime-prune-policies.policy/v1",
        "id": policy.ref,
        "version": policy.version,
        "scope": policy.scope,
        "serverId": policy.server,
        "retentionDays": policy.retention_days,
        "destructive": policy.destructive,
        "categories": policy.categories,
        "categoryCount": len(policy.categories),
        "retryOnFailure": policy.retry_on_failure,
        "enabled": policy.enabled,
        "updatedAt": wire_time(policy.updated_at),
    }


@operation("scheduled-runtime-prune-policies.list")
async def newest(call: Call, query: wire.ScheduledRuntimePrunePoliciesListQuery) -> dict[str, Any]:
    def verb(tx: Tx) -> list[dict[str, Any]]:
        found = policies.listed(
            tx, server=given(query.server_id), scope=given(query.scope), enabled_only=given(query.enabled_only) is True
        )
        return [item(one) for one in found]

    return {"schemaVersion": "scheduled-runtime-prune-policies.list/v1", "items": await call.read(verb)}


@operation("scheduled-runtime-prune-policies.configure", further=((404, "not_found"),))
async def configure(call: Call, body: wire.ScheduledRuntimePrunePoliciesConfigureBody) -> dict[str, Any]:
    wish = policies.Wish(
        version=body.version,
        scope=body.scope,
        server=body.server_id,
        retention_days=body.retention_days,
        destructive=body.destructive,
        categories=list(dict.fromkeys(body.categories)),
        retry_on_failure=body.retry_on_failure,
        enabled=body.enabled,
    )
    made = await call.write(policies.configure, given(body.policy_id), wish)
    return {"id": made.ref}


@operation("scheduled-runtime-prune-policies.show")
async def show(call: Call, policy_id: str) -> dict[str, Any]:
    def verb(tx: Tx) -> dict[str, Any] | None:
        found = policies.find(tx, policy_id)
        return None if found is None else item(found)

    return {"schemaVersion": "scheduled-runtime-prune-policies.show/v1", "policy": await call.read(verb)}
