"""From a plan to something that can be started again and again: an image, or a release directory."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.preparing import image_tag
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target, labels
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.deploy.sources.spec import FetchedSource
from quarterdeck.fleet.docker import images
from quarterdeck.fleet.docker.build.builder import build
from quarterdeck.fleet.docker.build.context import Context
from quarterdeck.fleet.docker.build.limits import BuildLimits
from quarterdeck.fleet.docker.build.request import BuildSpec
from quarterdeck.fleet.docker.build.trace import BuildEvent, StepEnded, StepLog, StepStarted
from quarterdeck.fleet.processes.accounts import grant
from quarterdeck.fleet.processes.spec import Limits, ProcessSpec, RestartPolicy
from quarterdeck.kernel.errors import Invalid, ProviderFailure, Timeout
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.ids import Ids

MEGABYTE = 1_000_000


async def package(
    target: Target, order: DeploymentOrder, made: BuildPlan, source: FetchedSource | None, report: Reporter
) -> dict[str, Any]:
    """Build, pull, or lay out what will be started. Answers the artefact that rollback starts again."""
    async with report.phase("package") as recorded:
        if order.retained is not None:
            artifact = dict(order.retained.artifact)
            await _check_retained(target, order, artifact)
            recorded.detail = f"as in {order.retained.deployment}"
        elif made.execution_kind == "docker-container" and made.artifact_intent == "prebuilt-image":
            artifact = await _pull(target, made, report)
            recorded.detail = str(artifact["reference"])
        elif made.execution_kind == "docker-container":
            artifact = await _build(target, order, made, source, report)
            recorded.detail = f"{artifact['seconds']:.1f} s, {int(str(artifact['size'])) / MEGABYTE:.0f} MB, {artifact['cached']} of {artifact['steps']} steps reused"
        else:
            artifact = await _release(target, order, made, source, report)
            recorded.detail = "release directory"
        recorded.data = artifact
        return artifact


async def _check_retained(target: Target, order: DeploymentOrder, artifact: dict[str, Any]) -> None:
    gone = False
    if artifact.get("kind") == "image":
        gone = await images.find(target.need_engine(), str(artifact["image"])) is None
    else:
        gone = not Path(str(artifact.get("directory", ""))).is_dir()
    if gone:
        assert order.retained is not None  # noqa: S101 - asked for by the only caller
        raise Invalid(
            f"What {order.retained.deployment} ran is no longer on the server.",
            code="runtime_artifact_missing",
            hint="Choose a newer deployment, or redeploy from the source.",
        )


async def _pull(target: Target, made: BuildPlan, report: Reporter) -> dict[str, Any]:
    engine = target.need_engine()
    reference = made.image or ""
    found = await images.find(engine, reference)
    if found is None:

        async def told(line: str) -> None:
            report.application([line], "stdout")

        report.say(f"Pulling {reference}")
        found = await images.pull(engine, reference, on_progress=told)
    return {"kind": "image", "image": found.id, "reference": reference, "built": False}


async def _build(
    target: Target, order: DeploymentOrder, made: BuildPlan, source: FetchedSource | None, report: Reporter
) -> dict[str, Any]:
    engine = target.need_engine()
    tag = image_tag(order)
    before = await images.find(engine, tag)
    if before is not None and order.done.get("package") is not None:
        return dict(order.done["package"])
    assert source is not None  # noqa: S101 - only image sources have no tree
    spec = BuildSpec(
        context=Context(
            source.tree,
            dockerfile=made.dockerfile_path or "Dockerfile",
            overlay={file.path: file.text.encode() for file in made.context_files},
            extra_ignore=(".git", *made.ignore),
            max_bytes=order.limits.source_bytes,
        ),
        tags=(tag,),
        args={v.key: v.value for v in order.variables if v.exposure == "build-time" and v.key in made.build_arguments},
        labels=labels(order.target, order.deployment, order.resource),
        target=made.build_target,
        limits=BuildLimits(
            seconds=order.limits.build_seconds,
            memory_bytes=order.limits.build_memory,
            cpus=order.limits.build_cpus,
            disk_bytes=order.limits.build_disk,
        ),
    )

    async def told(event: BuildEvent) -> None:
        if isinstance(event, StepLog):
            report.application([event.text], event.channel)
        elif isinstance(event, StepStarted):
            report.say(event.name)
        elif isinstance(event, StepEnded) and event.error:
            report.say(event.error, level="error")

    point("image.build")
    result = await build(engine, spec, on_event=told, build_id=f"{order.deployment}-{Ids().text(8)}")
    point("image.built")
    for name in result.unenforced:
        report.say(f"The build's {name} limit cannot be held on this engine.", level="warn")
    image = await images.inspect(engine, result.image_id)
    return {
        "kind": "image",
        "image": result.image_id,
        "reference": tag,
        "built": True,
        "seconds": result.seconds,
        "size": image.size,
        "steps": result.steps,
        "cached": result.cached_steps,
    }


async def _release(
    target: Target, order: DeploymentOrder, made: BuildPlan, source: FetchedSource | None, report: Reporter
) -> dict[str, Any]:
    """Lay out a release: a copy of the tree that belongs to the application's own user, with its steps carried out."""
    assert source is not None  # noqa: S101 - an image source needs an engine
    host = made.host
    release = target.root / "releases" / order.deployment
    marker = release / ".quarterdeck-complete"
    directory = release / "tree"
    account = target.processes.account(order.resource)
    if not marker.exists():
        for tool in host.tools if host else ():
            if shutil.which(tool.program) is None:
                raise Invalid(
                    f"This machine has no {tool.program}, and no Docker engine that could bring it.",
                    code="missing_runtime_tool",
                    hint=tool.instruction,
                )
        point("release.lay-out")
        excluded = made.static_site.excluded if made.static_site is not None else ()
        await asyncio.to_thread(_lay_out, source.tree, release, directory, account, excluded)
        point("release.laid-out")
        for number, step in enumerate(host.steps if host else ()):
            report.say(step.label)
            await _step(target, order, made, directory, f"{order.deployment}.step{number}", step.argv, report)
        point("release.complete")
        marker.touch()
        point("release.completed")
    static = None
    if made.static_site is not None:
        static = str((directory / made.static_site.directory.strip("/")).resolve())
        if not Path(static).is_dir() or not Path(static).is_relative_to(directory.resolve()):
            raise Invalid(
                f"The build left no directory {made.static_site.directory}.",
                code="static_publish_directory_missing",
                hint="Set publishDirectory to what the build writes.",
            )
    return {
        "kind": "release",
        "directory": str(release),
        "tree": str(directory),
        "static": static,
        "owner": order.deployment,
    }


