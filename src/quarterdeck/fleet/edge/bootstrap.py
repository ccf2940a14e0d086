"""Bringing up the edge of a host as a job: the worker's side."""

from __future__ import annotations

from pathlib import Path

import msgspec

from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.kernel.errors import Unavailable
from quarterdeck.kernel.jobs.handlers import JobContext

BOOTSTRAP = "server.bootstrap-proxy"


class EdgeOrder(msgspec.Struct, frozen=True):
    """The edge's directory stands below `root`; `enabled` is what the operator of the control plane says."""

    root: str
    enabled: bool = True
    http_port: int | None = None
    https_port: int | None = None


class EdgeFound(msgspec.Struct, frozen=True):
    """Where the edge listens."""

    http_port: int
    https_port: int


async def bring_up(context: JobContext, order: EdgeOrder, *, edges: Edges) -> EdgeFound:
    """Adopt the edge that runs, or start one, with the routes that are written down. May be repeated."""
    if not order.enabled:
        raise Unavailable(
            "This control plane runs without an edge.",
            code="edge_proxy_unavailable",
            hint="Start it without --no-edge (QUARTERDECK_NO_EDGE), then try again.",
            phase="proxy-bootstrap",
        )
    edge = edges.at(Path(order.root), http_port=order.http_port, https_port=order.https_port)
    await edge.ensure_running()
    ports = edge.ports
    context.log([f"The edge listens on {ports.http} and {ports.https}."], phase="proxy-bootstrap")
    return EdgeFound(ports.http, ports.https)
