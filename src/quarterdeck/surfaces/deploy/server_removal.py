"""Getting rid of a server that has a history: what is in the way, with commands, and doing it. Routes of ours."""

from __future__ import annotations

from msgspec import Struct

from quarterdeck.deploy.deployments import forgetting
from quarterdeck.fleet.servers import lifecycle, removal, servers
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route


class RemovalStep(Struct, kw_only=True, rename="camel"):
    """`kind` is the word of the delete check; `command` looks after it."""

    kind: str
    count: int
    message: str
    command: str


class Removal(Struct, kw_only=True, rename="camel"):
    """`steps` are what is in the way, in the order in which it is best done; `resources` are used and placed there."""

    server_id: str
    steps: list[RemovalStep]
    resources: list[str]


class RemovalConfirmation(Struct, kw_only=True, rename="camel"):
    server_id: str


class RemovalWish(Struct, kw_only=True, rename="camel"):
    """`withHistory` erases the deployments that were made to the server, with their logs."""

    confirmation: RemovalConfirmation
    with_history: bool = False


class Removed(Struct, kw_only=True, rename="camel"):
    server_id: str
    deployments: int


@route(
    "GET",
    "/api/servers/{serverId}/removal",
    permission="deploy:servers.delete-check",
    summary="Say what is in the way of deleting a server, and the commands that clear it",
    errors=((404, "not_found"),),
    tags=("servers",),
)
async def show(call: Call, server_id: str) -> Removal:
    registry = call.service("deletion_blockers")

    def verb(tx: Tx) -> Removal:
        server = servers.find(tx, server_id)
        found = removal.steps(server, lifecycle.blockers(tx, server, registry))
        return Removal(
            server_id=server.ref,
            steps=[
                RemovalStep(kind=one.kind, count=one.count, message=one.words, command=one.command) for one in found
            ],
            resources=forgetting.needed(tx, server),
        )

    return await call.read(verb)


@route(
    "POST",
    "/api/servers/{serverId}/removal",
    permission="deploy:servers.delete",
    summary="Delete a deactivated server, with its history where that is wanted",
    errors=((400, "validation_error"), (404, "not_found"), (409, "server_delete_blocked")),
    body_required=True,
    tags=("servers",),
)
async def remove(call: Call, server_id: str, body: RemovalWish) -> Removed:
    gone = await forgetting.remove(
        call.service("instance"),
        server_id,
        body.confirmation.server_id,
        call.service("deletion_blockers"),
        with_history=body.with_history,
    )
    return Removed(server_id=server_id, deployments=gone)
