"""What is done to a runtime after its deployment: stop, start, restart, retire, clean, forget."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path
from typing import Any

import msgspec

from quarterdeck.deploy.execution import starting
from quarterdeck.deploy.execution.order import RuntimeOrder
from quarterdeck.deploy.execution.reporting import Context
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.fleet.docker import containers, images
from quarterdeck.kernel.errors import NotFound, Problem
from quarterdeck.kernel.faults import point


async def operate(context: Context, order: RuntimeOrder) -> dict[str, Any]:
    """Carry a runtime order out. Every operation may be repeated."""
    operations = {
        "stop": _stop,
        "start": _start,
        "restart": _restart,
        "retire": _retire,
        "clean": _clean,
        "forget": _forget,
    }
    async with await Target.open(order.target) as target:
        await operations[order.operation](target, order)
        context.log([f"{order.operation.capitalize()}: done"], phase="deploy")
        return {"operation": order.operation}


async def _stop(target: Target, order: RuntimeOrder) -> None:
    runtime = order.runtime
    if runtime.get("kind") == "container":
        await containers.stop(target.need_engine(), str(runtime["container"]), seconds=int(order.grace_seconds))
    elif runtime.get("kind") == "process":
        await target.processes.stop(str(runtime["instance"]), order.grace_seconds)
    elif order.route is not None and target.edge is not None:
        await target.edge.take_down(order.route.id)


async def _start(target: Target, order: RuntimeOrder) -> None:
    runtime = order.runtime
    if runtime.get("kind") == "container":
        found = await containers.find(target.need_engine(), str(runtime["container"]))
        if found is None:
            raise NotFound(
                "The container was removed from the server by somebody else.",
                code="resource_runtime_metadata_missing",
                hint="Redeploy, or roll back to this version.",
            )
        await containers.start(target.need_engine(), found.id)
    elif runtime.get("kind") == "process" and order.again is not None and order.again.retained is not None:
        made = msgspec.convert(order.again.retained.plan, BuildPlan)
        await starting.start_process(target, order.again, made, dict(order.again.retained.artifact))
    if order.route is not None and target.edge is not None and runtime.get("upstream"):
        await target.edge.switch(order.route.id, str(runtime["upstream"]))


async def _restart(target: Target, order: RuntimeOrder) -> None:
    runtime = order.runtime
    if runtime.get("kind") == "container":
        await containers.restart(target.need_engine(), str(runtime["container"]), seconds=int(order.grace_seconds))
    else:
        await _stop(target, order)
        await _start(target, order)


async def _retire(target: Target, order: RuntimeOrder) -> None:
    """Drain what was replaced, at most the grace, then take it away. Its artefact stays for a rollback."""
    upstream = order.runtime.get("upstream")
    if target.edge is not None and order.runtime.get("kind") != "static" and isinstance(upstream, str):
        with contextlib.suppress(Problem):  # without an edge nothing can be in flight
            point("retire.drain")
            await target.edge.drain(upstream, order.grace_seconds)
            point("retire.drained")
    await starting.remove(target, order.runtime, order.deployment)


async def _clean(target: Target, order: RuntimeOrder) -> None:
    """Remove what a failed attempt left: what it started, its directories, its release, its image."""
    await starting.remove(target, order.runtime, order.deployment)
    await _forget(target, order)


async def _forget(target: Target, order: RuntimeOrder) -> None:
    """Remove the artefact that nobody will ask back."""
    artifact = order.runtime.get("artifact")
    if isinstance(artifact, dict) and artifact.get("built") and target.engine is not None:
        with contextlib.suppress(Problem):  # another tag or a container may still use it
            point("image.remove")
            await images.remove(target.engine, str(artifact["reference"]))
            point("image.removed")
    for directory in (target.root / "releases" / order.deployment, target.work(order.deployment)):
        await asyncio.to_thread(shutil.rmtree, Path(directory), ignore_errors=True)
