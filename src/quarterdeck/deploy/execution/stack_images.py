"""What a stack is made of: the image of each service by its id, and the files that say how they run, for rollbacks."""

from __future__ import annotations

from typing import Any

import msgspec

from quarterdeck.deploy.detection.tree import DirectoryTree
from quarterdeck.deploy.execution.building import Yard
from quarterdeck.deploy.execution.imaging import build_image, build_spec, pull
from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.preparing import image_tag, variables_of
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.deploy.sources.spec import FetchedSource
from quarterdeck.deploy.stacks.reading import Definition, look, read
from quarterdeck.deploy.stacks.refusals import Refusal
from quarterdeck.deploy.stacks.values import Build, Service, Stack
from quarterdeck.fleet.docker import images
from quarterdeck.fleet.docker.build.context import Context
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.kernel.errors import Invalid


async def package_stack(
    target: Target,
    place: Yard,
    order: DeploymentOrder,
    made: BuildPlan,
    source: FetchedSource | None,
    report: Reporter,
) -> dict[str, Any]:
    """Build or pull the image of every service. Answers the artefact: `images` by service with the digest
    of what each holds, `definition` as it is read
    again for a rollback, `image` of the target service. Variables and their secrets are not in it.
    """
    assert source is not None and made.compose_file is not None  # noqa: S101, PT018 - planned from a tree
    found = look(DirectoryTree(source.tree), made.compose_file, variables_of(order))
    if found.stack is None or found.definition is None:
        raise refused(found.refusals)
    made_of: dict[str, dict[str, Any]] = {}
    built: dict[bytes, dict[str, Any]] = {}
    for service in found.stack.services:
        report.say(f"Service {service.name}")
        if service.build is None:
            one = await pull(target, service.image or "", report)
        else:
            same = msgspec.json.encode(service.build, order="deterministic")
            if same not in built:
                built[same] = await _build(place, order, service, service.build, source, report)
            one = built[same]
        if service.copies:
            one = await _with_copies(place, order, service, one, source, report)
        content = await images.content(target.need_engine(), str(one["image"]))
        made_of[service.name] = {**{key: one[key] for key in ("image", "reference", "built")}, "content": content}
    return {
        "kind": "stack",
        "reference": image_tag(order),
        "image": made_of[made.target_service]["image"] if made.target_service else None,
        "images": made_of,
        "definition": msgspec.to_builtins(found.definition),
    }


async def _build(
    place: Yard, order: DeploymentOrder, service: Service, wanted: Build, source: FetchedSource, report: Reporter
) -> dict[str, Any]:
    context = Context(
        source.tree / wanted.context,
        dockerfile=wanted.dockerfile,
        extra_ignore=(".git",),
        max_bytes=order.limits.source_bytes,
    )
    spec = build_spec(order, context, f"{image_tag(order)}-{service.name}"[:255], wanted.args, wanted.target)
    return await build_image(place, order, spec, report)


async def _with_copies(
    place: Yard,
    order: DeploymentOrder,
    service: Service,
    base: dict[str, Any],
    source: FetchedSource,
    report: Reporter,
) -> dict[str, Any]:
    """An image with the files of the source in it that the service mounts. Nothing else of the source is sent."""
    report.say(f"Copying {', '.join(one.source for one in service.copies)} into an image of {service.name}")
    name = f".quarterdeck.{service.name}.Dockerfile"
    lines = [f"FROM {base['reference']}"]
    lines += [f"COPY {msgspec.json.encode([one.source, one.path]).decode()}" for one in service.copies]
    ignored = ["*", *(f"!{one.source}" for one in service.copies)]
    context = Context(
        source.tree,
        dockerfile=name,
        overlay={name: "\n".join(lines).encode(), f"{name}.dockerignore": "\n".join(ignored).encode()},
        max_bytes=order.limits.source_bytes,
    )
    return await build_image(
        place, order, build_spec(order, context, f"{image_tag(order)}-{service.name}-files", {}, None), report
    )


async def stack_is_there(engine: Engine, artifact: dict[str, Any]) -> bool:
    """Whether every image of it is still in the engine."""
    for one in artifact["images"].values():
        if await images.find(engine, str(one["image"])) is None:
            return False
    return True


def stack_of(order: DeploymentOrder, artifact: dict[str, Any]) -> Stack:
    """The stack of an artefact, filled in with the variables of the order. Raises `Invalid`."""
    stack, refusals = read(msgspec.convert(artifact["definition"], Definition), variables_of(order))
    if stack is None:
        raise refused(refusals)
    return stack


def refused(refusals: tuple[Refusal, ...]) -> Invalid:
    first = refusals[0]
    return Invalid(first.message, code="unsupported_container_native_profile", hint=first.hint)
