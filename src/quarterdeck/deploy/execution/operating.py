"""What is done to a runtime after its deployment: stop, start, restart, retire, clean, forget."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from quarterdeck.deploy.execution import stack_runtime, stack_services, starting
from quarterdeck.deploy.execution.cutting_over import settle
from quarterdeck.deploy.execution.order import CleanupOrder, DeploymentOrder, Retained, RuntimeOrder
from quarterdeck.deploy.execution.packaging import check_retained
from quarterdeck.deploy.execution.reporting import Context
from quarterdeck.deploy.execution.target import Target, opened
from quarterdeck.deploy.execution.verifying import alive, listens
from quarterdeck.deploy.execution.ways import lead_back, way_between
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.fleet.docker import containers, images
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Problem, Unavailable
from quarterdeck.kernel.faults import point

NOT_FOUND = "docker_not_found"
CLEARING = frozenset({"retire", "clean", "forget"})


async def operate(context: Context, order: RuntimeOrder, edges: Edges) -> dict[str, Any]:
    """Carry a runtime order out. Every operation may be repeated."""
    operations = {
        "stop": _stop,
        "start": _start,
        "restart": _restart,
        "revive": _revive,
        "leave": _leave,
        "retire": _retire,
        "clean": _clean,
        "forget": _forget,
    }
    async with _entered(order, edges) as target:
        try:
            runtime = await operations[order.operation](target, order)
        except Problem as problem:
            if order.operation in CLEARING:
                raise later(problem) from problem
            raise
        if order.operation not in CLEARING | {"leave"}:
            context.log([f"{order.operation.capitalize()}: done"], phase="deploy")
        return {"operation": order.operation, **({"runtime": runtime} if runtime else {})}


@contextlib.asynccontextmanager
async def _entered(order: RuntimeOrder, edges: Edges) -> AsyncIterator[Target]:
    """The host, with the deployment's turn on it. A host that cannot be reached now may be when it is tried again."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            target = await stack.enter_async_context(opened(order.target, edges))
            await stack.enter_async_context(target.turn(order.deployment))
        except Problem as problem:
            if order.operation in CLEARING:
                raise later(problem) from problem
            raise
        yield target


def later(problem: Problem) -> Unavailable:
    """Whatever stood in the way now, what is to be cleared away stays to be cleared away."""
    return Unavailable(problem.message, code=problem.code, hint=problem.hint)


async def clean_up(context: Context, order: CleanupOrder, edges: Edges) -> dict[str, Any]:
    """Clear away all that is left of a preview. The first failure stops the rest, and a repeat goes on from there."""
    for one in order.orders:
        await operate(context, one, edges)
    return {"cleaned": [one.deployment for one in order.orders]}


async def _stop(target: Target, order: RuntimeOrder) -> None:
    if order.route is not None and target.edge is not None:
        # Who listens on its port meanwhile is not led to: it may be anybody.
        point("runtime.take-down")
        await target.edge.take_down(order.route.id)
        point("runtime.taken-down")
    try:
        await _end(target, order)
    except Exception:
        await _lead_on(target, order)
        raise


async def _lead_on(target: Target, order: RuntimeOrder) -> None:
    """Lead requests back to what could not be ended. Where nobody can say whether it lives, it may."""
    runtime = order.runtime
    if order.route is None or target.edge is None or not runtime.get("upstream"):
        return
    try:
        ended = await alive(target, dict(runtime))
    except Problem:
        ended = None
    if ended is None:
        await target.edge.switch(order.route.id, str(runtime["upstream"]))


async def _end(target: Target, order: RuntimeOrder) -> None:
    runtime = order.runtime
    point("runtime.stop")
    if runtime.get("kind") == "container":
        await containers.stop(target.need_engine(), str(runtime["container"]), seconds=int(order.grace_seconds))
        await stack_runtime.stop_services(target, dict(runtime))
    elif runtime.get("kind") == "process":
        await target.processes.stop(str(runtime["instance"]), order.grace_seconds)
    point("runtime.stopped")


async def _start(target: Target, order: RuntimeOrder) -> dict[str, Any]:
    """Start it again and lead its route there. Answers the runtime, which may have got another port."""
    runtime = await _started(target, order)
    if order.route is not None and target.edge is not None and runtime.get("upstream"):
        if runtime.get("port") is not None:
            await listens(target, dict(runtime))
        point("runtime.lead")
        await target.edge.switch(order.route.id, str(runtime["upstream"]))
        point("runtime.led")
    return runtime


async def _revive(target: Target, order: RuntimeOrder) -> dict[str, Any]:
    """Start again what is gone. Its port may be another one now; a route that meanwhile leads elsewhere is left."""
    runtime = await _started(target, order)
    if order.route is not None and target.edge is not None and runtime.get("upstream"):
        await target.edge.ensure_running()
        if await target.edge.upstream(order.route.id) in {None, order.runtime.get("upstream")}:
            await target.edge.switch(order.route.id, str(runtime["upstream"]))
    return runtime


