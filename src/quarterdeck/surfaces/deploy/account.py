"""The caller's own profile, sessions and account."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from quarterdeck.access import Access
from quarterdeck.identity import leaving, members, organizations, proving, sessions, users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import User, UserSession
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.identities import require_confirmed, uid_of, wire_id
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import present
from quarterdeck.surfaces.deploy.wire import account as wire
from quarterdeck.surfaces.shared.values import given

INVALID = ((400, "validation_error"),)
CLIENTS = {"web", "cli"}


def profile(user: User) -> dict[str, Any]:
    return present(
        userId=wire_id(user.uid),
        email=user.email or "",
        displayName=user.display_name,
        avatarUrl=user.avatar_url,
        emailVerified=user.email_verified,
        createdAt=wire_time(user.created_at),
        updatedAt=wire_time(user.updated_at),
    )


@operation("account.profile.show")
async def show(call: Call) -> dict[str, Any]:
    return await call.read(lambda tx: profile(proving.me(tx)))


@operation("account.profile.change", further=INVALID)
async def change(call: Call, body: wire.AccountProfileChangeBody) -> dict[str, Any]:
    if body.display_name is UNSET and body.avatar_url is UNSET:
        raise Invalid("There is nothing to change.", hint="Send displayName, avatarUrl or both.")

    def verb(tx: Tx) -> dict[str, Any]:
        user = proving.me(tx)
        changed = users.rename(tx, user, given(body.display_name))
        if body.avatar_url is not UNSET:
            changed |= users.avatar(user, organizations.picture(body.avatar_url or "", "avatarUrl"))
        if changed:
            user.updated_at = tx.now
            members.note(tx, user, IdentityAction.CHANGED, tx.principal.organization_id)
        return profile(user)

    return await call.write_once(body, verb, own=True)


def session_item(tx: Tx, row: UserSession) -> dict[str, Any]:
    return present(
        sessionId=wire_id(row.uid),
        userId=wire_id(tx.principal.uid),
        clientKind=row.client_kind if row.client_kind in CLIENTS else "unknown",
        createdAt=wire_time(row.created_at),
        expiresAt=wire_time(row.expires_at),
        ipAddress=row.address,
        userAgent=row.user_agent,
        current=row.uid == tx.principal.credential,
    )


@operation("account.sessions.list")
async def list_sessions(call: Call) -> dict[str, Any]:
    def verb(tx: Tx) -> list[dict[str, Any]]:
        return [session_item(tx, row) for row in sessions.own(tx, tx.principal.id)]

    return {"items": await call.read(verb)}


@operation("account.sessions.revoke", further=((404, "not_found"),))
async def revoke_session(call: Call, session_id: str, body: wire.AccountSessionsRevokeBody) -> dict[str, str]:
    def verb(tx: Tx) -> dict[str, str]:
        row = sessions.revoke(tx, uid_of(session_id, "session"))
        assert row.revoked_at is not None  # noqa: S101 - set by the revocation
        return {"sessionId": wire_id(row.uid), "revokedAt": wire_time(row.revoked_at)}

    return await call.write_once(body, verb, own=True)


@operation("account.delete", further=(*INVALID, (403, "session_bound"), (409, "last_administrator")))
async def delete(call: Call, body: wire.AccountDeleteBody, access: Access) -> dict[str, str]:
    def verb(tx: Tx) -> dict[str, str]:
        user = proving.me(tx)
        require_confirmed(body.confirmation.user_id, user.uid, "confirmation.userId")
        leaving.delete_account(tx, access, user)
        return {"userId": wire_id(user.uid), "deletedAt": wire_time(tx.now)}

    return await call.write_once(body, verb, own=True)
