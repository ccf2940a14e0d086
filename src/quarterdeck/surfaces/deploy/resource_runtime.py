"""What runs of a resource: stop, start, restart, health and logs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from quarterdeck.deploy.observation import probing, runtime_logs
from quarterdeck.deploy.observation.facts import facts
from quarterdeck.deploy.observation.health import assess
from quarterdeck.deploy.observation.runtime_logs import Window
from quarterdeck.deploy.resources import resources, runtime
from quarterdeck.kernel.clock import Clock, wire_time
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.http.sse import Event, EventStream, done
from quarterdeck.kernel.logs import Logs
from quarterdeck.surfaces.deploy import health_shapes, resource_shapes
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import present
from quarterdeck.surfaces.deploy.wire import resources as wire
from quarterdeck.surfaces.deploy.wire import resources_runtime_logs as logs_wire
from quarterdeck.surfaces.deploy.wire import resources_shapes as shapes_wire
from quarterdeck.surfaces.shared.values import given


async def control(call: Call, resource_id: str, word: str, body: Any) -> dict[str, Any]:
    attempt = await call.write(
        runtime.control,
        resource_id,
        word,
        deployment_ref=given(body.deployment_id),
        reason=given(body.reason),
        idempotency_key=given(body.idempotency_key),
    )
    return resource_shapes.control(attempt)


@operation("resources.runtime.stop")
async def stop(call: Call, resource_id: str, body: wire.ResourcesRuntimeStopBody) -> dict[str, Any]:
    return await control(call, resource_id, "stop", body)


@operation("resources.runtime.start")
async def start(call: Call, resource_id: str, body: shapes_wire.ResourcesRuntimeStartBody) -> dict[str, Any]:
    return await control(call, resource_id, "start", body)


@operation("resources.runtime.restart")
async def restart(call: Call, resource_id: str, body: shapes_wire.ResourcesRuntimeStartBody) -> dict[str, Any]:
    return await control(call, resource_id, "restart", body)


@operation("resources.health")
async def health(call: Call, clock: Clock, resource_id: str, query: wire.ResourcesHealthQuery) -> dict[str, Any]:
    known = await call.read(facts, resource_id)
    probes = probing.Probes()
    if query.mode == "live":
        probes = await probing.probe(
            known,
            call.service("instance").edges,
            runtime=given(query.include_runtime_probe) is not False,
            public=given(query.include_public_access_probe) is not False,
        )
    now = clock.now()
    return health_shapes.health(known, assess(known, probes, now), now, checks=given(query.include_checks) is not False)


async def window(call: Call, resource_id: str, query: Any) -> Window:
    return await call.read(
        runtime_logs.window, resource_id, given(query.deployment_id), given(query.service_name), given(query.since)
    )


@operation("resources.runtime-logs")
async def tail(call: Call, logs: Logs, resource_id: str, query: logs_wire.ResourcesRuntimeLogsQuery) -> dict[str, Any]:
    asked = await window(call, resource_id, query)
    after = runtime_logs.position(given(query.cursor))
    lines = await runtime_logs.tail(logs, asked, query.tail_lines, after)
    return present(
        resourceId=asked.resource, deploymentId=asked.deployment, logs=[runtime_logs.told(asked, one) for one in lines]
    )


@operation("resources.runtime-logs/stream")
async def follow(
    call: Call, logs: Logs, clock: Clock, resource_id: str, query: logs_wire.ResourcesRuntimeLogsStreamQuery
) -> EventStream:
    asked = await window(call, resource_id, query)
    after = runtime_logs.position(given(query.cursor) or call.headers.get("last-event-id"))

    async def events() -> AsyncIterator[Event]:
        if given(query.follow) is False:
            for one in await runtime_logs.tail(logs, asked, query.tail_lines, after):
                yield Event({"kind": "line", "line": runtime_logs.told(asked, one)}, id=one.number)
        else:
            async for item in runtime_logs.follow(logs, asked, query.tail_lines, after):
                if item is None:
                    yield Event({"kind": "heartbeat", "at": wire_time(clock.now())})
                else:
                    yield Event({"kind": "line", "line": runtime_logs.told(asked, item)}, id=item.number)
        yield Event({"kind": "closed", "reason": "completed"})
        yield done(present(resourceId=asked.resource, deploymentId=asked.deployment))

    return EventStream(events(), found=lambda: call.read(resources.find, asked.resource))
