"""One deployment from door to door. Any failure before the cut-over leaves what runs untouched; after it, the edge goes
back. Every step finds what an earlier execution of the same attempt has left, so repeating it never doubles anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import Any

import msgspec

from quarterdeck.deploy.execution import cutting_over, packaging, preparing, starting, verifying
from quarterdeck.deploy.execution.logs import follow_application
from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.reporting import Context, Reporter
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.kernel.faults import point


async def execute(context: Context, order: DeploymentOrder) -> dict[str, Any]:
    """Carry the order out and answer `{runtime}`: what serves now. Raises a `Problem` for everything that went wrong."""
    report = Reporter(context, order.done)
    async with await Target.open(order.target) as target:
        switched = False
        runtime: dict[str, Any] = {}
        try:
            made, artifact = await _made(target, order, report)
            await cutting_over.ready_edge(target, order, report)
            runtime = await starting.start(target, order, made, artifact, report)
            async with follow_application(target, runtime, report):
                await verifying.verify(target, order, made, runtime, report)
                # From here to the end nothing may be left half done, not even by a request to stop.
                runtime = await asyncio.shield(cutting_over.cut_over(target, order, runtime, report))
            switched = True
            point("execute.switched")
            return {"runtime": runtime}
        finally:
            if not switched:
                with contextlib.suppress(Exception):
                    await asyncio.shield(starting.remove(target, runtime, order.deployment))
            point("work.remove")
            shutil.rmtree(target.work(order.deployment), ignore_errors=True)
            point("work.removed")


async def _made(target: Target, order: DeploymentOrder, report: Reporter) -> tuple[BuildPlan, dict[str, Any]]:
    """The plan and the artefact: given back by a rollback, else made from the source."""
    if order.retained is not None:
        made = msgspec.convert(order.retained.plan, BuildPlan)
        await report.skip("detect", "not needed for a rollback")
        await report.skip("plan", f"as in {order.retained.deployment}")
        return made, await packaging.package(target, order, made, None, report)
    source = await preparing.fetch_source(target, order, report)
    made = await preparing.make_plan(target, order, source, report)
    return made, await packaging.package(target, order, made, source, report)
