"""Leaving a server: what of ours is there, and taking it away. A route of ours beside the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from msgspec import Struct

from quarterdeck.deploy.deployments import belonging
from quarterdeck.fleet.servers import uninstalling
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route


class Uninstall(Struct, kw_only=True, rename="camel"):
    """Without `remove` it is only said what would go. With `engine` the Docker engine goes, too, if Quarterdeck has
    installed it.
    """

    remove: bool = False
    engine: bool = False


class LeftItem(Struct, kw_only=True, rename="camel"):
    """`kept` says why something stays."""

    kind: str
    name: str
    removed: bool
    kept: str | None = None


class LeftOnServer(Struct, kw_only=True, rename="camel"):
    server_id: str
    items: list[LeftItem]


def _begin(tx: Tx, server_id: str, found: list[str]) -> None:
    belonging.check_unused(tx, server_id)
    belonging.check_only_here(tx, server_id, found)
    uninstalling.begin(tx, server_id)


@route(
    "POST",
    "/api/servers/{serverId}/uninstall",
    permission="deploy:servers.delete",
    summary="Say what we have left on a server, and take it away",
    errors=((400, "validation_error"), (404, "not_found"), (409, "server_in_use")),
    body_required=True,
    tags=("servers",),
)
async def uninstall(call: Call, server_id: str, body: Uninstall) -> LeftOnServer:
    if body.remove:
        await call.read(belonging.check_unused, server_id)

    async def begin(found: list[str]) -> None:
        await call.write(_begin, server_id, found)

    async def known(refs: Collection[str]) -> frozenset[str]:
        found: frozenset[str] = await call.read(belonging.ours, refs)
        return found

    looking = call.service("instance").looking
    server, found = await looking.uninstall(server_id, known, begin, remove=body.remove, engine=body.engine)
    gone = Counter(one.kind for one in found if one.removed)
    if gone:
        names = [one.name for one in found if one.removed and one.kind == "engine"]
        await call.write(uninstalling.note, server_id, counts=dict(gone), engine=names[0] if names else None)
    items = [LeftItem(kind=one.kind, name=one.name, removed=one.removed, kept=one.kept) for one in found]
    return LeftOnServer(server_id=server.ref, items=items)