async def _started(target: Target, order: RuntimeOrder) -> dict[str, Any]:
    """Start what is there, else make it anew of what was kept. Answers the runtime as it is now. Raises `Invalid`
    (`runtime_artifact_missing`) where that is not there any more, as on a server that was set up anew.
    """
    kept = order.again.retained if order.again is not None else None
    try:
        return await _brought(target, order)
    except Problem as problem:
        if problem.code == NOT_FOUND and kept is not None:
            await check_retained(target, kept.deployment, dict(kept.artifact))
        raise


async def _brought(target: Target, order: RuntimeOrder) -> dict[str, Any]:
    runtime, again = order.runtime, order.again
    if "services" in runtime and again is not None and again.retained is not None:
        return await _stack_started(target, dict(runtime), again, again.retained)
    if runtime.get("kind") == "container" and await _container_started(target, order):
        return runtime
    if runtime.get("kind") not in {"container", "process"} or again is None or again.retained is None:
        return runtime
    made = msgspec.convert(again.retained.plan, BuildPlan)
    artifact = dict(again.retained.artifact)
    if runtime["kind"] == "process":
        return {**runtime, **await starting.start_process(target, again, made, artifact)}
    runtime = {**runtime, **await starting.start_container(target, again, made, artifact)}
    await settle(target, runtime)
    return runtime


async def _stack_started(
    target: Target, runtime: dict[str, Any], again: DeploymentOrder, kept: Retained
) -> dict[str, Any]:
    """Every service in its order: started where it is there, made anew where it is not."""
    made = msgspec.convert(kept.plan, BuildPlan)
    before = stack_services.recorded(runtime)
    runtime = {**runtime, **await stack_runtime.bring_all(target, again, made, dict(kept.artifact), before)}
    await settle(target, runtime)
    await stack_runtime.settle(target, runtime)
    return runtime


async def _container_started(target: Target, order: RuntimeOrder) -> bool:
    """Start the container. False when there is none, or none any more, because it could never be started as it was."""
    engine = target.need_engine()
    found = await containers.find(engine, str(order.runtime["container"]))
    if found is None:
        return False
    point("runtime.start")
    try:
        await containers.start(engine, found.id)
    except Problem as failure:
        if not starting.has_to_be_made_anew(failure):
            raise
        await starting.start_over(target, found.id, order.deployment)
        return False
    point("runtime.started")
    return True


async def _leave(target: Target, order: RuntimeOrder) -> None:
    """What was asked for is not wanted any more."""


async def _restart(target: Target, order: RuntimeOrder) -> dict[str, Any]:
    await _end(target, order)
    return await _start(target, order)


async def _retire(target: Target, order: RuntimeOrder) -> None:
    """Drain what was replaced, at most the grace, then end it as it wants to be ended and take it away. Its artefact
    stays for a rollback.
    """
    upstream = order.runtime.get("upstream")
    if target.edge is not None and order.runtime.get("kind") != "static" and isinstance(upstream, str):
        with contextlib.suppress(Problem):  # without an edge nothing can be in flight
            point("retire.drain")
            await target.edge.drain(upstream, order.grace_seconds)
            point("retire.drained")
    if target.edge is not None and order.route is not None and order.serving is None and isinstance(upstream, str):
        # Nothing here takes its place: the application serves on another server now, or nowhere.
        await lead_back(target.edge, order.route, upstream, None)
    _need_traces(target, order)
    await stack_runtime.take_away(target, order.resource, order.deployment, dict(order.runtime), order.serving)
    await starting.remove(target, order.deployment, stop_seconds=starting.STOP_SECONDS)


async def _clean(target: Target, order: RuntimeOrder) -> None:
    """Remove what a failed attempt left: the way to it, what it started, its directories, its release, its image."""
    route = way_between(order.route, order.serving)
    if target.edge is not None and route is not None:
        ours = await starting.upstreams_of(target, order.deployment, order.runtime.get("upstream"))
        await lead_back(target.edge, route, ours, order.serving)
    _need_traces(target, order)
    await stack_runtime.take_away(target, order.resource, order.deployment, dict(order.runtime), order.serving)
    await starting.remove(target, order.deployment)
    await stack_runtime.put_back(target, order.serving)
    await _forget(target, order)


async def _forget(target: Target, order: RuntimeOrder) -> None:
    """Remove the artefact that nobody will ask back, and what else is named after the deployment."""
    artifact = order.artifact
    for reference in built_images(dict(artifact)):
        point("image.remove")
        await images.remove(target.need_engine(), reference)
        point("image.removed")
    point("directories.remove")
    await asyncio.to_thread(trees.remove, target.work(order.deployment))
    if artifact.get("kind") == "release":
        await target.releases.remove(str(artifact.get("directory")))
    if order.operation == "clean":  # also when it was laid out in part and never recorded
        await target.releases.remove(order.deployment)
    point("directories.removed")


def built_images(artifact: dict[str, Any]) -> list[str]:
    """Names of the images that were built for an artefact."""
    every = artifact.get("images", {}).values() if artifact.get("kind") == "stack" else [artifact]
    return sorted({str(one["reference"]) for one in every if one.get("built")})


def _need_traces(target: Target, order: RuntimeOrder) -> None:
    """An engine that does not answer hides what is to be removed: the job comes back for it."""
    if order.in_containers:
        target.need_engine()
