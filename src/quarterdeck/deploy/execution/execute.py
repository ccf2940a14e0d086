"""One deployment from door to door. Any failure before the cut-over leaves what runs untouched; after it, the edge goes
back. Every step finds what an earlier execution of the same attempt has left, so repeating it never doubles anything.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from quarterdeck.deploy.execution import cutting_over, packaging, preparing, stack_runtime, starting, verifying
from quarterdeck.deploy.execution.absence import Absence
from quarterdeck.deploy.execution.logs import follow_application
from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.reporting import Context, Reporter, told
from quarterdeck.deploy.execution.target import Target, opened
from quarterdeck.deploy.execution.turns import beside, interrupted_by, to_its_end
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.deploy.sources.spec import FetchedSource
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.targets.engines import not_to_be_used
from quarterdeck.fleet.targets.facts import SHARED
from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.faults import point


async def execute(context: Context, order: DeploymentOrder, edges: Edges) -> dict[str, Any]:
    """Carry the order out and answer `{runtime}`: what serves now. Raises a `Problem` for all that went wrong."""
    report = Reporter(context, dict(order.done))
    if order.resumed is not None:
        report.phase_name = order.resumed
        report.say(f"Resumed: the execution before this one was interrupted in the phase {order.resumed}.")
    try:
        return {"runtime": await _resumed(order, edges, report)}
    except Problem as problem:
        raise told(problem) from problem.__cause__


async def _resumed(order: DeploymentOrder, edges: Edges, report: Reporter) -> dict[str, Any]:
    """Go on from the phases that are done whenever the connection to the server is cut and comes back."""
    absence = Absence(order.target, patient=order.patient)

    def coming() -> bool:
        return absence.comes_up and not report.context.canceled.is_set()

    while True:
        target: Target | None = None
        try:
            async with opened(order.target, edges, comes_up=coming) as target, target.turn(order.deployment):
                await absence.ends(report)
                runtime = await _carried_out(target, order, report, edges)
                point("execute.switched")
                return runtime
        except Exception as error:
            cut = target is not None and await target.lost()
            if report.context.lost or not absence.goes_on(error, cut=cut):
                raise
        async with interrupted_by(report.context.canceled):
            await absence.wait(report)
        order = msgspec.structs.replace(order, done=dict(report.done))


async def _carried_out(target: Target, order: DeploymentOrder, report: Reporter, edges: Edges) -> dict[str, Any]:
    stop = report.context.canceled
    try:
        async with interrupted_by(stop):
            await known_host(target, report)
            if target.remote is not None and target.remote.others:
                report.say(SHARED)
            made, source = await _planned(target, order, report)
            async with beside(cutting_over.ready_way(target, order, made, report)) as way:
                artifact = await packaging.package(target, order, made, source, report, edges)
                begin = stack_runtime.start if artifact["kind"] == "stack" else starting.start
                runtime = await begin(target, order, made, artifact, way, report)
        async with follow_application(target, runtime, report):
            async with interrupted_by(stop):
                await verifying.verify(target, order, made, runtime, report)
            # From here on nothing may be left half done, not even by a request to stop.
            runtime = await to_its_end(cutting_over.cut_over(target, order, runtime, report))
        await to_its_end(_clear(target, order))
    except BaseException:
        # Who lost the lease leaves everything as it is: another attempt finds it, or is at work on it. Who is cut off
        # cannot undo anything, and goes on or has it cleared away when the server is back.
        cut = await to_its_end(target.lost())
        if not report.context.lost and not cut:
            await to_its_end(cutting_over.undo(target, order))
        if not cut:
            await to_its_end(_clear(target, order))
        raise
    return runtime


async def known_host(target: Target, report: Reporter) -> None:
    """Tell the host key of a server that was never signed in to before, so that no other is taken for it."""
    if target.remote is not None and target.order.ssh is not None and target.order.ssh.fingerprint is None:
        shown = target.remote.host.host_key
        await report.context.record(
            "host-key", {"fingerprint": shown.fingerprint, "algorithm": shown.algorithm}
        )  # fmt: skip


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
        made = msgspec.convert(order.retained.plan, BuildPlan)
        if order.target.engine_refused and made.execution_kind != "host-process":
            raise not_to_be_used(order.target.engine_refused)
        return made, None
    if await packaging.packaged_before(target, order):
        report.say("Going on from what an earlier execution of this attempt has packaged.")
        return msgspec.convert(order.done["plan"], BuildPlan), None
    await target.require_room(order.limits.least_free_disk)
    source = await preparing.fetch_source(target, order, report)
    return await preparing.make_plan(target, order, source, report), source
