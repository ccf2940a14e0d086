"""Resources: what can be deployed."""

from __future__ import annotations

from typing import Any

from quarterdeck.deploy.deployments.routes import server_of
from quarterdeck.deploy.resources import archiving, overview, resources
from quarterdeck.deploy.resources.drift import drift
from quarterdeck.fleet.servers.model import Destination
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy import resource_shapes as shapes
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import at, limit_of, plain, present
from quarterdeck.surfaces.deploy.wire import resources as wire
from quarterdeck.surfaces.deploy.wire import resources_records as records
from quarterdeck.surfaces.shared.values import given


@operation("resources.count")
async def count(call: Call, query: wire.ResourcesCountQuery) -> dict[str, int]:
    return {"count": await call.read(resources.count, given(query.project_id), given(query.environment_id))}


@operation("resources.list")
async def newest(call: Call, query: records.ResourcesListQuery) -> dict[str, Any]:
    def verb(tx: Tx) -> list[dict[str, Any]]:
        rows = resources.newest(tx, limit_of(query), given(query.project_id), given(query.environment_id))
        return [shapes.listed(view) for view in overview.overviews(tx, [row[0] for row in rows])]

    return {"items": await call.read(verb)}


@operation("resources.create")
async def create(call: Call, body: records.ResourcesCreateBody) -> dict[str, str]:
    made = await call.write(
        resources.create,
        project_ref=body.project_id,
        environment_ref=body.environment_id,
        name=body.name,
        kind=body.kind,
        description=given(body.description),
        services=[plain(service) or {} for service in given(body.services) or []],
        destination_ref=given(body.destination_id),
        source=plain(body.source),
        runtime=plain(body.runtime_profile),
        network=plain(body.network_profile),
    )
    return {"id": made.ref}


@operation("resources.show")
async def show(call: Call, resource_id: str, query: records.ResourcesShowQuery) -> dict[str, Any]:
    def verb(tx: Tx) -> dict[str, Any]:
        row = resources.find(tx, resource_id)
        view = overview.of(tx, row)
        wants_latest = given(query.include_latest_deployment) is not False
        wants_access = given(query.include_access_summary) is not False
        wants_drift = given(query.include_profile_diagnostics) is not False
        return present(
            schemaVersion="resources.show/v1",
            resource=shapes.summary(view),
            source=shapes.source(row),
            runtimeProfile=row.runtime,
            networkProfile=row.network,
            accessProfile=row.access,
            healthPolicy=row.health,
            accessSummary=shapes.access(view) if wants_access else None,
            latestDeployment=_latest(tx, view) if wants_latest else None,
            lifecycle=present(status=row.lifecycle, archivedAt=at(row.archived_at), deletedAt=at(row.deleted_at)),
            diagnostics=drift(tx, row, view.latest) if wants_drift else [],
            generatedAt=wire_time(tx.now),
        )

    return await call.read(verb)


def _latest(tx: Tx, view: overview.Overview) -> dict[str, Any] | None:
    if view.latest is None:
        return None
    server, destination = server_of(tx, view.latest.server_id), tx.get(Destination, view.latest.destination_id)
    return shapes.deployment(view.latest, server.ref if server else "", destination.ref if destination else "")


@operation("resources.archive")
async def archive(call: Call, resource_id: str, body: wire.ResourcesArchiveBody) -> dict[str, str]:
    def verb(tx: Tx) -> dict[str, str]:
        return {"id": archiving.archive(tx, resource_id, given(body.reason)).ref}

    return await call.write_once(body, verb)


@operation("resources.delete")
async def delete(call: Call, resource_id: str, body: records.ResourcesDeleteBody) -> dict[str, str]:
    blockers = call.service("deletion_blockers")

    def verb(tx: Tx) -> dict[str, str]:
        return {"id": resources.delete(tx, resource_id, body.confirmation.resource_slug, blockers).ref}

    return await call.write_once(body, verb)
