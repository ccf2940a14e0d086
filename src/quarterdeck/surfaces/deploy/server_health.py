"""How each server is, as it was last seen. A route of ours beside the contract."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from quarterdeck.deploy.observation.observations import MOST_SERVERS, unwatched
from quarterdeck.fleet.servers import health, servers
from quarterdeck.fleet.servers.health import Health
from quarterdeck.fleet.targets.facts import Room
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.workspace.projects import organization_of

MOST = 500


class ServerDisk(Struct, kw_only=True, rename="camel"):
    """The disk that has least room, in bytes."""

    mount: str
    available: int
    size: int | UnsetType = UNSET


class ServerHealth(Struct, kw_only=True, rename="camel"):
    """`message` says why it is not healthy, `unreachableSince` since when it is out of reach. `watched` is false for a
    server that something serves on and that is one too many to be looked at every few seconds.
    """

    server_id: str
    status: Literal["healthy", "degraded", "unreachable", "unknown"]
    message: str | UnsetType = UNSET
    looked_at: str | UnsetType = UNSET
    last_reached_at: str | UnsetType = UNSET
    unreachable_since: str | UnsetType = UNSET
    engine_version: str | UnsetType = UNSET
    disk: ServerDisk | UnsetType = UNSET
    watched: bool = True


class ServerHealths(Struct, kw_only=True, rename="camel"):
    """`mostWatched` is how many servers behind SSH are looked at by themselves, of the whole installation."""

    items: list[ServerHealth]
    most_watched: int
    generated_at: str


@route(
    "GET",
    "/api/servers/health",
    permission="deploy:servers.list",
    summary="Say how each server was when it was last seen, and how much room it has",
    tags=("servers",),
)
async def newest(call: Call) -> ServerHealths:
    free, size = call.service("instance").data.room()
    here = Room(free, size, "the data directory's disk")

    def verb(tx: Tx) -> list[ServerHealth]:
        beyond = unwatched(tx, organization_of(tx))
        return [
            _item(one, watched=one.server.id not in beyond) for one in health.of(tx, servers.newest(tx, MOST), here)
        ]

    return ServerHealths(items=await call.read(verb), most_watched=MOST_SERVERS, generated_at=call.stamp)


def _item(one: Health, *, watched: bool) -> ServerHealth:
    seen, room = one.seen, one.room
    made = ServerHealth(server_id=one.server.ref, status=one.status, watched=watched)
    if one.message:
        made.message = one.message
    if seen is not None:
        made.looked_at = wire_time(seen.looked_at)
        for field, moment in (("last_reached_at", seen.reached_at), ("unreachable_since", seen.missed_at)):
            if moment is not None:
                setattr(made, field, wire_time(moment))
        if seen.engine:
            made.engine_version = seen.engine
    if room is not None:
        made.disk = ServerDisk(mount=room.mount, available=room.free, size=room.size or UNSET)
    return made
