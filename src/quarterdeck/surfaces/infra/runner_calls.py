"""What foreign runners say of themselves and of the runners whose stacks they change (contract: infra §3)."""

from __future__ import annotations

from typing import Any

from quarterdeck.infra.runners import beating, demand, tending
from quarterdeck.infra.runners.authenticating import caller
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.kernel.logs import Logs
from quarterdeck.surfaces.infra.releases import PIPELINE, WRONG
from quarterdeck.surfaces.infra.runner_shapes import text
from quarterdeck.surfaces.infra.wire import runner_jobs as wire
from quarterdeck.surfaces.infra.wire import runners

RUNNER = ("runner",)
UNKNOWN = ((401, "runner_token_missing"), (401, "runner_token_invalid"))
MISSING = (404, "runner_not_found")
BEATS = Rate(60, 60)
"""Signs of life of one runner in a minute; two are usual."""
METADATA_LIMIT = 1 << 20


@route("POST", "/api/workers/heartbeat", permission="authenticated", callers=RUNNER, each=BEATS, errors=UNKNOWN)
async def heartbeat(call: Call, body: wire.Heartbeat) -> wire.Alive:
    """A runner lives. The answer names its jobs that were cancelled lately."""

    def verb(tx: Tx) -> wire.Alive:
        return wire.Alive(cancelled_job_ids=beating.beat(tx, *caller(tx), version=text(body.version)))

    return await call.write(verb)


@route(
    "PATCH",
    "/api/workers/{id}/metadata",
    permission="authenticated",
    callers=RUNNER,
    body_limit=METADATA_LIMIT,
    errors=(*UNKNOWN, MISSING, (400, "validation_error")),
)
async def patch_metadata(call: Call, body: dict[str, Any]) -> runners.Success:
    """Replace what is said of a runner."""
    await call.write(tending.replace_metadata, call.path["id"], body)
    return runners.Success()


@route(
    "POST",
    "/api/workers/{id}/metadata",
    permission="authenticated",
    callers=RUNNER,
    body_limit=METADATA_LIMIT,
    errors=(*UNKNOWN, MISSING, (400, "validation_error")),
)
async def post_metadata(call: Call, body: dict[str, Any]) -> runners.Success:
    """The same, by the method of the documentation."""
    await call.write(tending.replace_metadata, call.path["id"], body)
    return runners.Success()


@route("DELETE", "/api/workers/{id}", permission="authenticated", callers=RUNNER, errors=(*UNKNOWN, MISSING))
async def remove(call: Call) -> runners.Success:
    """Take a registration back: the caller's own, or that of a runner whose stack the caller takes down."""
    await call.write(tending.remove, call.path["id"])
    return runners.Success()


@route("POST", "/api/platform/queue", permission="authenticated", callers=PIPELINE, errors=(WRONG,))
async def queue(db: Database, logs: Logs) -> runners.Depth:
    """Put back what nobody works on any more, and say how much waits: for whoever starts runners by need."""
    found = await demand.demand(db, logs)
    return runners.Depth(recovered=found.recovered, queued=found.queued)
