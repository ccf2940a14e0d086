"""Leaving a server: what of ours is there, and taking it away. A route of ours beside the contract."""

from __future__ import annotations

from msgspec import Struct

from quarterdeck.deploy.deployments import leaving
from quarterdeck.kernel.http.endpoint import Call, route


class Uninstall(Struct, kw_only=True, rename="camel"):
    """Without `remove` it is only said what would go. With `engine` the Docker engine goes, too, if Quarterdeck has
    installed it; `without_engine` leaves behind what one holds that does not answer.
    """

    remove: bool = False
    engine: bool = False
    without_engine: bool = False


class LeftItem(Struct, kw_only=True, rename="camel"):
    """`kept` says why something stays."""

    kind: str
    name: str
    removed: bool
    kept: str | None = None


class LeftOnServer(Struct, kw_only=True, rename="camel"):
    server_id: str
    items: list[LeftItem]


@route(
    "POST",
    "/api/servers/{serverId}/uninstall",
    permission="deploy:servers.delete",
    summary="Say what we have left on a server, and take it away",
    errors=(
        (400, "validation_error"),
        (404, "not_found"),
        (409, "server_in_use"),
        (409, "engine_busy"),
        (409, "server_engine_unseen"),
    ),
    body_required=True,
    tags=("servers",),
)
async def uninstall(call: Call, server_id: str, body: Uninstall) -> LeftOnServer:
    machines = call.service("instance").taking_away
    server, found = await leaving.leave(
        machines, server_id, remove=body.remove, engine=body.engine, without_engine=body.without_engine
    )
    items = [LeftItem(kind=one.kind, name=one.name, removed=one.removed, kept=one.kept) for one in found]
    return LeftOnServer(server_id=server.ref, items=items)
