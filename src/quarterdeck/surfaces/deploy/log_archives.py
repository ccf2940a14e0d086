"""Lines of a runtime that somebody keeps."""

from __future__ import annotations

from typing import Any

import msgspec

from quarterdeck.deploy.observation import log_archives, runtime_logs
from quarterdeck.deploy.observation.log_archives import Chosen, Kept
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.logs import Logs
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.resource_runtime import window
from quarterdeck.surfaces.deploy.shapes import instant_of, present
from quarterdeck.surfaces.deploy.wire import resources_runtime_log_archives as wire
from quarterdeck.surfaces.shared.values import given


def item(kept: Kept) -> dict[str, Any]:
    row = kept.row
    return present(
        archiveId=row.ref,
        resourceId=kept.resource,
        deploymentId=row.deployment_ref,
        serverId=kept.server,
        serviceName=row.service,
        runtimeKind=row.runtime_kind,
        capturedAt=wire_time(row.captured_at),
        lineCount=row.line_count,
        retentionStatus="retained",
        reason=row.reason,
    )


def whole(kept: Kept) -> dict[str, Any]:
    return {**item(kept), "lines": msgspec.json.decode(kept.row.content)}


@operation("resources.runtime-logs.archive")
async def create(
    call: Call, logs: Logs, resource_id: str, body: wire.ResourcesRuntimeLogsArchiveBody
) -> dict[str, Any]:
    asked = await window(call, resource_id, body)
    after = runtime_logs.position(given(body.cursor))
    lines = [runtime_logs.told(asked, one) for one in await runtime_logs.tail(logs, asked, body.tail_lines, after)]
    kept = await call.write(log_archives.create, asked, lines, given(body.reason))
    return {"schemaVersion": "resources.runtime-logs.archive/v1", "archive": whole(kept)}


@operation("resources.runtime-log-archives.list")
async def newest(call: Call, query: wire.ResourcesRuntimeLogArchivesListQuery) -> dict[str, Any]:
    before = runtime_logs.position(given(query.cursor))
    found, rest = await call.read(log_archives.newest, chosen(query), query.limit, before)
    return present(
        schemaVersion="resources.runtime-log-archives.list/v1",
        items=[item(one) for one in found],
        nextCursor=None if rest is None else str(rest),
        generatedAt=call.stamp,
    )


@operation("resources.runtime-log-archives.show")
async def show(call: Call, archive_id: str) -> dict[str, Any]:
    kept = await call.read(log_archives.find, archive_id)
    return {"schemaVersion": "resources.runtime-log-archives.show/v1", "archive": whole(kept)}


@operation("resources.runtime-log-archives.prune")
async def prune(call: Call, body: wire.ResourcesRuntimeLogArchivesPruneBody) -> dict[str, Any]:
    before, run = instant_of(body.before), call.read if body.dry_run else call.write
    found = await run(log_archives.prune, chosen(body), before, dry_run=body.dry_run)
    return present(
        schemaVersion="resources.runtime-log-archives.prune/v1",
        before=wire_time(before),
        resourceId=given(body.resource_id),
        deploymentId=given(body.deployment_id),
        serverId=given(body.server_id),
        serviceName=given(body.service_name),
        dryRun=body.dry_run,
        matchedCount=found.matched,
        prunedCount=0 if body.dry_run else found.matched,
        affectedResourceCount=len(found.resources),
        prunedAt=call.stamp,
    )


def chosen(asked: Any) -> Chosen:
    return Chosen(
        given(asked.resource_id), given(asked.deployment_id), given(asked.server_id), given(asked.service_name)
    )
