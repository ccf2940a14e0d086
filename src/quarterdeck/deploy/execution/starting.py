"""Starting the new version beside the one that runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.releasing import base_environment
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target, labels
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.fleet.docker import containers, images, networks
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.specs import ContainerSpec
from quarterdeck.fleet.processes.spec import Limits, ProcessSpec
from quarterdeck.kernel.errors import Invalid, NotFound, Problem, ProviderFailure, Unavailable
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.vault import Secret

PORTS_TRIED = 20
HERE = "127.0.0.1"
PORT_TAKEN = ("port is already allocated", "address already in use")
STOP_SECONDS = 10


async def start(
    target: Target,
    order: DeploymentOrder,
    made: BuildPlan,
    artifact: dict[str, Any],
    way: asyncio.Task[None],
    report: Reporter,
) -> dict[str, Any]:
    """Start it, or find it started by an earlier execution of the same attempt. Answers where it is and how to stop it.

    `way` makes the edge ready meanwhile; without it there is no use in starting anything.
    """
    async with report.phase("deploy") as recorded:
        await way
        if artifact["kind"] == "image":
            runtime = await start_container(target, order, made, artifact)
            recorded.detail = "container" + (", beside the version before" if order.serving else "")
        elif artifact.get("static"):
            runtime = {"kind": "static", "upstream": artifact["static"], "directory": artifact["static"]}
            recorded.detail = "files for the edge"
        else:
            runtime = await start_process(target, order, made, artifact)
            recorded.detail = f"host process on port {runtime['host_port']}"
        recorded.data = runtime
        report.say(f"Started {recorded.detail}")
        return runtime


def container_name(order: DeploymentOrder) -> str:
    """The name of the attempt's container: one attempt, one container."""
    return f"{str(order.runtime.get('runtimeName') or order.resource_slug)[:60]}-{order.deployment.replace('_', '-')}"


def container_spec(
    order: DeploymentOrder, made: BuildPlan, image: str, port: int | None, host_port: int | None
) -> ContainerSpec:
    """The container of an attempt, as a value. It restarts by itself only once it has been verified."""
    environment = {v.key: v.value for v in order.variables if v.exposure == "runtime"}
    if port is not None:
        environment.setdefault("PORT", str(port))
    return ContainerSpec(
        image=image,
        command=_command(order, made),
        env={**made.environment, **environment},
        labels=labels(order.target, order.deployment, order.resource),
        internal_port=port,
        host_port=host_port,
        memory_bytes=order.limits.run_memory,
        cpus=order.limits.run_cpus,
        network=network_of(order),
        aliases=(order.resource_slug,),
        init=made.use_init,
    )


def _command(order: DeploymentOrder, made: BuildPlan) -> tuple[str, ...] | None:
    """A start command that overrides the image's own; generated images carry theirs already."""
    command = order.runtime.get("startCommand")
    if (
        isinstance(command, str)
        and made.artifact_kind in {"prebuilt-image", "dockerfile-image"}
        and made.dockerfile is None
    ):
        return ("/bin/sh", "-c", command)
    return None


async def within(target: Target, order: DeploymentOrder, *, contained: bool) -> DeploymentOrder:
    """The order with its share of the memory of the host that runs it as an amount."""
    share = order.limits.run_memory_share
    if order.limits.run_memory is not None or share is None:
        return order
    amount = int(await target.memory(contained=contained) * share)
    limits = msgspec.structs.replace(order.limits, run_memory=amount or None)  # an engine may not tell what it has
    return msgspec.structs.replace(order, limits=limits)


