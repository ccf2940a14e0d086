"""The services of a stack beside the one that receives the requests: kept, started again, or replaced in their order.

What is replaced is stopped and stays until the new version serves, so that a failure can put it back.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import Any

from quarterdeck.deploy.execution import starting
from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.stacks.changes import Change, There, change
from quarterdeck.deploy.stacks.containers import (
    ATTEMPT,
    DEFINITION,
    SERVICE,
    VOLUME,
    definition_of,
    restart_policy,
    service_spec,
    volume_name,
)
from quarterdeck.deploy.stacks.readiness import READY, WAIT, verdict
from quarterdeck.deploy.stacks.values import Service, Stack
from quarterdeck.fleet.docker import containers, logs, volumes
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.specs import ContainerSpec
from quarterdeck.kernel.errors import Problem, ProviderFailure
from quarterdeck.kernel.faults import point

READY_SECONDS = 600.0
"""The longest that a service may take to become healthy, or to end where others wait for its end."""
PAUSE = 0.1
ALIVE_SECONDS = 1.5
LAST_LINES = 20
DONE = {"keep": "unchanged, goes on", "start": "started again", "replace": "new"}
Known = dict[str, dict[str, Any]]
"""Records of services by name: `{service, container, policy, by, number}`."""


def recorded(runtime: dict[str, Any]) -> Known:
    """The services that a runtime names."""
    return {str(one["service"]): one for one in runtime.get("services") or ()}


def marks(target: Target, resource: str) -> dict[str, str]:
    return {
        "quarterdeck.managed": "true",
        "quarterdeck.instance": target.order.instance,
        "quarterdeck.resource": resource,
    }


async def listed(engine: Engine, marked: dict[str, str]) -> list[containers.Listed]:
    """Services of stacks among what carries these marks: other containers have the mark too, but empty."""
    found = await containers.listed(engine, {**marked, SERVICE: ""})
    return [row for row in found if row.labels.get(SERVICE)]


def spec_of(order: DeploymentOrder, service: Service, image: str) -> ContainerSpec:
    """The container of a service, without marks. `order` has its share of the host's memory as an amount."""
    limits = order.limits
    return service_spec(service, image, order.target.instance, order.resource, limits.run_memory, limits.run_cpus)


async def ensure_volumes(target: Target, order: DeploymentOrder, stack: Stack) -> None:
    """The volumes of the stack: those that are there are used as they are, whoever made them."""
    for volume in stack.volumes:
        point("volume.create")
        name = volume_name(order.target.instance, order.resource, volume)
        await volumes.create(target.need_engine(), name, {**marks(target, order.resource), VOLUME: volume})
        point("volume.created")


async def bring(
    target: Target,
    order: DeploymentOrder,
    stack: Stack,
    service: Service,
    image: dict[str, Any],
    before: Known,
    report: Reporter | None = None,
) -> dict[str, Any]:
    """See to one service. `image` is its part of the artefact, `before` what served. Answers its record; raises
    `ProviderFailure` when it is not well.
    """
    engine = target.need_engine()
    spec = spec_of(order, service, str(image["image"]))
    # Two builds of the same have two ids: what counts is what is in them.
    wanted = definition_of(replace(spec, image=str(image["content"])), service)
    mine = await _mine(engine, target, order, service.name)
    former = before.get(service.name)
    todo = change(
        wanted,
        may_end=service.restart != "unless-stopped",
        has_volumes=bool(service.volumes),
        mine=await _there(engine, mine),
        before=await _there(engine, str(former["container"]) if former else None),
    )
    if service.volumes:
        await _end_others(engine, target, order, service.name, {todo.container, todo.old})
    container = await _carried_out(target, order, service, spec, wanted, todo)
    if report is not None:
        report.say(f"Service {service.name}: {DONE[todo.deed]}")
    await ready(engine, stack, service, container)
    if todo.old is not None and not todo.stop_first:
        await stop(engine, todo.old)
    if former is not None and container == former["container"]:
        return former
    return {
        "service": service.name,
        "container": container,
        "policy": restart_policy(service),
        "by": order.deployment,
        "number": order.number,
    }


async def _mine(engine: Engine, target: Target, order: DeploymentOrder, service: str) -> str | None:
    """What an earlier execution of the same attempt has made."""
    found = await containers.listed(
        engine, {**marks(target, order.resource), SERVICE: service, ATTEMPT: order.deployment}
    )
    return found[0].id if found else None


