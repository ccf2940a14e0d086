"""From a plan to something that can be started again and again: an image, or a release directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quarterdeck.deploy.execution.building import Yard, patiently
from quarterdeck.deploy.execution.imaging import build_image, build_spec, pull
from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.preparing import image_tag
from quarterdeck.deploy.execution.releasing import lay_out_release
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.stack_images import package_stack, stack_is_there
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.deploy.sources.spec import FetchedSource
from quarterdeck.fleet.docker import images
from quarterdeck.fleet.docker.build.context import Context
from quarterdeck.fleet.docker.build.request import BuildSpec
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.kernel.errors import Invalid

MEGABYTE = 1_000_000


async def package(
    target: Target,
    order: DeploymentOrder,
    made: BuildPlan,
    source: FetchedSource | None,
    report: Reporter,
    edges: Edges,
) -> dict[str, Any]:
    """Build, pull, or lay out what will be started. Answers the artefact that rollback starts again."""
    artifact: dict[str, Any]
    async with report.phase("package") as recorded:
        if order.retained is None and await packaged_before(target, order):
            artifact = dict(order.done["package"])
            recorded.detail = "packaged by an earlier execution"
        elif order.retained is not None:
            artifact = dict(order.retained.artifact)
            await check_retained(target, order.retained.deployment, artifact)
            recorded.detail = f"as in {order.retained.deployment}"
        elif made.execution_kind == "docker-container" and made.artifact_intent == "prebuilt-image":
            artifact = await pull(target, made.image or "", report)
            recorded.detail = str(artifact["reference"])
        elif made.execution_kind == "docker-container":

            async def built(place: Yard) -> dict[str, Any]:
                return await build_image(place, order, _build_spec(order, made, source), report)

            artifact = await patiently(built, target, order, edges, report)
            size = f"{int(str(artifact['size'])) / MEGABYTE:.0f} MB"
            reused = f"{artifact['cached']} of {artifact['steps']} steps reused"
            recorded.detail = f"{artifact['seconds']:.1f} s, {size}, {reused}"
        elif made.execution_kind == "docker-compose-stack":

            async def packaged(place: Yard) -> dict[str, Any]:
                return await package_stack(target, place, order, made, source, report)

            artifact = await patiently(packaged, target, order, edges, report)
            recorded.detail = f"{len(artifact['images'])} services"
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
    if artifact.get("kind") == "stack":
        return await stack_is_there(target.need_engine(), artifact)
    if artifact.get("kind") == "image":
        return await images.find(target.need_engine(), str(artifact["image"])) is not None
    return await target.releases.is_complete(Path(str(artifact.get("directory", ""))).name)


async def check_retained(target: Target, deployment: str, artifact: dict[str, Any]) -> None:
    """Raises `Invalid` (`runtime_artifact_missing`) where what a deployment ran was removed: by a person, or because
    the server was set up anew.
    """
    if not await _is_there(target, artifact):
        raise Invalid(
            f"What {deployment} ran is no longer on the server.",
            code="runtime_artifact_missing",
            hint="Choose a newer deployment, or redeploy from the source.",
        )


def _build_spec(order: DeploymentOrder, made: BuildPlan, source: FetchedSource | None) -> BuildSpec:
    assert source is not None  # noqa: S101 - only image sources have no tree
    context = Context(
        source.tree,
        dockerfile=made.dockerfile_path or "Dockerfile",
        overlay={file.path: file.text.encode() for file in made.context_files},
        extra_ignore=(".git", *made.ignore),
        max_bytes=order.limits.source_bytes,
    )
    args = {v.key: v.value for v in order.variables if v.exposure == "build-time" and v.key in made.build_arguments}
    return build_spec(order, context, image_tag(order), args, made.build_target)
