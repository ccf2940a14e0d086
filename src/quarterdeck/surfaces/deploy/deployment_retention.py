"""Archiving attempts, and pruning those, and their log lines, that nobody needs."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

from quarterdeck.deploy.deployments import archiving
from quarterdeck.deploy.deployments.archiving import STREAM, Chosen, Pruned
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.logs import Logs
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import at, instant_of, present
from quarterdeck.surfaces.deploy.wire import deployments as wire
from quarterdeck.surfaces.deploy.wire.deployments_shapes import DeploymentsPruneBody
from quarterdeck.surfaces.shared.values import given


@operation("deployments.archive")
async def archive(call: Call, deployment_id: str, body: wire.DeploymentsArchiveBody) -> dict[str, Any]:
    done = await call.write(archiving.archive, deployment_id, body.confirm, resource_ref=given(body.resource_id))
    return {"id": done.ref, "archivedAt": at(done.archived_at)}


def chosen_by(body: DeploymentsPruneBody) -> Chosen:
    return Chosen(given(body.deployment_id), given(body.resource_id), given(body.server_id))


def asked(body: DeploymentsPruneBody) -> dict[str, Any]:
    """The part of an answer that repeats the question."""
    return present(
        before=wire_time(instant_of(body.before)),
        deploymentId=given(body.deployment_id),
        resourceId=given(body.resource_id),
        serverId=given(body.server_id),
        dryRun=body.dry_run,
    )


@operation("deployments.prune")
async def prune(call: Call, body: DeploymentsPruneBody, logs: Logs) -> dict[str, Any]:
    """Resource by resource, each in a unit of its own, so that nothing waits long."""
    before = instant_of(body.before)
    rows = await call.read(archiving.matching, chosen_by(body), before=before)
    total = Pruned()
    for resource_id, some in groupby(sorted(rows), key=itemgetter(0)):
        run = call.read if body.dry_run else call.write
        found = await run(archiving.prune, resource_id, [ref for _, ref in some], before, dry_run=body.dry_run)
        total.gone += found.gone
        total.guarded += found.guarded
        if not body.dry_run:
            for ref in found.gone:
                await logs.forget(f"{STREAM}{ref}")
    return {
        "schemaVersion": "deployments.prune/v1",
        **asked(body),
        "matchedCount": len(total.gone) + len(total.guarded),
        "prunedCount": 0 if body.dry_run else len(total.gone),
        "guardedCount": len(total.guarded),
        "affectedDeploymentIds": total.gone,
        "guardedDeploymentIds": total.guarded,
        "prunedAt": call.stamp,
    }


@operation("deployments.logs.prune")
async def prune_logs(call: Call, body: DeploymentsPruneBody, logs: Logs) -> dict[str, Any]:
    before, chosen = instant_of(body.before), chosen_by(body)
    holding = set(await logs.older(STREAM, before))
    rows = await call.read(archiving.matching, chosen) if holding else []
    streams = [f"{STREAM}{ref}" for _, ref in rows if f"{STREAM}{ref}" in holding]
    matched = 0
    for stream in streams:
        matched += (await logs.prune(stream, before=before, dry_run=True)).lines
    pruned = 0
    if streams and not body.dry_run:
        await call.write(archiving.note_logs_pruned, before, chosen, matched, len(streams))
        for stream in streams:
            pruned += (await logs.prune(stream, before=before)).lines
    return {
        "schemaVersion": "deployments.logs.prune/v1",
        **asked(body),
        "matchedCount": max(matched, pruned),
        "prunedCount": pruned,
        "affectedDeploymentCount": len(streams),
        "prunedAt": call.stamp,
    }
