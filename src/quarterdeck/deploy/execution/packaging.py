"""From a plan to something that can be started again and again: an image, or a release directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.preparing import image_tag
from quarterdeck.deploy.execution.releasing import lay_out_release
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
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.ids import Ids

MEGABYTE = 1_000_000


async def package(
    target: Target, order: DeploymentOrder, made: BuildPlan, source: FetchedSource | None, report: Reporter
) -> dict[str, Any]:
    """Build, pull, or lay out what will be started. Answers the artefact that rollback starts again."""
    async with report.phase("package") as recorded:
        if order.retained is None and await packaged_before(target, order):
            artifact = dict(order.done["package"])
            recorded.detail = "packaged by an earlier execution"
        elif order.retained is not None:
            artifact = dict(order.retained.artifact)
            await _check_retained(target, order, artifact)
            recorded.detail = f"as in {order.retained.deployment}"
        elif made.execution_kind == "docker-container" and made.artifact_intent == "prebuilt-image":
            artifact = await _pull(target, made, report)
            recorded.detail = str(artifact["reference"])
        elif made.execution_kind == "docker-container":
            artifact = await _build(target, order, made, source, report)
            size = f"{int(str(artifact['size'])) / MEGABYTE:.0f} MB"
            reused = f"{artifact['cached']} of {artifact['steps']} steps reused"
            recorded.detail = f"{artifact['seconds']:.1f} s, {size}, {reused}"
        else:
            await target.need_processes()
            artifact = await lay_out_release(target, order, made, source, report)
            recorded.detail = "release directory"
        recorded.data = artifact
        return artifact


async def packaged_before(target: Target, order: DeploymentOrder) -> bool:
    """Whether an earlier execution of this attempt packaged it, and that is still there."""
    artifact = order.done.get("package")
    return bool(artifact) and bool(order.done.get("plan")) and await _is_there(target, dict(artifact or {}))


async def _is_there(target: Target, artifact: dict[str, Any]) -> bool:
    if artifact.get("kind") == "image":
        return await images.find(target.need_engine(), str(artifact["image"])) is not None
    return await target.releases.is_complete(Path(str(artifact.get("directory", ""))).name)


async def _check_retained(target: Target, order: DeploymentOrder, artifact: dict[str, Any]) -> None:
    if not await _is_there(target, artifact):
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
        point("image.pull")
        found = await images.pull(engine, reference, on_progress=told)
        point("image.pulled")
    return {"kind": "image", "image": found.id, "reference": reference, "built": False}


async def _build(
    target: Target, order: DeploymentOrder, made: BuildPlan, source: FetchedSource | None, report: Reporter
) -> dict[str, Any]:
    engine = target.need_engine()
    tag = image_tag(order)
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
            tasks=order.limits.build_tasks,
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