def _lay_out(tree: Path, release: Path, directory: Path, account: int | None, excluded: tuple[str, ...]) -> None:
    shutil.rmtree(release, ignore_errors=True)
    release.mkdir(parents=True, mode=0o755)
    shutil.copytree(tree, directory, symlinks=True, ignore=shutil.ignore_patterns(".git", *excluded))
    grant(directory, account)


def _readable(directory: Path) -> None:
    """What is published may be read by everybody: the edge runs as a user of its own."""
    for place, directories, files in os.walk(directory):
        for name in (".", *directories):
            path = Path(place) / name
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o555)
        for name in files:
            path = Path(place) / name
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o444)


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
    await processes.remove(instance, grace=0)
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
        limits=Limits(memory=order.limits.build_memory, cpus=order.limits.build_cpus, pids=1024),
        restart=RestartPolicy(mode="never"),
        labels={"quarterdeck.deployment": order.deployment},
    )
    last: list[str] = []
    try:
        async with asyncio.timeout(order.limits.build_seconds):
            await processes.start(spec)
            async for lines in processes.follow_log(instance):
                for line in lines:
                    if line.stream == "supervisor":
                        continue
                    report.application([line.text], line.stream)
                    last.append(line.text)
                del last[:-20]
        status = processes.status(instance)
    except TimeoutError as error:
        raise Timeout(
            f"The build took longer than {order.limits.build_seconds} s and was ended.",
            code="build_timeout",
            hint="Look at the last lines of its log for what it waits for.",
            lastLines=last,
        ) from error
    finally:
        await asyncio.shield(processes.remove(instance, grace=2))
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


def base_environment(made: BuildPlan, directory: Path, *, building: bool = False) -> dict[str, str]:
    """What every process of a release gets: a plain PATH with the release's own directories first."""
    host = made.host
    first = [str(directory / part) for part in (host.path_prefix if host else ())]
    path = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    own = dict((host.build_environment if building else host.environment) if host else {})
    return {"PATH": ":".join([*first, path]), "LANG": "C.UTF-8", **own}
