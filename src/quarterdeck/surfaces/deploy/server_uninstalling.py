"""Leaving a server: what of ours is there, and taking it away. A route of ours beside the contract."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection

from msgspec import Struct

from quarterdeck.deploy.deployments import belonging, leaving
from quarterdeck.fleet.servers import uninstalling
from quarterdeck.fleet.targets.uninstalling import Left, is_whole
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.endpoint import Call, route


class Uninstall(Struct, kw_only=True, rename="camel"):
    """Without `remove` it is only said what would go; `without_engine` leaves behind what a Docker engine holds that
    does not answer.
    """

    remove: bool = False
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
    errors=((400, "validation_error"), (404, "not_found"), (409, "server_in_use"), (409, "server_engine_unseen")),
    body_required=True,
    tags=("servers",),
)
async def uninstall(call: Call, server_id: str, body: Uninstall) -> LeftOnServer:
    async def known(refs: Collection[str]) -> frozenset[str]:
        found: frozenset[str] = await call.read(belonging.ours, refs)
        return found

    looking = call.service("instance").looking
    if not body.remove:
        server, found = await looking.left(server_id, known)
        return _told(server.ref, found)
    places: list[int] = await call.write(leaving.accept, server_id)

    async def agreed(found: list[str], unseen: bool) -> None:
        await call.read(leaving.check_found, server_id, places, found, unseen=unseen)

    try:
        server, found = await looking.uninstall(server_id, known, agreed, without_engine=body.without_engine)
    except BaseException as error:
        code = error.code if isinstance(error, Problem) else "internal_error"
        await asyncio.shield(call.write(uninstalling.give_up, server_id, places, code))
        raise
    counts = dict(Counter(one.kind for one in found if one.removed))
    await asyncio.shield(call.write(leaving.done, server_id, places, counts=counts, whole=is_whole(found)))
    return _told(server.ref, found)


def _told(server: str, found: Collection[Left]) -> LeftOnServer:
    items = [LeftItem(kind=one.kind, name=one.name, removed=one.removed, kept=one.kept) for one in found]
    return LeftOnServer(server_id=server, items=items)