async def _end_others(
    engine: Engine, target: Target, order: DeploymentOrder, service: str, known: set[str | None]
) -> None:
    """Stop what an attempt that was given up has left running: two that write to one volume destroy it. Its clearing,
    which may come later, takes it away.
    """
    for row in await containers.listed(engine, {**marks(target, order.resource), SERVICE: service}):
        if row.state == "running" and row.id not in known:
            await stop(engine, row.id)


async def _there(engine: Engine, container: str | None) -> There | None:
    found = await containers.find(engine, container) if container else None
    if found is None:
        return None
    state = found.state
    ended = state.status == "exited" and state.exit_code == 0
    return There(found.id, found.labels.get(DEFINITION, ""), state.running and not state.restarting, ended)


async def _carried_out(
    target: Target, order: DeploymentOrder, service: Service, spec: ContainerSpec, wanted: str, todo: Change
) -> str:
    engine = target.need_engine()
    if todo.deed == "keep" and todo.container is not None:
        return todo.container
    if todo.deed == "start" and todo.container is not None:
        if await _started(engine, todo.container):
            return todo.container
        todo = replace(todo, deed="replace", discard=todo.container)
    if todo.discard is not None:
        point("service.discard")
        await containers.remove(engine, todo.discard)
        point("service.discarded")
    if todo.old is not None and todo.stop_first:
        await stop(engine, todo.old)
    own = {
        **spec.labels,
        **marks(target, order.resource),
        "quarterdeck.deployment": "",  # a built image has one, and a container inherits what it does not say itself
        SERVICE: service.name,
        ATTEMPT: order.deployment,
        DEFINITION: wanted,
    }
    return await starting.create(engine, replace(spec, labels=own), _name(order, service))


async def _started(engine: Engine, container: str) -> bool:
    """Start what was stopped. False when it can never be started as it is, but only be made anew."""
    point("service.start")
    try:
        await containers.start(engine, container)
    except Problem as failure:
        if not starting.has_to_be_made_anew(failure):
            raise
        return False
    point("service.started")
    return True


def _name(order: DeploymentOrder, service: Service) -> str:
    return f"{order.resource_slug[:40]}-{service.name}-{order.deployment.replace('_', '-')}"


async def stop(engine: Engine, container: str) -> None:
    point("service.stop")
    await containers.stop(engine, container)
    point("service.stopped")


async def ready(engine: Engine, stack: Stack, service: Service, container: str) -> None:
    """Wait until others may count on it. Raises `ProviderFailure` (`stack_service_failed`)."""
    asked, may_end = stack.waited_for(service.name), service.restart != "unless-stopped"
    deadline = time.monotonic() + READY_SECONDS
    while True:
        found = await containers.find(engine, container)
        now = verdict(found.state if found is not None else None, asked, may_end=may_end)
        if now == READY:
            return
        if now == WAIT and time.monotonic() > deadline:
            now = f"was not ready in {READY_SECONDS:.0f} s"
        if now != WAIT:
            raise failed(service.name, now, await last_lines(engine, container))
        await asyncio.sleep(PAUSE)


async def steady(engine: Engine, record: dict[str, Any], began: float) -> None:
    """See that what was started at `began` (monotonic) goes on living for a moment. Raises `ProviderFailure`."""
    may_end, container = record["policy"]["Name"] != "unless-stopped", str(record["container"])
    while True:
        found = await containers.find(engine, container)
        now = verdict(found.state if found is not None else None, "service_started", may_end=may_end)
        if now not in {READY, WAIT}:
            raise failed(str(record["service"]), f"{now} soon after its start", await last_lines(engine, container))
        if time.monotonic() - began >= ALIVE_SECONDS:
            return
        await asyncio.sleep(PAUSE)


async def last_lines(engine: Engine, container: str) -> list[str]:
    """What a container wrote last; nothing of one that is gone."""
    with contextlib.suppress(Problem):
        return [line.text async for line in logs.logs(engine, container, tail=LAST_LINES)]
    return []


def failed(service: str, what: str, lines: list[str]) -> ProviderFailure:
    return ProviderFailure(
        f"The service {service} {what}.",
        code="stack_service_failed",
        hint=f"Read the last lines of {service} above; what ran before is put back.",
        lastLines=lines,
    )