async def start_container(
    target: Target,
    order: DeploymentOrder,
    made: BuildPlan,
    artifact: dict[str, Any],
    shaped: Callable[[ContainerSpec], ContainerSpec] = lambda spec: spec,
) -> dict[str, Any]:
    """The attempt's container: created and started, or found running with the same image. `shaped` makes of the
    ordinary container the one that is wanted.
    """
    engine = target.need_engine()
    order = await within(target, order, contained=True)
    name = container_name(order)
    image = str(artifact["image"])
    port = made.internal_port or await _exposed_port(target, image)
    if port is None and made.exposure_mode == "reverse-proxy" and order.route is not None:
        raise Invalid(
            "The image names no port, and none is configured.",
            code="internal_port_missing",
            hint=f"Say where it listens (qd set {order.resource_slug} port=N; in the console, Settings, Network) and "
            "deploy again.",
        )
    found = await containers.find(engine, name)
    if found is not None and not (found.image == image and found.state.running and not found.state.restarting):
        point("container.replace")
        await containers.remove(engine, found.id)
        point("container.replaced")
        found = None
    host_port = None
    if found is not None:
        ident, host_port = found.id, found.published(port) if port is not None else None
    else:
        for last in (False, False, True):
            if port is not None:
                reserved = await target.named_ports()
                host_port = await target.processes.port(order.deployment, reserved=reserved)
            try:
                ident = await create(engine, shaped(container_spec(order, made, image, port, host_port)), name)
                break
            except ProviderFailure as failure:
                if last or not port_is_taken(failure):
                    raise
                # Somebody listens there since the port was assigned: it rests, and another one is taken.
                await start_over(target, name, order.deployment)
    return {
        "kind": "container",
        "container": ident,
        "name": name,
        "port": port,
        "host_port": host_port,
        "upstream": f"{HERE}:{host_port}" if host_port else None,
    }


def port_is_taken(failure: Problem) -> bool:
    """Whether an engine could not start a container because somebody listens on its port of the host."""
    return any(word in failure.message for word in PORT_TAKEN)


def network_is_gone(failure: Problem) -> bool:
    """Whether an engine could not start a container because somebody removed its network."""
    return "network" in failure.message and "not found" in failure.message


def has_to_be_made_anew(failure: Problem) -> bool:
    """Whether a container can never be started as it is: its port or network is taken away, or its engine was killed
    and what watched over the container then has outlived it.
    """
    outlived = "task" in failure.message and "already exists" in failure.message
    return outlived or port_is_taken(failure) or network_is_gone(failure)


def network_of(order: DeploymentOrder) -> str:
    """The network of an organization's containers: its applications reach each other by name, nobody else's do."""
    return f"quarterdeck-{order.target.instance[-8:]}-{order.organization}"


async def create(engine: Engine, spec: ContainerSpec, name: str) -> str:
    """Create and start it. Its network may go with its last container just when we join it: then it is made again."""
    for last in (False, False, True):
        point("network.ensure")
        if spec.network is not None:
            marks = {mark: spec.labels[mark] for mark in ("quarterdeck.managed", "quarterdeck.instance")}
            await networks.ensure(engine, spec.network, marks)
            point("network.ensured")
        try:
            point("container.create")
            ident = await containers.create(engine, spec, name=name)
            point("container.created")
            await containers.start(engine, ident)
            point("container.started")
            break
        except NotFound as gone:
            if last or not network_is_gone(gone):
                raise
            await containers.remove(engine, name)
    return ident


async def start_over(target: Target, container: str, deployment: str) -> None:
    """Remove a container (by name or id) that cannot start as it is, and give its port back."""
    point("container.replace")
    await containers.remove(target.need_engine(), container)
    point("container.replaced")
    await target.processes.remove(deployment)


async def _exposed_port(target: Target, image: str) -> int | None:
    """The single TCP port that an image declares."""
    ports = (await images.inspect(target.need_engine(), image)).exposed_ports
    return ports[0] if len(ports) == 1 else None


