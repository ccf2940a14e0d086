"""Bringing up the edge of a host as a job: the worker's side."""

from __future__ import annotations

from pathlib import Path

import msgspec

from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.targets.facts import SHARED
from quarterdeck.fleet.targets.login import LoginOrder
from quarterdeck.kernel.errors import Unavailable
from quarterdeck.kernel.jobs.handlers import JobContext

BOOTSTRAP = "server.bootstrap-proxy"
ANEW = "The edge ran another version of its program: it is started anew."
KEPT = (
    "The edge runs another version of its program than ours, and stays as it is because another installation uses it. "
    "To have ours: end that Caddy there at an hour when nobody minds, and bring the edge up again. Of an installation "
    "that is gone for good, remove the file of its name below installations/ there."
)


class EdgeOrder(msgspec.Struct, frozen=True):
    """The edge's directory stands below `root`, or on the server that `ssh` signs in to; `enabled` is what the operator
    of the control plane says of its own machine, `instance` is the name of this installation.
    """

    root: str
    enabled: bool = True
    http_port: int | None = None
    https_port: int | None = None
    ssh: LoginOrder | None = None
    instance: str = ""


class EdgeFound(msgspec.Struct, frozen=True):
    """Where the edge listens, and the host key of a server that none was known of."""

    http_port: int
    https_port: int
    fingerprint: str | None = None
    algorithm: str | None = None


async def bring_up(context: JobContext, order: EdgeOrder, *, edges: Edges) -> EdgeFound:
    """Adopt the edge that runs, or start one, with the routes that are written down. May be repeated."""
    if order.ssh is not None:
        return await _over_ssh(context, order.ssh, order.instance, edges)
    if not order.enabled:
        raise Unavailable(
            "This control plane runs without an edge.",
            code="edge_proxy_unavailable",
            hint="Start it without --no-edge (QUARTERDECK_NO_EDGE), then try again.",
            phase="proxy-bootstrap",
        )
    edge = edges.at(Path(order.root), http_port=order.http_port, https_port=order.https_port)
    return await _found(context, edge)


async def _over_ssh(context: JobContext, ssh: LoginOrder, instance: str, edges: Edges) -> EdgeFound:
    async with edges.over(ssh.login()) as remote:
        await remote.enter(instance)
        if remote.others:
            context.log([SHARED], phase="proxy-bootstrap")
        if await remote.outdated_edge():
            # Whoever else is led through it did not ask for that.
            if not remote.others and await remote.edge.stop():
                context.log([ANEW], phase="proxy-bootstrap")
            else:
                context.log([KEPT], phase="proxy-bootstrap")
        found = await _found(context, remote.edge)
        shown = remote.host.host_key
        return msgspec.structs.replace(found, fingerprint=shown.fingerprint, algorithm=shown.algorithm)


async def _found(context: JobContext, edge: Edge) -> EdgeFound:
    await edge.ensure_running()
    ports = edge.ports
    context.log([f"The edge listens on {ports.http} and {ports.https}."], phase="proxy-bootstrap")
    return EdgeFound(ports.http, ports.https)
