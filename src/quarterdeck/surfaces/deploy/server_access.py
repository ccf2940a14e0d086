"""How servers are signed in to, and whether that works."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.credentials.access import AGENT, INLINE, STORED, Way
from quarterdeck.fleet.servers.looking import Draft
from quarterdeck.fleet.targets.connectivity import Examined
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import present
from quarterdeck.surfaces.deploy.wire import servers as wire
from quarterdeck.surfaces.deploy.wire.servers_shapes import Credential2, Credential3
from quarterdeck.surfaces.shared.values import given

DRAFT = "draft"


def way(credential: Any) -> Way:
    username = given(credential.username)
    if isinstance(credential, Credential2):
        return Way(INLINE, username, Secret(credential.private_key), given(credential.public_key))
    if isinstance(credential, Credential3):
        return Way(STORED, username, credential_ref=credential.credential_id)
    return Way(AGENT, username)


@operation("servers.configure-credential", further=((403, "ssh_agent_refused"), (409, "server_inactive")))
async def configure(call: Call, server_id: str, body: wire.ServersConfigureCredentialBody) -> None:
    await call.write(access.configure, server_id, way(body.credential))


@operation("servers.test-connectivity")
async def test(call: Call, server_id: str) -> dict[str, Any]:
    server, found = await call.service("instance").looking.examine(server_id)
    return answer(
        call, found, server.ref, name=server.name, host=server.host, port=server.port, provider=server.provider
    )


@operation("servers.test-draft-connectivity", further=((403, "ssh_agent_refused"),))
async def test_draft(call: Call, body: wire.ServersTestDraftConnectivityBody) -> dict[str, Any]:
    asked = body.server
    credential = None if given(asked.credential) is None else way(asked.credential)
    draft = Draft(asked.host, given(asked.port) or 22, asked.provider_key, credential)
    found = await call.service("instance").looking.examine_draft(draft)
    name = given(asked.name) or asked.host
    return answer(call, found, DRAFT, name=name, host=asked.host, port=draft.port, provider=draft.provider)


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
