"""Records of usage, of deployment overlays and of route surfaces."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from quarterdeck.access import Access, facts
from quarterdeck.access.model import Fact
from quarterdeck.identity import organizations, proving, users
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.identities import wire_id
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import instant_of, limit_of, plain
from quarterdeck.surfaces.deploy.wire import deployment_overlays, route_surfaces, usage_intents
from quarterdeck.surfaces.shared.values import given

UNSEEN = ((404, "not_found"),)
REFUSED = (*UNSEEN, (400, "validation_error"), (403, "operation_authorization_denied"))
NOOP = {"deployment-overlay": "deployment-overlay-default-noop", "route-surface": "route-surface-default-noop"}


def require_own(tx: Tx, actor: Any) -> None:
    """Who is said to act is who calls. Raises `Forbidden` (`operation_authorization_denied`)."""
    if actor is UNSET:
        return
    user = proving.me(tx)
    named, address = given(actor.user_id), given(actor.email)
    other = (named is not None and users.by_uid(tx, named) is not user) or (
        address is not None and address.lower() != (user.email or "").lower()
    )
    if other:
        raise Forbidden(
            "The actor is somebody else than you.",
            code="operation_authorization_denied",
            hint="Leave actor out: you are meant then.",
        )


def enter(tx: Tx, access: Access, call: Call, named: Any) -> str:
    """The organization that a request means, by name or as the current one: the caller has the permission there."""
    if named is UNSET:
        named = organizations.here(tx).ref
    return organizations.enter(tx, access, named, call.endpoint.permission).ref


async def recorded(call: Call, access: Access, kind: facts.Kind, body: Any, key: str | None = None) -> facts.Recorded:
    """Keep what a body says, with the caller as its actor."""
    said = plain(body) or {}
    added: dict[str, Any] = {}
    if kind == "usage-intent":
        asked = said.pop("occurredAt", None)
        if asked is not None:
            said["occurredAt"] = wire_time(instant_of(asked, "occurredAt"))

    def verb(tx: Tx) -> facts.Recorded:
        added["organizationId"] = enter(tx, access, call, body.organization_id)
        require_own(tx, body.actor)
        user = proving.me(tx)
        added["actor"] = {"kind": "user", "id": wire_id(user.uid), "userId": wire_id(user.uid)}
        if kind == "usage-intent":
            added["occurredAt"] = wire_time(tx.now)
        return facts.record(tx, kind, said, added, key=key)

    return await call.write(verb)


async def listed(call: Call, access: Access, kind: facts.Kind, query: Any) -> list[Fact]:
    wanted = plain(query) or {}

    def verb(tx: Tx) -> list[Fact]:
        enter(tx, access, call, query.organization_id)
        return facts.newest(tx, kind, wanted, limit_of(query))

    return await call.read(verb)


def usage(fact: Fact, status: str = "accepted") -> dict[str, Any]:
    reason = "usage-intent-recorded"
    stamped = {"id": fact.ref, "status": status, "reason": reason, "recordedAt": wire_time(fact.at)}
    return {"schemaVersion": "usage-intent.record/v1", **fact.body, **stamped}


def decision(fact: Fact) -> dict[str, Any]:
    """Overlays and route surfaces: nothing is built in that would do more than stand aside."""
    stamped = {"id": fact.ref, "decision": "skipped", "reason": NOOP[fact.kind], "decidedAt": wire_time(fact.at)}
    return {"schemaVersion": f"{fact.kind}.decision/v1", **fact.body, **stamped}


def decided(fact: Fact) -> dict[str, Any]:
    record = decision(fact)
    kept = ("operationKey", "decision", "reason", "source", "surfaceKind")
    return {**{name: record[name] for name in kept if name in record}, "allowed": True, "record": record}


@operation("usage-intents.list", elsewhere=True, further=UNSEEN)
async def list_usage(call: Call, query: usage_intents.UsageIntentsListQuery, access: Access) -> dict[str, Any]:
    return {"records": [usage(fact) for fact in await listed(call, access, "usage-intent", query)]}


@operation("usage-intents.record", elsewhere=True, further=REFUSED)
async def record_usage(call: Call, body: usage_intents.UsageIntentsRecordBody, access: Access) -> dict[str, Any]:
    kept = await recorded(call, access, "usage-intent", body, body.idempotency_key)
    return {
        "result": {
            "idempotencyKey": body.idempotency_key,
            "capabilityKey": body.capability_key,
            "accepted": True,
            "duplicate": kept.again,
            "status": "duplicate" if kept.again else "accepted",
            "reason": "usage-intent-duplicate" if kept.again else "usage-intent-recorded",
            "source": body.source,
            "record": usage(kept.fact),
        }
    }


@operation("deployment-overlays.list", elsewhere=True, further=UNSEEN)
async def list_overlays(
    call: Call, query: deployment_overlays.DeploymentOverlaysListQuery, access: Access
) -> dict[str, Any]:
    return {"records": [decision(fact) for fact in await listed(call, access, "deployment-overlay", query)]}


@operation("deployment-overlays.record", elsewhere=True, further=REFUSED)
async def record_overlay(
    call: Call, body: deployment_overlays.DeploymentOverlaysRecordBody, access: Access
) -> dict[str, Any]:
    return {"result": decided((await recorded(call, access, "deployment-overlay", body)).fact)}


@operation("route-surfaces.list", elsewhere=True, further=UNSEEN)
async def list_route_surfaces(
    call: Call, query: route_surfaces.RouteSurfacesListQuery, access: Access
) -> dict[str, Any]:
    return {"records": [decision(fact) for fact in await listed(call, access, "route-surface", query)]}


@operation("route-surfaces.record", elsewhere=True, further=REFUSED)
async def record_route_surface(
    call: Call, body: route_surfaces.RouteSurfacesRecordBody, access: Access
) -> dict[str, Any]:
    return {"result": decided((await recorded(call, access, "route-surface", body)).fact)}
