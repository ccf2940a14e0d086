"""Images of an attempt: pulled or built, addressed by their ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.deploy.execution import fitting
from quarterdeck.deploy.execution.building import Yard
from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target, labels
from quarterdeck.fleet.docker import images
from quarterdeck.fleet.docker.build.builder import build
from quarterdeck.fleet.docker.build.context import Context
from quarterdeck.fleet.docker.build.limits import BuildLimits
from quarterdeck.fleet.docker.build.request import BuildSpec
from quarterdeck.fleet.docker.build.trace import BuildEvent, StepEnded, StepLog, StepStarted
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.ids import Ids


async def pull(target: Target, reference: str, report: Reporter) -> dict[str, Any]:
    """The image of a reference: the one that is there, else fetched."""
    engine = target.need_engine()
    found = await images.find(engine, reference)
    if found is None:

        async def told(line: str) -> None:
            report.application([line], "stdout")

        report.say(f"Pulling {reference}")
        point("image.pull")
        found = await images.pull(engine, reference, on_progress=told)
        point("image.pulled")
    kinds = await fitting.foreign(engine, found.id)
    if kinds is not None:
        report.say(fitting.only_emulated(reference, kinds), level="warn")
    return {"kind": "image", "image": found.id, "reference": reference, "built": False}


def build_spec(
    order: DeploymentOrder, context: Context, tag: str, args: Mapping[str, str], stage: str | None
) -> BuildSpec:
    """One build within the limits of the order."""
    return BuildSpec(
        context=context,
        tags=(tag,),
        args=args,
        labels=labels(order.target, order.deployment, order.resource),
        target=stage,
        limits=BuildLimits(
            seconds=order.limits.build_seconds,
            memory_bytes=order.limits.build_memory,
            cpus=order.limits.build_cpus,
            tasks=order.limits.build_tasks,
            disk_bytes=order.limits.build_disk,
        ),
    )


async def build_image(place: Yard, order: DeploymentOrder, spec: BuildSpec, report: Reporter) -> dict[str, Any]:
    """Build it and have it where it runs. Tells how long it took, how large it became and how much of it was known."""
    engine = place.engine

    async def told(event: BuildEvent) -> None:
        if isinstance(event, StepLog):
            report.application([event.text], event.channel)
            await report.caught_up()
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
    made = {
        "kind": "image",
        "image": result.image_id,
        "reference": spec.tags[0],
        "built": True,
        "seconds": result.seconds,
        "size": image.size,
        "steps": result.steps,
        "cached": result.cached_steps,
    }
    return await place.bring(made, report)
