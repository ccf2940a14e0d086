"""A release directory of this host: a copy of the tree that belongs to the application's own user, built in place."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.order import Limits as OrderLimits
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.execution.turns import to_its_end
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.deploy.sources.spec import FetchedSource
from quarterdeck.fleet.processes.ownership import grant, publish
from quarterdeck.fleet.processes.spec import Limits, ProcessSpec, RestartPolicy
from quarterdeck.kernel import trees
from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.errors import Invalid, Problem, ProviderFailure, Timeout
from quarterdeck.kernel.faults import point

COMPLETE = ".quarterdeck-complete"
LOOK_SECONDS = 1.0


async def lay_out_release(
    target: Target, order: DeploymentOrder, made: BuildPlan, source: FetchedSource | None, report: Reporter
) -> dict[str, Any]:
    """Lay out a release: a copy of the tree that belongs to the application's own user, with its steps carried out."""
    assert source is not None  # noqa: S101 - an image source needs an engine
    host = made.host
    release = target.root / "releases" / order.deployment
    marker = release / COMPLETE
    directory = release / "tree"
    static = None
    account = target.processes.account(order.resource)
    if not marker.exists():
        for tool in host.tools if host else ():
            if shutil.which(tool.program) is None:
                raise Invalid(
                    f"This machine has no {tool.program}, and no Docker engine that could bring it.",
                    code="missing_runtime_tool",
                    hint=tool.instruction,
                )
        steps = [f"{order.deployment}.step{number}" for number in range(len(host.steps if host else ()))]
        for name in steps:  # one that outlived the control plane which started it still writes there
            await target.processes.remove(name, grace=0)
        point("release.lay-out")
        excluded = made.static_site.excluded if made.static_site is not None else ()
        await asyncio.to_thread(_lay_out, source.tree, release, directory, account, excluded)
        point("release.laid-out")
        for name, step in zip(steps, host.steps if host else (), strict=True):
            report.say(step.label)
            await _step(target, order, made, directory, name, step.argv, report)
        static = await asyncio.to_thread(_published, made, directory, account)
        point("release.complete")
        marker.touch(mode=0o600)
        point("release.completed")
    static = static or _static_directory(made, directory)
    return {
        "kind": "release",
        "directory": str(release),
        "tree": str(directory),
        "static": static,
        "owner": order.deployment,
    }


def _lay_out(tree: Path, release: Path, directory: Path, account: int | None, excluded: tuple[str, ...]) -> None:
    """Until everything is granted nobody else comes into `release`: another version that runs as the same user could
    put links in the place of what is its own already.
    """
    if release.exists():
        release.chmod(0o700)
        trees.remove(release)
    release.mkdir(mode=0o700, parents=True)
    shutil.copytree(tree, directory, symlinks=True, ignore=shutil.ignore_patterns(".git", *excluded))
    if account is not None:
        # No business of the users that other applications run as.
        directory.chmod(0o700)
        grant(directory, account)
    release.chmod(0o711)


def _static_directory(made: BuildPlan, directory: Path) -> str | None:
    return str((directory / made.static_site.directory.strip("/")).resolve()) if made.static_site is not None else None


def _published(made: BuildPlan, directory: Path, account: int | None) -> str | None:
    """The directory to publish, made readable and the application's no more; None where a process serves."""
    static = _static_directory(made, directory)
    if static is None or made.static_site is None:
        return None
    top = directory.resolve()
    if not Path(static).is_dir() or not Path(static).is_relative_to(top):
        raise Invalid(
            f"The build left no directory {made.static_site.directory}.",
            code="static_publish_directory_missing",
            hint="Set publishDirectory to what the build writes.",
        )
    publish(top, Path(static), account)
    return static


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
        **base_environment(made, directory, building=True),
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
        labels={"quarterdeck.deployment": order.deployment},
    )
    last: list[str] = []
    lost: list[Problem] = []
    watcher: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(order.limits.build_seconds):
            point("step.start")
            await processes.start(spec)
            point("step.started")
            watcher = asyncio.create_task(_keep_room(target, directory, order.limits, instance, lost))
            async for lines in processes.follow_log(instance):
                for line in lines:
                    if line.stream == "supervisor":
                        continue
                    report.application([line.text], line.stream)
                    last.append(line.text)
                del last[:-20]
        status = processes.status(instance)
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
    ended = status.exits[-1] if status.exits else None
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


async def _keep_room(target: Target, directory: Path, limits: OrderLimits, instance: str, lost: list[Problem]) -> None:
    """End a step that writes more than its limit, or the disk full. Why stands in `lost` before the step ends."""
    most = limits.build_disk
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        problem = DataDirectory(target.root, limits.least_free_disk).shortage()
        if problem is None:
            problem = await asyncio.to_thread(_too_much, directory, most)
        if problem is not None:
            lost.append(problem)
            await target.processes.stop(instance, 0)
            return


def _too_much(directory: Path, most: int) -> Problem | None:
    try:
        if trees.size(directory) <= most:
            return None
    except Invalid as problem:
        return problem
    return ProviderFailure(
        f"The build wrote more than {most / 1_000_000_000:.1f} GB and was ended.",
        code="build_disk_exceeded",
        hint="Let it write less, or raise QUARTERDECK_BUILD_DISK.",
    )


def base_environment(made: BuildPlan, directory: Path, *, building: bool = False) -> dict[str, str]:
    """What every process of a release gets: a plain PATH with the release's own directories first."""
    host = made.host
    first = [str(directory / part) for part in (host.path_prefix if host else ())]
    path = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    own = dict((host.build_environment if building else host.environment) if host else {})
    return {"PATH": ":".join([*first, path]), "LANG": "C.UTF-8", **own}
