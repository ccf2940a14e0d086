"""How servers are signed in to, and whether that works."""

from __future__ import annotations

import os
from typing import Annotated, Any

from msgspec import Meta, Struct

from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.credentials.access import AGENT, INLINE, STORED, Way
from quarterdeck.fleet.docker.address import engine_address
from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.targets import connectivity
from quarterdeck.fleet.targets.connectivity import Examined
from quarterdeck.fleet.targets.login import Login
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import given, present
from quarterdeck.surfaces.deploy.wire import servers as wire
from quarterdeck.surfaces.deploy.wire.servers_shapes import Credential2, Credential3

DRAFT = "draft"


def way(credential: Any) -> Way:
    username = given(credential.username)
    if isinstance(credential, Credential2):
        return Way(INLINE, username, Secret(credential.private_key), given(credential.public_key))
    if isinstance(credential, Credential3):
        return Way(STORED, username, credential_ref=credential.credential_id)
    return Way(AGENT, username)


@operation("servers.configure-credential", further=((409, "server_inactive"),))
async def configure(call: Call, server_id: str, body: wire.ServersConfigureCredentialBody) -> None:
    await call.write(access.configure, server_id, way(body.credential))


@operation("servers.test-connectivity")
async def test(call: Call, server_id: str) -> dict[str, Any]:
    return await examined(call, server_id)


async def examined(call: Call, server_id: str) -> dict[str, Any]:
    """Look at a registered server. The host key of the first contact that let us in is pinned."""

    def verb(tx: Tx) -> tuple[Server, Login | Problem | None]:
        server = servers.find(tx, server_id)
        if server.provider == servers.LOCAL:
            return server, None
        try:
            return server, access.login(tx, server)
        except Problem as problem:
            return server, problem

    server, login = await call.read(verb)
    found = await look(call, login)
    if found.host_key is not None:
        await call.write(access.keep_host_key, server.id, found.host_key)
    return answer(
        call, found, server.ref, name=server.name, host=server.host, port=server.port, provider=server.provider
    )


@operation("servers.test-draft-connectivity")
async def test_draft(call: Call, body: wire.ServersTestDraftConnectivityBody) -> dict[str, Any]:
    draft = body.server
    port = given(draft.port) or 22
    credential = None if given(draft.credential) is None else way(draft.credential)

    def verb(tx: Tx) -> Login | Problem | None:
        servers.check_host(draft.host)
        servers.check_port(port)
        if servers.check_provider(draft.provider_key) == servers.LOCAL:
            return None
        if credential is None:
            return access.credential_missing(draft.host)
        return access.draft_login(tx, draft.host, port, credential)

    found = await look(call, await call.read(verb))
    name = given(draft.name) or draft.host
    return answer(call, found, DRAFT, name=name, host=draft.host, port=port, provider=draft.provider_key)


async def look(call: Call, login: Login | Problem | None) -> Examined:
    clock = call.service("clock")
    if isinstance(login, Problem):
        return connectivity.without_credential(login)
    if login is not None:
        return await connectivity.examine(login, clock)
    named = call.service("instance").placement.docker_host
    environment = {**os.environ, **({"DOCKER_HOST": named} if named else {})}
    return await connectivity.examine_local(clock, engine_address(environment))


def answer(
    call: Call, found: Examined, server_id: str, *, name: str, host: str, port: int, provider: str
) -> dict[str, Any]:
    return {
        "serverId": server_id,
        "name": name,
        "host": host,
        "port": port,
        "providerKey": provider,
        "checkedAt": call.stamp,
        "status": found.status,
        "checks": [
            present(
                name=check.name,
                status=check.status,
                message=check.message,
                durationMs=round(check.seconds * 1000, 1),
                metadata=check.facts or None,
            )
            for check in found.checks
        ],
    }


class TrustedHostKey(Struct, kw_only=True, rename="camel"):
    """The fingerprint that somebody has compared with the machine's own."""

    fingerprint: Annotated[str, Meta(min_length=1, max_length=80)]


class PinnedHostKey(Struct, kw_only=True, rename="camel"):
    server_id: str
    fingerprint: str
    pinned_at: str


@route(
    "POST",
    "/api/servers/{serverId}/host-key",
    permission="deploy:servers.configure-credential",
    summary="Expect another host key from now on",
    errors=((400, "validation_error"), (404, "not_found"), (409, "server_inactive")),
    body_required=True,
    tags=("servers",),
)
async def trust(call: Call, server_id: str, body: TrustedHostKey) -> PinnedHostKey:
    row = await call.write(access.accept_host_key, server_id, body.fingerprint)
    return PinnedHostKey(server_id=server_id, fingerprint=row.fingerprint, pinned_at=wire_time(row.pinned_at))
