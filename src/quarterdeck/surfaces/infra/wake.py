"""`GET /api/runners/wake`: a stream by which runners hear at once what they would find by asking (contract: infra
§3.3). The open connection is a sign of life.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from quarterdeck.infra.runners import waking
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.http.seats import Seats
from quarterdeck.kernel.http.sse import Event, EventStream
from quarterdeck.surfaces.infra.runner_calls import RUNNER, UNKNOWN
from quarterdeck.surfaces.infra.wire import runner_jobs as wire

SEATS = Seats("wake streams", per_caller=2, total=2000)
"""A runner that dials again has a second one until its first is known to be gone."""


@route(
    "GET",
    "/api/workers/wake",
    permission="authenticated",
    callers=RUNNER,
    stream=True,
    response=wire.Wake,
    errors=(*UNKNOWN, (429, "rate_limited")),
)
async def wake(call: Call) -> EventStream:
    """Events as they happen: `wake` when something may be claimed, `cancel` when a job has to be stopped."""
    seat = SEATS.take(call.principal.uid)

    async def events() -> AsyncIterator[Event]:
        async for told in waking.follow(call.service("db")):
            yield Event(told)

    return EventStream(events(), seat=seat)
