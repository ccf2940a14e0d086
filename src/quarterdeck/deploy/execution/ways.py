"""Ways in: routes of the edge as values, and leading them back to what served before."""

from __future__ import annotations

from collections.abc import Collection

import httpx
import msgspec

from quarterdeck.deploy.execution.order import RouteOrder, Serving
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.routes import ProxyRoute, Route, StaticRoute
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.unreadable import UNREADABLE

LONGEST_ANSWER = 4096


def route_value(route: RouteOrder, kind: str) -> Route:
    """The edge's route of a resource whose runtime is of this kind (`container`, `process`, `static`)."""
    made = StaticRoute if kind == "static" else ProxyRoute
    return made(id=route.id, owner=route.owner, hostnames=tuple(route.hostnames), path_prefix=route.path_prefix)


def way_of(route: RouteOrder, made: BuildPlan) -> Route:
    """The route that a plan will need."""
    files = made.execution_kind != "docker-container" and made.static_site is not None
    return route_value(route, "static" if files else "process")


def way_between(route: RouteOrder | None, serving: Serving | None) -> RouteOrder | None:
    """What an attempt may have changed: the route that it wants, else that of what serves, which it takes away."""
    return route if route is not None or serving is None else serving.route


async def lead_back(edge: Edge, route: RouteOrder, ours: Collection[str] | str, serving: Serving | None) -> None:
    """Make the route what it was before an attempt. Where requests do not go to the attempt they are left alone; where
    nothing served before, the route goes, and one that the attempt has taken away is put again. The caller has the
    resource's turn: nobody else is at work on the route.
    """
    mine = {ours} if isinstance(ours, str) else set(ours)
    kept = (await edge.routes()).get(route.id)
    before = serving.runtime.get("upstream") if serving is not None else None
    led = serving is not None and serving.route is not None and isinstance(before, str)
    if kept is None and not led:
        return
    current = await edge.upstream(route.id) if kept is not None else None
    point("way.back")
    if serving is None or serving.route is None or not isinstance(before, str):
        if current is None or current in mine:
            await edge.remove_route(route.id)
    else:
        await edge.clear_candidate(route.id)
        then = route_value(serving.route, str(serving.runtime.get("kind")))
        if kept != then:
            await edge.put_route(then)
        if serving.stopped:
            await edge.take_down(route.id)
        elif current != before and (current is None or current in mine):
            await edge.switch(route.id, before)
    point("way.back-done")


class _Said(msgspec.Struct):
    code: str = ""


class _Answer(msgspec.Struct):
    error: _Said = msgspec.field(default_factory=_Said)


async def edge_says(answer: httpx.Response) -> str | None:
    """The edge's own word when it answers in the place of an application, else None."""
    if answer.status_code not in {404, 502, 503, 504} or "json" not in answer.headers.get("Content-Type", ""):
        return None
    body = b""
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > LONGEST_ANSWER:
            return None
    return said_in(body)


def said_in(body: bytes) -> str | None:
    """The code of an answer that the edge made itself: of a route that leads nowhere, or whose upstream is silent."""
    try:
        code = msgspec.json.decode(body, type=_Answer).error.code
    except UNREADABLE:
        return None
    return code if code in {"edge_unknown_host", "edge_upstream_unavailable"} else None
