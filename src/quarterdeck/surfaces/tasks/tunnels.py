"""Tunnels into the workspaces of tasks."""

from __future__ import annotations

from msgspec import UNSET

from quarterdeck.access import Access
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.tasks.shapes import at, number
from quarterdeck.surfaces.tasks.wire import tunnels as wire
from quarterdeck.tasks.lookup import task_for
from quarterdeck.tasks.tunnels import tunnels
from quarterdeck.tasks.tunnels.model import Tunnel

VIEW, ACT = "tasks:tasks.view", "tasks:tasks.act"
NOT_FOUND = (404, "task_not_found")


def shape(task_id: int, tunnel: Tunnel | None) -> wire.Tunnel:
    """Of a task; before its first tunnel it is idle."""
    return wire.Tunnel(
        task_id=task_id,
        state="IDLE" if tunnel is None else tunnel.state,  # type: ignore[arg-type]
        url=None if tunnel is None else tunnel.url,
        name=None if tunnel is None else tunnel.name,
        auth_prompt=None if tunnel is None else tunnel.auth_prompt,
        started_at=None if tunnel is None else at(tunnel.started_at),
        expires_at=None if tunnel is None else at(tunnel.expires_at),
        error=None if tunnel is None else tunnel.error,
    )


@route(
    "POST",
    "/api/web/workspace-tunnel/{taskId}/start",
    permission=ACT,
    status=202,
    errors=(
        (400, "validation_error"),
        NOT_FOUND,
        (409, "tunnel_active"),
        (409, "workspace_missing"),
        (409, "machine_offline"),
        (409, "too_many_tunnels"),
    ),
)
async def start(call: Call, body: wire.TunnelStart, access: Access) -> wire.Tunnel:
    """Have the task's machine start a tunnel into its workspace."""
    kind = body.kind if body.kind is not UNSET and body.kind is not None else "vscode"

    def verb(tx: Tx) -> wire.Tunnel:
        task = task_for(tx, access, number(call.path["taskId"]), "act")
        return shape(task.id, tunnels.start(tx, task, kind))

    return await call.write(verb)


@route(
    "POST",
    "/api/web/workspace-tunnel/{taskId}/stop",
    permission=ACT,
    errors=(NOT_FOUND, (409, "tunnel_not_active")),
)
async def stop(call: Call, access: Access) -> wire.Tunnel:
    """Have the tunnel closed."""

    def verb(tx: Tx) -> wire.Tunnel:
        task = task_for(tx, access, number(call.path["taskId"]), "act")
        return shape(task.id, tunnels.stop(tx, task))

    return await call.write(verb)


@route("GET", "/api/web/workspace-tunnel/{taskId}/status", permission=VIEW, errors=(NOT_FOUND,))
async def status(call: Call, access: Access) -> wire.Tunnel:
    """How the tunnel of a task stands."""

    def verb(tx: Tx) -> wire.Tunnel:
        task = task_for(tx, access, number(call.path["taskId"]), "view")
        return shape(task.id, tunnels.shown(tx, task))

    return await call.read(verb)
