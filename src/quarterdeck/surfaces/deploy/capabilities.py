"""What the caller may do, and what their organization is entitled to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.access import CATALOGUE, Access, Place
from quarterdeck.access.facts import TENANT
from quarterdeck.deploy.deployments import deployments
from quarterdeck.deploy.resources import resources
from quarterdeck.fleet.servers import servers
from quarterdeck.identity import organizations
from quarterdeck.identity.model import Organization
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.contract import operation_named
from quarterdeck.surfaces.deploy.facts import require_own
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.wire import capabilities as wire
from quarterdeck.surfaces.deploy.wire import entitlements
from quarterdeck.surfaces.deploy.wire.operations import ROOMS
from quarterdeck.surfaces.shared.values import given
from quarterdeck.workspace import environments, projects

FINDERS = {
    "projectId": projects.find,
    "environmentId": environments.find,
    "resourceId": resources.find,
    "serverId": servers.find,
    "deploymentId": deployments.find,
}
ALLOWED = {"allowed": True, "mode": "unrestricted", "hint": "enabled", "reason": "operation-capability-allowed"}
UNSEEN = ((404, "not_found"),)


def denied(key: str, hint: str, reason: str, **details: str) -> dict[str, Any]:
    said = {name: value for name, value in details.items() if value}
    answer = {"operationKey": key, "allowed": False, "mode": "denied", "hint": hint, "reason": reason}
    return {**answer, "details": said} if said else answer


def answer(tx: Tx, access: Access, asked: wire.CapabilitiesQueryBodyQueriesItem) -> dict[str, Any]:
    key, permission = asked.operation_key, f"deploy:{asked.operation_key}"
    if key in ROOMS and operation_named(key).auth in {"public", "webhook"}:
        return {"operationKey": key, **ALLOWED}
    if permission not in CATALOGUE:
        return denied(key, "hidden", "operation-unknown")
    before = tx.principal
    try:
        where = _place(tx, given(asked.organization_id))
        if where is None:
            return denied(key, "hidden", "organization-not-visible")
        decision = access.decide(tx.principal, permission, Place(where.id))
        if not decision.allowed:
            return denied(
                key,
                "disabled",
                "operation-capability-denied",
                permission=permission,
                organizationId=where.ref,
                explanation=decision.reason,
                remedy=decision.remedy,
            )
        organizations.act_in(tx, where)
        if not _visible(tx, given(asked.resource_refs) or {}):
            return denied(key, "hidden", "resource-not-visible", organizationId=where.ref)
    finally:
        tx.act_as(before)
    mode = "constrained" if before.scopes else "unrestricted"
    return {"operationKey": key, **ALLOWED, "mode": mode}


def _place(tx: Tx, ref: str | None) -> Organization | None:
    mine = organizations.reachable(tx)
    return next(
        (one for one in mine if one.ref == ref or (ref is None and one.id == tx.principal.organization_id)), None
    )


def _visible(tx: Tx, refs: Mapping[str, str]) -> bool:
    try:
        for name, find in FINDERS.items():
            if name in refs:
                find(tx, refs[name])
    except NotFound:
        return False
    return True


@operation("capabilities.query")
async def query(call: Call, body: wire.CapabilitiesQueryBody, access: Access) -> dict[str, Any]:
    def verb(tx: Tx) -> list[dict[str, Any]]:
        access.load(tx)
        return [answer(tx, access, asked) for asked in body.queries]

    return {"capabilities": await call.read(verb)}


@operation("entitlements.query", further=UNSEEN)
async def entitled(call: Call, body: entitlements.EntitlementsQueryBody) -> dict[str, Any]:
    def verb(tx: Tx) -> list[dict[str, Any]]:
        found = []
        for asked in body.queries:
            require_own(tx, asked.actor)
            named = given(asked.organization_id)
            if named is not None and _place(tx, named) is None:
                raise NotFound(f"There is no organization {named[:60]}, or you are no member of it.")
            found.append(
                {
                    "capabilityKey": asked.capability_key,
                    "entitled": True,
                    "status": "entitled",
                    "mode": "unrestricted",
                    "hint": "enabled",
                    "reason": "entitlement-default-allow",
                    "source": "default",
                    "details": {"capabilityKey": asked.capability_key, "tenantId": given(asked.tenant_id) or TENANT},
                }
            )
        return found

    return {"entitlements": await call.read(verb)}
