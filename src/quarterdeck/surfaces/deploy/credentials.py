"""SSH credentials. The private key goes in and never comes out."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from quarterdeck.fleet.credentials import credentials
from quarterdeck.fleet.credentials.credentials import Use
from quarterdeck.fleet.credentials.model import SshCredential
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import at, limit_of, present
from quarterdeck.surfaces.deploy.wire import credentials as wire
from quarterdeck.surfaces.shared.values import given

KIND = "ssh-private-key"


def item(row: SshCredential) -> dict[str, Any]:
    return present(
        id=row.ref,
        name=row.name,
        kind=KIND,
        username=row.username,
        publicKeyConfigured=True,
        privateKeyConfigured=True,
        createdAt=wire_time(row.created_at),
        rotatedAt=at(row.rotated_at),
    )


def usage(used: list[Use]) -> dict[str, Any]:
    active = sum(use.server.lifecycle == "active" for use in used)
    return {
        "totalServers": len(used),
        "activeServers": active,
        "inactiveServers": len(used) - active,
        "servers": [
            present(
                serverId=use.server.ref,
                serverName=use.server.name,
                lifecycleStatus=use.server.lifecycle,
                providerKey=use.server.provider,
                host=use.server.host,
                username=use.username,
            )
            for use in used
        ],
    }


@operation("credentials.list-ssh")
async def newest(call: Call, query: wire.CredentialsListSshQuery) -> dict[str, Any]:
    return {"items": [item(row) for row in await call.read(credentials.newest, limit_of(query))]}


@operation("credentials.create-ssh")
async def create(call: Call, body: wire.CredentialsCreateSshBody) -> dict[str, str]:
    made = await call.write(
        credentials.create,
        name=body.name,
        private_key=Secret(body.private_key),
        public_key=given(body.public_key),
        username=given(body.username),
    )
    return {"id": made.ref}


@operation("credentials.show")
async def show(call: Call, credential_id: str, query: wire.CredentialsShowQuery) -> dict[str, Any]:
    def verb(tx: Tx) -> dict[str, Any]:
        found = credentials.find(tx, credential_id)
        body: dict[str, Any] = {"schemaVersion": "credentials.show/v1", "credential": item(found)}
        if given(query.include_usage) is not False:
            body["usage"] = usage(credentials.usage(tx, found))
        return {**body, "generatedAt": wire_time(tx.now)}

    return await call.read(verb)


@operation("credentials.delete-ssh")
async def delete(call: Call, credential_id: str, body: wire.CredentialsDeleteSshBody) -> dict[str, str]:
    registry = call.service("deletion_blockers")

    def verb(tx: Tx) -> dict[str, str]:
        credentials.delete(tx, credential_id, body.confirmation.credential_id, registry)
        return {"id": credential_id}

    return await call.write_once(body, verb)


@operation("credentials.rotate-ssh")
async def rotate(call: Call, credential_id: str, body: wire.CredentialsRotateSshBody) -> dict[str, Any]:
    def verb(tx: Tx) -> dict[str, Any]:
        row, used = credentials.rotate(
            tx,
            credential_id,
            confirmation=body.confirmation.credential_id,
            acknowledged=given(body.confirmation.acknowledge_server_usage) is True,
            private_key=Secret(body.private_key),
            public_key=given(body.public_key),
            username=given(body.username),
            keep_username=body.username is UNSET,
        )
        assert row.rotated_at is not None  # noqa: S101 - set by the rotation
        return {
            "schemaVersion": "credentials.rotate-ssh/v1",
            "credential": {
                "id": row.ref,
                "kind": KIND,
                "usernameConfigured": row.username is not None,
                "publicKeyConfigured": True,
                "privateKeyConfigured": True,
                "rotatedAt": wire_time(row.rotated_at),
            },
            "affectedUsage": usage(used),
        }

    return await call.write_once(body, verb)
