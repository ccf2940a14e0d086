"""The cut-over: one renamed file leads new requests to the new version; back again if the public check fails."""

from __future__ import annotations

from typing import Any

import httpx

from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.execution.verifying import route_of
from quarterdeck.fleet.docker import containers
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.kernel.errors import Problem, ProviderFailure
from quarterdeck.kernel.faults import point

RESTARTS = {"RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0}}


async def ready_edge(target: Target, order: DeploymentOrder, report: Reporter) -> None:
    """Bring the edge up, tell how it was found, and raise what stands in its way."""
    if target.edge is None or order.route is None:
        return
    try:
        await target.edge.ensure_running()
    except Problem as problem:
        await report.context.record("edge", {"error_code": problem.code, "error_message": problem.message})
        raise
    ports = (await target.edge.status()).ports
    await report.context.record(
        "edge", {"http_port": ports.http if ports else None, "https_port": ports.https if ports else None}
    )


async def cut_over(target: Target, order: DeploymentOrder, runtime: dict[str, Any], report: Reporter) -> dict[str, Any]:
    """Lead the route to the new version and look at it as the public does. A failure leads it back and raises."""
    if order.route is None or target.edge is None or not runtime.get("upstream"):
        await report.skip("cut-over", "no route")
        await _settle(target, runtime)
        return runtime
    async with report.phase("cut-over") as recorded:
        edge, route = target.edge, route_of(order, runtime)
        before = order.serving.runtime.get("upstream") if order.serving else None
        old_route = (await edge.routes()).get(route.id)
        point("route.put")
        await edge.put_route(route)
        point("upstream.switch")
        await edge.switch(route.id, str(runtime["upstream"]))
        point("upstream.switched")
        try:
            await _public_check(edge, order)
        except ProviderFailure:
            report.say("The public check failed: leading requests back.", level="error")
            if old_route is not None and type(old_route) is not type(route):
                await edge.put_route(old_route)
            if isinstance(before, str):
                await edge.switch(route.id, before)
            else:
                await edge.take_down(route.id)
            raise
        await _settle(target, runtime)
        status = await edge.status()
        port = status.ports.http if status.ports else None
        recorded.data = {**runtime, "route": route.id, "hostnames": list(order.route.hostnames), "edge_port": port}
        recorded.detail = order.route.hostnames[0]
        report.say(f"Serving at {order.route.hostnames[0]}")
        return recorded.data


async def _settle(target: Target, runtime: dict[str, Any]) -> None:
    """From here on the engine starts it again by itself, also after a reboot."""
    if runtime["kind"] == "container":
        point("container.settle")
        await containers.update(target.need_engine(), runtime["container"], RESTARTS)
        point("container.settled")


async def _public_check(edge: Edge, order: DeploymentOrder) -> None:
    """One request as the public makes it. The edge's own failures (404 unknown host, 502, 503 from it) fail the check."""
    assert order.route is not None  # noqa: S101 - checked by the caller
    ports = (await edge.status()).ports
    if ports is None:
        return
    host = order.route.hostnames[0]
    url = f"http://{ports.address if ports.address not in {'', '0.0.0.0', '::'} else '127.0.0.1'}:{ports.http}{order.route.path_prefix}"  # noqa: S104 - comparing
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            answer = await client.get(url, headers={"Host": host, "User-Agent": "quarterdeck-health"})
    except httpx.HTTPError as error:
        raise ProviderFailure(
            f"{host} does not answer through the edge ({type(error).__name__}).",
            code="public_access_failed",
            hint="Look at the edge's log and at the application's.",
            phase="verify",
        ) from error
    if answer.status_code in {502, 503, 504} or (
        answer.status_code == 404 and "Quarterdeck" in answer.headers.get("X-Served-By", "")
    ):
        raise ProviderFailure(
            f"{host} answers {answer.status_code} through the edge.",
            code="public_access_failed",
            hint="Look at the application's log; it may have ended right after it was verified.",
            phase="verify",
        )
