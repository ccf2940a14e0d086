"""A release directory of this host: a copy of the tree that belongs to the application's own user, built in place."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.execution.turns import to_its_end
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.deploy.sources.spec import FetchedSource
from quarterdeck.fleet.processes.spec import Limits, ProcessSpec, RestartPolicy
from quarterdeck.kernel.errors import Invalid, Problem, ProviderFailure, Timeout
from quarterdeck.kernel.faults import point

LOOK_SECONDS = 1.0


async def lay_out_release(
    target: Target, order: DeploymentOrder, made: BuildPlan, source: FetchedSource | None, report: Reporter
) -> dict[str, Any]:
    """Lay out a release: a copy of the tree that belongs to the application's own user, with its steps carried out."""
    assert source is not None  # noqa: S101 - an image source needs an engine
    host, name = made.host, order.deployment
    site = made.static_site
    if await target.releases.is_complete(name):
        static = await target.releases.published(name, site.directory) if site is not None else None
        return _artifact(target, name, static)
    for tool in host.tools if host else ():
        if not await target.has_program(tool.program):
            raise Invalid(
                f"This machine has no {tool.program}, and no Docker engine that could bring it.",
                code="missing_runtime_tool",
                hint=tool.instruction,
            )
    account = await target.processes.account(order.resource)
    steps = [f"{name}.step{number}" for number in range(len(host.steps if host else ()))]
    for instance in steps:  # one that outlived the control plane which started it still writes there
        await target.processes.remove(instance, grace=0)
    point("release.lay-out")
    excluded = site.excluded if site is not None else ()
    tree = await target.releases.lay_out(name, source.tree, excluded, account)
    point("release.laid-out")
    for instance, step in zip(steps, host.steps if host else (), strict=True):
        report.say(step.label)
        await _step(target, order, made, tree, instance, step.argv, report)
    static = await target.releases.publish(name, site.directory, account) if site is not None else None
    point("release.complete")
    await target.releases.complete(name)
    point("release.completed")
    return _artifact(target, name, static)


def _artifact(target: Target, name: str, static: str | None) -> dict[str, Any]:
    release = target.root / "releases" / name
    return {
        "kind": "release",
        "directory": str(release),
        "tree": str(release / "tree"),
        "static": static,
        "owner": name,
    }


async def _step(
    target: Target,
    order: DeploymentOrder,
    made: BuildPlan,
    directory: Path,
    instance: str,
    argv: tuple[str, ...],
    report: Reporter,
) -> None:
    """One step as a process of the application's user, within the build's limits."""
    processes = target.processes
    environment = {
        **base_environment(target, made, directory, building=True),
        **{v.key: v.value for v in order.variables if v.exposure == "build-time"},
        "HOME": str(directory),
    }
    spec = ProcessSpec(
        instance=instance,
        argv=argv,
        directory=str(directory),
        environment=environment,
        account=order.resource,
        limits=Limits(memory=order.limits.build_memory, cpus=order.limits.build_cpus, pids=order.limits.build_tasks),
        restart=RestartPolicy(mode="never"),
        labels={"quarterdeck.deployment": order.deployment, "quarterdeck.instance": order.target.instance},
    )
    last: list[str] = []
    lost: list[Problem] = []
    watcher: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(order.limits.build_seconds):
            point("step.start")
            await processes.start(spec)
            point("step.started")
            watcher = asyncio.create_task(_keep_room(target, order, instance, lost))
            async for lines in processes.follow_log(instance):
                for line in lines:
                    if line.stream == "supervisor":
                        continue
                    report.application([line.text], line.stream)
                    last.append(line.text)
                del last[:-20]
                await report.caught_up()
        status = await processes.find(instance)
        if lost:
            raise lost[0]
    except TimeoutError as error:
        raise Timeout(
            f"The build took longer than {order.limits.build_seconds} s and was ended.",
            code="build_timeout",
            hint="Look at the last lines of its log for what it waits for, or raise QUARTERDECK_BUILD_SECONDS.",
            lastLines=last,
        ) from error
    finally:
        if watcher is not None:
            watcher.cancel()
        await to_its_end(processes.remove(instance, grace=2))
    ended = status.exits[-1] if status is not None and status.exits else None
    if ended is None or ended.code != 0:
        why = (
            "ran out of memory"
            if ended and ended.out_of_memory
            else f"ended with {ended.code if ended else 'an error'}"
        )
        raise ProviderFailure(
            f"The step {' '.join(argv)[:120]} {why}.",
            code="build_failed",
            hint="Read the last lines of the build's log.",
            lastLines=last,
        )


async def _keep_room(target: Target, order: DeploymentOrder, instance: str, lost: list[Problem]) -> None:
    """End a step that writes more than its limit, or the disk full. Why stands in `lost` before the step ends."""
    limits = order.limits
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        problem = await target.releases.shortage(order.deployment, limits.least_free_disk, limits.build_disk)
        if problem is not None:
            lost.append(problem)
            await target.processes.stop(instance, 0)
            return


def base_environment(target: Target, made: BuildPlan, directory: Path, *, building: bool = False) -> dict[str, str]:
    """What every process of a release gets: a plain PATH with the release's own directories first."""
    host = made.host
    first = [str(directory / part) for part in (host.path_prefix if host else ())]
    own = dict((host.build_environment if building else host.environment) if host else {})
    return {"PATH": ":".join([*first, target.search_path]), "LANG": "C.UTF-8", **own}
