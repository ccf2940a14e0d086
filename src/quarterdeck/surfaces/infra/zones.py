"""Zones (contract: infra §1.1)."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, structs

from quarterdeck.access import Access
from quarterdeck.infra.zones import listing, zones
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.infra.shapes import at, told
from quarterdeck.surfaces.infra.wire import zones as wire
from quarterdeck.surfaces.infra.wire.device_login import Success
from quarterdeck.surfaces.shared.values import given

HERE, ONE = "/api/cli/zones", "/api/cli/zones/{id}"
VIEW, MANAGE = "infra:zones.view", "infra:zones.manage"
UNKNOWN = ((404, "zone_not_found"),)
NAMING = ((400, "validation_error"), (409, "zone_name_taken"), (409, "project_archived"))


@route("GET", HERE, permission=VIEW, errors=UNKNOWN)
async def listed(call: Call, query: wire.ZonesQuery) -> wire.InfraZones:
    """Zones with their specs, newest first."""

    def verb(tx: Tx) -> wire.InfraZones:
        found, more = listing.page(tx, query.limit, given(query.before))
        return wire.InfraZones(
            zones=[shape(one, specs=True) for one in found], next=found[-1].zone.uid if more else None
        )

    return await call.read(verb)


@route("POST", HERE, permission=MANAGE, errors=NAMING)
async def create(call: Call, body: wire.ZoneCreate) -> wire.OneZone:
    """Make a zone. A project of that name which is no zone yet becomes one."""
    name = given(body.name)
    if not name or not name.strip():
        raise Invalid("Name is required", hint="Send a name.", field="name")

    def verb(tx: Tx) -> wire.OneZone:
        zone = zones.create(tx, name, given(body.description))
        return wire.OneZone(zone=shape(listing.described(tx, [zone])[0]))

    return await call.write(verb)


@route("GET", ONE, permission=VIEW, errors=UNKNOWN)
async def show(call: Call) -> wire.OneZone:
    """One zone with its specs."""
    uid = call.path["id"]
    return await call.read(lambda tx: _whole(tx, zones.find(tx, uid)))


@route("PUT", ONE, permission=MANAGE, errors=(*NAMING, (403, "product_auth_forbidden"), *UNKNOWN))
async def change(call: Call, body: wire.ZoneChange, access: Access) -> wire.OneZone:
    """Change what is given."""
    uid = call.path["id"]
    return await call.write(lambda tx: _whole(tx, zones.change(tx, access, uid, told(**structs.asdict(body)))))


@route("DELETE", ONE, permission=MANAGE, errors=((403, "product_auth_forbidden"), *UNKNOWN))
async def delete(call: Call, access: Access) -> Success:
    """Delete a zone. Its specs stay, in no zone; the project that it is a part of stays, too."""
    uid = call.path["id"]
    await call.write(lambda tx: zones.delete(tx, access, uid))
    return Success()


def _whole(tx: Tx, zone: Any) -> wire.OneZone:
    return wire.OneZone(zone=shape(listing.described(tx, [zone])[0], specs=True))


def shape(one: listing.Listed, *, specs: bool = False) -> wire.InfraZone:
    zone = one.zone
    return wire.InfraZone(
        id=zone.uid,
        user_id=one.owner,
        name=one.project.name,
        description=zone.description,
        approvals=zone.approvals,
        destroy_approvals=zone.destroy_approvals,
        created_at=at(zone.created_at),
        updated_at=at(zone.updated_at),
        spec_count=one.spec_count if specs else UNSET,
        specs=[
            wire.ZoneSpec(
                id=spec.uid,
                project_name=spec.project_name,
                environment_stage=spec.environment_stage,
                status=spec.status,
                region=spec.region,
                provider=spec.provider,
            )
            for spec in one.specs
        ]
        if specs
        else UNSET,
    )
