"""A stack as a runtime: brought up in order, settled, stopped, started again, put back, taken away.

Its runtime is that of the container which receives the requests, with the other `services` beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import Any

from quarterdeck.deploy.execution import starting
from quarterdeck.deploy.execution.order import DeploymentOrder, Serving
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.stack_images import stack_of
from quarterdeck.deploy.execution.stack_services import (
    Known,
    bring,
    ensure_volumes,
    listed,
    marks,
    ready,
    recorded,
    spec_of,
    steady,
    stop,
)
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.deploy.stacks.containers import ATTEMPT
from quarterdeck.deploy.stacks.values import Service, Stack
from quarterdeck.fleet.docker import containers
from quarterdeck.fleet.docker.specs import ContainerSpec
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.faults import point


async def start(
    target: Target,
    order: DeploymentOrder,
    made: BuildPlan,
    artifact: dict[str, Any],
    way: asyncio.Task[None],
    report: Reporter,
) -> dict[str, Any]:
    """Bring the services up in their order, the one that receives the requests beside the version before.

    Answers the runtime: `services` are records as `stack_services` makes them, `target` names the one service.
    """
    async with report.phase("deploy") as found:
        await way
        before = recorded(dict(order.serving.runtime)) if order.serving is not None else {}
        try:
            runtime = await bring_all(target, order, made, artifact, before, report)
        except Problem as problem:
            report.application(problem.details.get("lastLines", []), "stdout")  # nobody followed them as they came
            raise
        found.detail = f"stack of {len(runtime['services']) + bool(made.target_service)} services"
        found.data = runtime
        report.say(f"Started {found.detail}")
        return runtime


async def bring_all(
    target: Target,
    order: DeploymentOrder,
    made: BuildPlan,
    artifact: dict[str, Any],
    before: Known,
    report: Reporter | None = None,
) -> dict[str, Any]:
    """The same, without telling it as a phase: also for what is to be started again. Repeating it changes nothing."""
    stack = stack_of(order, artifact)
    order = await starting.within(target, order, contained=True)
    await ensure_volumes(target, order, stack)
    runtime: dict[str, Any] = {}
    records, began = [], {}
    for service in stack.services:
        image = artifact["images"][service.name]
        if service.name == made.target_service:
            runtime = await _start_target(target, order, made, stack, service, str(image["image"]))
        else:
            records.append(await bring(target, order, stack, service, image, before, report))
        began[service.name] = time.monotonic()
    for one in records:
        if before.get(one["service"]) != one:
            await steady(target.need_engine(), one, began[one["service"]])
    if not runtime:  # nothing receives requests: what starts last stands for the whole
        last = [one for one in records if one["policy"]["Name"] == "unless-stopped"][-1]
        runtime = {"kind": "container", "container": last["container"], "name": last["service"], "port": None}
    return {**runtime, "target": made.target_service, "services": records}


async def _start_target(
    target: Target, order: DeploymentOrder, made: BuildPlan, stack: Stack, service: Service, image: str
) -> dict[str, Any]:
    def shaped(ordinary: ContainerSpec) -> ContainerSpec:
        return replace(
            spec_of(order, service, image),
            labels={**service.labels, **ordinary.labels},
            internal_port=ordinary.internal_port,
            host_port=ordinary.host_port,
        )

    found = await containers.find(target.need_engine(), starting.container_name(order))
    if found is not None and found.image == image and found.state.status == "exited":
        # Stopped, not gone: where it cannot be started as it is, it is made anew.
        with contextlib.suppress(Problem):
            point("container.start")
            await containers.start(target.need_engine(), found.id)
            point("container.started")
    runtime = await starting.start_container(target, order, made, {"image": image}, shaped)
    await ready(target.need_engine(), stack, service, str(runtime["container"]))
    return runtime


async def settle(target: Target, runtime: dict[str, Any]) -> None:
    """From here on the engine starts the services again by itself, as the file says."""
    for one in recorded(runtime).values():
        point("service.settle")
        await containers.update(target.need_engine(), str(one["container"]), {"RestartPolicy": one["policy"]})
        point("service.settled")


async def stop_services(target: Target, runtime: dict[str, Any]) -> None:
    """Stop them, dependents first."""
    for one in reversed(list(recorded(runtime).values())):
        if await containers.find(target.need_engine(), str(one["container"])) is not None:
            await stop(target.need_engine(), str(one["container"]))


async def put_back(target: Target, serving: Serving | None) -> None:
    """Make the services of the version that serves what they were before an attempt replaced or started them.

    One that somebody has removed meanwhile is left to the observation, which has it made anew.
    """
    if serving is None or not recorded(dict(serving.runtime)):
        return
    if serving.stopped:
        await stop_services(target, dict(serving.runtime))
        return
    engine = target.need_engine()
    for one in recorded(dict(serving.runtime)).values():
        found = await containers.find(engine, str(one["container"]))
        if found is None or found.state.running or one["policy"]["Name"] != "unless-stopped":
            continue
        point("service.put-back")
        await containers.start(engine, found.id)
        point("service.back")


async def take_away(
    target: Target, resource: str, deployment: str, runtime: dict[str, Any], serving: Serving | None
) -> None:
    """Remove the services that an attempt has started or goes on with, but for those of the version that serves. Their
    volumes stay.
    """
    if target.engine is None:
        return
    kept = {str(one["container"]) for one in recorded(dict(serving.runtime) if serving is not None else {}).values()}
    named = {str(one["container"]) for one in recorded(runtime).values()}
    for row in await listed(target.engine, marks(target, resource)):
        if row.id in kept or not (row.id in named or row.labels.get(ATTEMPT) == deployment):
            continue
        if row.state == "running":
            await stop(target.engine, row.id)
        point("service.remove")
        await containers.remove(target.engine, row.id)
        point("service.removed")
