"""One deployment from door to door. Any failure before the cut-over leaves what runs untouched; after it, the edge goes
back. Every step finds what an earlier execution of the same attempt has left, so repeating it never doubles anything.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from quarterdeck.deploy.execution import cutting_over, packaging, preparing, stack_runtime, starting, verifying
from quarterdeck.deploy.execution.logs import follow_application
from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.reporting import Context, Reporter
from quarterdeck.deploy.execution.storable import told
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.execution.turns import beside, interrupted_by, to_its_end, turn
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.deploy.sources.spec import FetchedSource
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.faults import point


async def execute(context: Context, order: DeploymentOrder, edges: Edges) -> dict[str, Any]:
    """Carry the order out and answer `{runtime}`: what serves now. Raises a `Problem` for all that went wrong."""
    report = Reporter(context, order.done)
    if order.resumed is not None:
        report.phase_name = order.resumed
        report.say(f"Resumed: the execution before this one was interrupted in the phase {order.resumed}.")
    try:
        async with turn(Path(order.target.root), order.deployment), await Target.open(order.target, edges) as target:
            runtime = await _carried_out(target, order, report)
            point("execute.switched")
            return {"runtime": runtime}
    except Problem as problem:
        raise told(problem) from problem.__cause__


async def _carried_out(target: Target, order: DeploymentOrder, report: Reporter) -> dict[str, Any]:
    stop = report.context.canceled
    try:
        async with interrupted_by(stop):
            made, source = await _planned(target, order, report)
            async with beside(cutting_over.ready_way(target, order, made, report)) as way:
                artifact = await packaging.package(target, order, made, source, report)
                begin = stack_runtime.start if artifact["kind"] == "stack" else starting.start
                runtime = await begin(target, order, made, artifact, way, report)
        async with follow_application(target, runtime, report):
            async with interrupted_by(stop):
                await verifying.verify(target, order, made, runtime, report)
            # From here on nothing may be left half done, not even by a request to stop.
            return await to_its_end(_cut_over(target, order, runtime, report))
    except BaseException:
        # Who lost the lease leaves everything as it is: another attempt finds it, or is at work on it.
        if not report.context.lost:
            await to_its_end(cutting_over.undo(target, order))
        raise
    finally:
        await to_its_end(_clear(target, order))


async def _cut_over(
    target: Target, order: DeploymentOrder, runtime: dict[str, Any], report: Reporter
) -> dict[str, Any]:
    runtime = await cutting_over.cut_over(target, order, runtime, report)
    await stack_runtime.settle(target, runtime)
    return runtime


async def _clear(target: Target, order: DeploymentOrder) -> None:
    work = target.work(order.deployment)
    if work.exists():
        point("work.remove")
        await asyncio.to_thread(trees.remove, work)
        point("work.removed")


async def _planned(target: Target, order: DeploymentOrder, report: Reporter) -> tuple[BuildPlan, FetchedSource | None]:
    """The plan and the tree: given back by a rollback, known from an earlier execution, else made from the source."""
    if order.retained is not None:
        await report.skip("detect", "not needed for a rollback")
        await report.skip("plan", f"as in {order.retained.deployment}")
        return msgspec.convert(order.retained.plan, BuildPlan), None
    if await packaging.packaged_before(target, order):
        report.say("Going on from what an earlier execution of this attempt has packaged.")
        return msgspec.convert(order.done["plan"], BuildPlan), None
    preparing.require_room(target, order)
    source = await preparing.fetch_source(target, order, report)
    return await preparing.make_plan(target, order, source, report), source