async def _own_port(target: Target, deployment: str) -> int:
    """The attempt's port: the one its process has already, else one on which nobody listens.

    A port that was assigned and then taken by somebody outside of our book would be answered by a stranger.
    """
    reserved = await target.named_ports()
    before = await target.processes.find(deployment)
    if before is not None and before.phase == "lost":
        await target.processes.stop(deployment, 0)  # what outlived its supervisor would still have the port
    for _ in range(PORTS_TRIED):
        port = await target.processes.port(deployment, reserved=reserved)
        status = await target.processes.find(deployment)
        if (status is not None and status.live) or await target.processes.is_free(port):
            return port
        await target.processes.remove(deployment)
    raise Unavailable(
        "No port could be had for the application: others take them as they are assigned.",
        code="process_ports_exhausted",
        hint="See which programs listen on this machine, then deploy again.",
    )


async def start_process(
    target: Target, order: DeploymentOrder, made: BuildPlan, artifact: dict[str, Any]
) -> dict[str, Any]:
    """The attempt's host process: started, or found running with the same specification."""
    host = made.host
    if host is None or not host.start:
        raise Invalid(
            "There is no command that starts this application.",
            code="missing_start_intent",
            hint="Set a start command.",
        )
    tree = Path(str(artifact["tree"]))
    order = await within(target, order, contained=False)
    port = await _own_port(target, order.deployment)
    environment: dict[str, str | Secret[str]] = {
        **base_environment(target, made, tree),
        **made.environment,
        "HOME": str(tree),
        **{v.key: Secret(v.value) if v.secret else v.value for v in order.variables if v.exposure == "runtime"},
    }
    environment["PORT"] = str(port)
    spec = ProcessSpec(
        instance=order.deployment,
        argv=host.start,
        directory=str(tree / host.start_directory),
        environment=environment,
        account=order.resource,
        limits=Limits(memory=order.limits.run_memory, cpus=order.limits.run_cpus),
        port=port,
        labels={
            "quarterdeck.deployment": order.deployment,
            "quarterdeck.resource": order.resource,
            "quarterdeck.instance": order.target.instance,
        },
    )
    point("process.start")
    await asyncio.shield(target.processes.start(spec, replace=True))
    point("process.started")
    return {
        "kind": "process",
        "instance": order.deployment,
        "port": port,
        "host_port": port,
        "upstream": f"{HERE}:{port}",
    }


async def remove(target: Target, deployment: str, *, stop_seconds: int | None = None) -> None:
    """Take away what an attempt started: found by its name and labels, so also what was not recorded any more.

    With `stop_seconds` it is asked to end first, and has that long for it.
    """
    if target.engine is not None:
        ours = {"quarterdeck.instance": target.order.instance, "quarterdeck.deployment": deployment}
        for found in await containers.listed(target.engine, ours):
            if stop_seconds is not None:
                point("container.stop")
                await containers.stop(target.engine, found.id, seconds=stop_seconds)
                point("container.stopped")
            point("container.remove")
            await containers.remove(target.engine, found.id)
            point("container.removed")
        await _remove_networks(target)
    for status in await target.processes.list():
        if status.instance != deployment and status.labels.get("quarterdeck.deployment") == deployment:
            await target.processes.remove(status.instance, grace=0)
    point("process.remove")
    await target.processes.remove(deployment, grace=float(STOP_SECONDS if stop_seconds is None else stop_seconds))
    point("process.removed")


async def _remove_networks(target: Target) -> None:
    """Remove networks of ours that no container has: an engine has room for few. It refuses only for containers that
    run, and one that is stopped could not be started again without its network.
    """
    engine, ours = target.need_engine(), {"quarterdeck.instance": target.order.instance}
    needed = {row.host_config.network_mode for row in await containers.listed(engine, ours)}
    for network in await networks.listed(engine, ours):
        if network.name in needed:
            continue
        point("network.remove")
        with contextlib.suppress(Problem):
            await networks.remove(engine, network.name)
        point("network.removed")


async def upstreams_of(target: Target, deployment: str, recorded: object) -> set[str]:
    """Where a route leads that leads to this attempt: as recorded, and by the port that it holds."""
    held = await target.processes.held_port(deployment)
    found = {f"{HERE}:{held}"} if held is not None else set()
    return found | ({recorded} if isinstance(recorded, str) else set())
