"""Credentials of pipelines: shown once, good for the routes that the contract names."""

from __future__ import annotations

from typing import Any

from quarterdeck.access import Access
from quarterdeck.deploy.resources import resources
from quarterdeck.fleet.servers import servers
from quarterdeck.identity import deploy_tokens
from quarterdeck.identity.model import DeployToken
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.identities import documented, require_confirmed
from quarterdeck.surfaces.deploy.membership import Place
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import at, instant_of, limit_of, plain, present
from quarterdeck.surfaces.deploy.wire import deploy_tokens as wire
from quarterdeck.surfaces.shared.values import given
from quarterdeck.workspace import environments, projects

MOST = 100
LONGEST = 200
UNSEEN = ((404, "not_found"),)
FINDERS = {
    "projectIds": projects.find,
    "environmentIds": environments.find,
    "resourceIds": resources.find,
    "deploymentTargetIds": servers.find,
}
"""How the things of a scope are looked for: what is not the organization's own is not found."""


def scope_of(row: DeployToken) -> dict[str, Any]:
    commands = list(row.scope.get("workflowCommands", ()))
    return {**{name: list(row.scope.get(name, ())) for name in deploy_tokens.THINGS}, "workflowCommands": commands}


def item(row: DeployToken, organization: str) -> dict[str, Any]:
    return present(
        tokenId=row.ref,
        organizationId=organization,
        displayName=row.name,
        status="active" if row.revoked_at is None else "revoked",
        secretSuffix=row.suffix,
        scope=scope_of(row),
        createdAt=wire_time(row.created_at),
        expiresAt=at(row.expires_at),
        lastUsedAt=at(row.last_used_at),
        rotatedAt=at(row.rotated_at),
        revokedAt=at(row.revoked_at),
    )


@operation("deploy-tokens.list", elsewhere=True, further=UNSEEN)
async def newest(call: Call, query: wire.DeployTokensListQuery, access: Access) -> dict[str, Any]:
    place = Place(call, access, query.organization_id)
    naming = {"resourceIds": given(query.resource_id), "repositoryFullNames": given(query.repository_full_name)}

    def verb(tx: Tx) -> list[dict[str, Any]]:
        here = place.enter(tx)
        found = deploy_tokens.listed(tx, status=given(query.status), naming=naming, limit=limit_of(query, MOST))
        return [item(row, here.ref) for row in found]

    return {"items": await call.read(verb)}


@operation("deploy-tokens.show", elsewhere=True)
async def show(call: Call, token_id: str, query: wire.DeployTokensShowQuery, access: Access) -> dict[str, Any]:
    place = Place(call, access, query.organization_id)

    def verb(tx: Tx) -> dict[str, Any]:
        here = place.enter(tx)
        return item(deploy_tokens.find(tx, token_id), here.ref)

    with documented():
        return await call.read(verb)


@operation("deploy-tokens.create", elsewhere=True)
async def create(call: Call, body: wire.DeployTokensCreateBody, access: Access) -> dict[str, Any]:
    place, name = Place(call, access, body.organization_id), body.display_name.strip()
    if not name or len(name) > LONGEST:
        raise Invalid(f"A token's name has 1 to {LONGEST} characters.", hint="Choose another.", field="displayName")
    expires = None if given(body.expires_at) is None else instant_of(body.expires_at, "expiresAt")  # type: ignore[arg-type]
    scope = {key: sorted(set(values)) for key, values in (plain(body.scope) or {}).items()}

    def verb(tx: Tx) -> dict[str, Any]:
        for key, find in FINDERS.items():
            for ref in scope.get(key, ()):
                find(tx, ref)
        row, token = deploy_tokens.create(tx, name, scope, expires)
        return present(
            tokenId=row.ref,
            token=token.reveal(),
            organizationId=place.organization.ref,
            displayName=row.name,
            secretSuffix=row.suffix,
            scopes=scope_of(row),
            createdAt=wire_time(row.created_at),
            expiresAt=at(row.expires_at),
        )

    return await call.write_once(body, verb, before=place.enter, own=True, sealed=True)


@operation("deploy-tokens.rotate", elsewhere=True)
async def rotate(call: Call, token_id: str, body: wire.DeployTokensRotateBody, access: Access) -> dict[str, Any]:
    place = Place(call, access, body.organization_id)

    def verb(tx: Tx) -> dict[str, Any]:
        require_confirmed(body.confirmation.token_id, token_id, "confirmation.tokenId")
        row, token = deploy_tokens.rotate(tx, token_id)
        return {
            "tokenId": row.ref,
            "token": token.reveal(),
            "rotatedAt": at(row.rotated_at),
            "scopes": scope_of(row),
        }

    with documented():
        return await call.write_once(body, verb, before=place.enter, own=True, sealed=True)


@operation("deploy-tokens.revoke", elsewhere=True)
async def revoke(call: Call, token_id: str, body: wire.DeployTokensRevokeBody, access: Access) -> dict[str, Any]:
    place = Place(call, access, body.organization_id)

    def verb(tx: Tx) -> dict[str, Any]:
        require_confirmed(body.confirmation.token_id, token_id, "confirmation.tokenId")
        row = deploy_tokens.revoke(tx, token_id, given(body.reason))
        return {"tokenId": row.ref, "revokedAt": at(row.revoked_at)}

    with documented():
        return await call.write_once(body, verb, before=place.enter, own=True)
