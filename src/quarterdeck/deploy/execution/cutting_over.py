"""The cut-over: one renamed file leads new requests to the new version; back again if the public check fails."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import httpx
import structlog

from quarterdeck.deploy.execution import stack_runtime, starting
from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.execution.turns import to_its_end
from quarterdeck.deploy.execution.ways import edge_says, lead_back, route_value, way_between, way_of
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.fleet.docker import containers
from quarterdeck.kernel.errors import Problem, ProviderFailure
from quarterdeck.kernel.faults import point

RESTARTS = {"RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0}}
PUBLIC_SECONDS = 10
log = structlog.get_logger("quarterdeck.execution")


async def ready_way(target: Target, order: DeploymentOrder, made: BuildPlan, report: Reporter) -> None:
    """Bring the edge up, give a new route its (yet empty) place there, and tell how the edge was found.

    It goes beside packaging; what stands in the way is raised where the way is needed.
    """
    if target.edge is None or order.route is None:
        return
    try:
        await target.edge.ensure_running()
        if order.route.id not in await target.edge.routes():
            point("route.begin")
            # The edge carries a change out also when nobody waits any more: who takes the attempt back has to.
            await to_its_end(target.edge.put_route(way_of(order.route, made)))
            point("route.begun")
    except Problem as problem:
        await report.context.record("edge", {"error_code": problem.code, "error_message": problem.message})
        raise
    ports = target.edge.ports
    await report.context.record("edge", {"http_port": ports.http, "https_port": ports.https})


async def cut_over(target: Target, order: DeploymentOrder, runtime: dict[str, Any], report: Reporter) -> dict[str, Any]:
    """Lead the route to the new version, look at it as the public does, and let the engine keep what runs. A failure
    leads it back and raises. Where no way is wanted, the one that an earlier version had goes last.
    """
    if order.route is None or target.edge is None or not runtime.get("upstream"):
        await settle(target, runtime)
        await stack_runtime.settle(target, runtime)
        await report.skip("cut-over", "no route")
        if target.edge is not None and order.resource in await target.edge.routes():
            point("route.remove")
            await target.edge.remove_route(order.resource)
            point("route.removed")
        return runtime
    async with report.phase("cut-over", final=True) as recorded:
        edge, route = target.edge, route_value(order.route, str(runtime["kind"]))
        point("route.put")
        await edge.put_route(route)
        point("upstream.switch")
        await edge.switch(route.id, str(runtime["upstream"]))
        point("upstream.switched")
        try:
            # Looking and settling have nothing to wait for from each other.
            for failure in await asyncio.gather(
                _public_check(target, order), settle(target, runtime), return_exceptions=True
            ):
                if failure is not None:
                    raise failure
        except Problem:
            report.say("The public check failed: leading requests back.", level="error")
            await lead_back(edge, order.route, str(runtime["upstream"]), order.serving)
            raise
        recorded.data = {**runtime, "route": route.id, "hostnames": list(order.route.hostnames)}
        recorded.data["edge_port"] = edge.ports.http
        recorded.detail = order.route.hostnames[0]
        report.say(f"Serving at {order.route.hostnames[0]}")
    await stack_runtime.settle(target, recorded.data)
    return recorded.data


async def undo(target: Target, order: DeploymentOrder) -> None:
    """Take back what a failed attempt has begun: first the way to it, then what answered behind it.

    What cannot be taken back now (no engine, a full disk) is left for the cleaning that follows every failed attempt.
    """
    recorded = order.done.get("deploy", {}).get("upstream")
    with contextlib.suppress(Exception):
        route = way_between(order.route, order.serving)
        if target.edge is not None and route is not None:
            ours = await starting.upstreams_of(target, order.deployment, recorded)
            await lead_back(target.edge, route, ours, order.serving)
    try:
        await stack_runtime.take_away(target, order.resource, order.deployment, {}, order.serving)
        await starting.remove(target, order.deployment)
        await stack_runtime.put_back(target, order.serving)
    except Problem as problem:
        log.info("attempt_not_cleared", deployment=order.deployment, code=problem.code)
    except OSError as error:
        log.info("attempt_not_cleared", deployment=order.deployment, reason=type(error).__name__)


async def settle(target: Target, runtime: dict[str, Any]) -> None:
    """From here on the engine starts it again by itself, also after a reboot."""
    if runtime["kind"] == "container":
        point("container.settle")
        await containers.update(target.need_engine(), runtime["container"], RESTARTS)
        point("container.settled")


async def _public_check(target: Target, order: DeploymentOrder) -> None:
    """One request as the public makes it. What the application answers is its own business; what the edge answers in
    its place (unknown host, nothing there) fails the check.
    """
    assert order.route is not None and target.edge is not None  # noqa: S101, PT018 - checked by the caller
    ports = target.edge.ports
    host = order.route.hostnames[0].replace("*", "check", 1)
    address = ports.address if ports.address not in {"", "0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104 - comparing
    url = f"http://{address}:{ports.http}{order.route.path_prefix}"
    try:
        async with (
            httpx.AsyncClient(
                transport=target.reach(address, ports.http),
                timeout=PUBLIC_SECONDS,
                trust_env=False,
                verify=False,  # noqa: S501 - plain HTTP; loading authorities takes longer than asking
            ) as client,
            client.stream("GET", url, headers={"Host": host, "User-Agent": "quarterdeck-health"}) as answer,
        ):
            said = await edge_says(answer)
    except httpx.HTTPError as error:
        raise ProviderFailure(
            f"{host} does not answer through the edge ({type(error).__name__}).",
            code="public_access_failed",
            hint="Look at the edge's log and at the application's.",
            phase="verify",
        ) from error
    if said is not None:
        raise ProviderFailure(
            f"{host} is answered {answer.status_code} by the edge, not by the application ({said}).",
            code="public_access_failed",
            hint="Look at the application's log; it may have ended right after it was verified.",
            phase="verify",
        )
