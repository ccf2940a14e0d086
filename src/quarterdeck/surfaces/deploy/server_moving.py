"""A server that is reached at another address from now on. A route of ours beside the contract."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.kernel.http.endpoint import Call, route


class NewAddress(Struct, kw_only=True, rename="camel"):
    """`fingerprint` is the host key that somebody has compared there: needed where it is another than the pinned one.
    With `unseen` nobody looks: the pinned key is expected at the first contact.
    """

    host: Annotated[str, Meta(min_length=1, max_length=255)]
    port: int = 22
    fingerprint: Annotated[str, Meta(min_length=1, max_length=80)] | None = None
    unseen: bool = False


class ServerAddress(Struct, kw_only=True, rename="camel"):
    """`fingerprint` is the host key that is expected there."""

    server_id: str
    host: str
    port: int
    fingerprint: str | UnsetType = UNSET


@route(
    "POST",
    "/api/servers/{serverId}/address",
    permission="deploy:servers.configure-credential",
    summary="Reach a server at another address from now on",
    errors=(
        (400, "validation_error"),
        (404, "not_found"),
        (409, "server_inactive"),
        (409, "ssh_credential_missing"),
        (409, "ssh_host_key_changed"),
        (502, "ssh_handshake_failed"),
        (503, "ssh_unreachable"),
    ),
    body_required=True,
    tags=("servers",),
)
async def move(call: Call, server_id: str, body: NewAddress) -> ServerAddress:
    server, pin = await call.service("instance").looking.move(
        server_id, body.host, body.port, fingerprint=body.fingerprint, unseen=body.unseen
    )
    expected = pin.fingerprint if pin is not None else UNSET
    return ServerAddress(server_id=server.ref, host=server.host, port=server.port, fingerprint=expected)
