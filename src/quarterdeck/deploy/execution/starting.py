"""Starting the new version beside the one that runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.packaging import base_environment
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target, labels
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.fleet.docker import containers, images, networks
from quarterdeck.fleet.docker.specs import ContainerSpec
from quarterdeck.fleet.processes.spec import Limits, ProcessSpec
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.vault import Secret

NETWORK = "quarterdeck"
ANY = "127.0.0.1"


async def start(
    target: Target, order: DeploymentOrder, made: BuildPlan, artifact: dict[str, Any], report: Reporter
) -> dict[str, Any]:
    """Start it, or find it started by an earlier execution of the same attempt. Answers where it is and how to stop it."""
    async with report.phase("deploy") as recorded:
        if artifact["kind"] == "image":
            runtime = await _container(target, order, made, artifact)
            recorded.detail = "container" + (f", beside {order.serving.deployment}" if order.serving else "")
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
        network=NETWORK,
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


async def _container(
    target: Target, order: DeploymentOrder, made: BuildPlan, artifact: dict[str, Any]
) -> dict[str, Any]:
    engine = target.need_engine()
    name = container_name(order)
    image = str(artifact["image"])
    port = made.internal_port or await _exposed_port(target, image)
    if port is None and made.exposure_mode == "reverse-proxy" and order.route is not None:
        raise Invalid(
            "The image names no port, and none is configured.",
            code="internal_port_missing",
            hint="Set internalPort in the network profile to the port that the application listens on.",
        )
    host_port = target.processes.port(order.deployment) if port is not None else None
    found = await containers.find(engine, name)
    if found is not None and not (found.image == image and found.state.running):
        await containers.remove(engine, found.id)
        found = None
    if found is None:
        point("network.ensure")
        await networks.ensure(engine, NETWORK, {"quarterdeck.managed": "true"})
        point("container.create")
        ident = await containers.create(engine, container_spec(order, made, image, port, host_port), name=name)
        point("container.created")
        await containers.start(engine, ident)
        point("container.started")
    else:
        ident = found.id
    return {
        "kind": "container",
        "container": ident,
        "name": name,
        "port": port,
        "host_port": host_port,
        "upstream": f"{ANY}:{host_port}" if host_port else None,
    }


async def _exposed_port(target: Target, image: str) -> int | None:
    """The single TCP port that an image declares."""
    ports = (await images.inspect(target.need_engine(), image)).exposed_ports
    return ports[0] if len(ports) == 1 else None


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
    port = target.processes.port(order.deployment)
    environment: dict[str, str | Secret[str]] = {
        **base_environment(made, tree),
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
        labels={"quarterdeck.deployment": order.deployment, "quarterdeck.resource": order.resource},
    )
    point("process.start")
    await asyncio.shield(target.processes.start(spec, replace=True))
    point("process.started")
    return {
        "kind": "process",
        "instance": order.deployment,
        "port": port,
        "host_port": port,
        "upstream": f"{ANY}:{port}",
    }


async def remove(target: Target, runtime: dict[str, Any], deployment: str) -> None:
    """Take away what an attempt started: found by its name and labels, so also what was not recorded any more."""
    if target.engine is not None:
        for found in await containers.listed(target.engine, {"quarterdeck.deployment": deployment}):
            point("container.remove")
            await containers.remove(target.engine, found.id)
            point("container.removed")
    point("process.remove")
    await target.processes.remove(deployment, grace=float(runtime.get("grace", 10)))
    point("process.removed")
