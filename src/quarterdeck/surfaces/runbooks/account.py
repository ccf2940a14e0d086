"""One's own account: who one is, name and password, and coming in by a mail."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from quarterdeck.access import Access, grants, roles
from quarterdeck.identity import coming_in, own_account, proving, recovery, sessions
from quarterdeck.identity.attempts import Attempts
from quarterdeck.identity.sessions import API_KINDS
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.http.failures import Issue, Malformed
from quarterdeck.kernel.limits import Rate
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.runbooks import shapes
from quarterdeck.surfaces.runbooks.wire import account as wire
from quarterdeck.surfaces.shared import mail_links
from quarterdeck.surfaces.shared.signing_in import client_kind, signed_in
from quarterdeck.surfaces.shared.values import given

BY_LINK, BY_MAIL = Rate(5, 60), Rate(3, 60)
IN_BODY = "-"
"""Stands in the address where the token is in the body: see `surfaces.addresses`."""


@route("GET", "/api/auth/me", permission="authenticated", narrowed="*")
async def me(call: Call) -> wire.Me:
    """The caller, what they may do here, and their roles."""

    def verb(tx: Tx) -> wire.Me:
        user = proving.me(tx)
        keys = grants.roles_of(tx, user.id, tx.principal.organization_id or 0)
        names = shapes.role_names(shapes.seen_roles(tx), keys)
        return wire.Me(**shapes.brief(user), permissions=shapes.codenames(roles.mine(tx)), roles=names)

    return await call.read(verb)


@route("PUT", "/api/users/profile", permission="authenticated", errors=((400, "email_taken"), (400, "mail_missing")))
async def change_profile(call: Call, body: wire.Profile, access: Access) -> wire.Reached:
    """Change how one is called and reached. Another address counts once the link that is mailed to it is opened."""
    base = mail_links.base_if_sent(call)

    def verb(tx: Tx) -> wire.Reached:
        waits = own_account.change(
            tx, access, display_name=given(body.display_name), email=given(body.email), base=base
        )
        return wire.Reached(**shapes.brief(proving.me(tx)), pending_email=waits or UNSET)

    return await call.write(verb)


@route("POST", "/api/users/password", permission="authenticated", errors=((400, "password_wrong"),))
async def change_password(body: wire.PasswordChange, db: Database, attempts: Attempts) -> wire.Done:
    """Change one's own password; every other session ends."""
    await own_account.change_password(db, attempts, Secret(body.current_password), Secret(body.new_password))
    return wire.Done(status="ok")


@route("POST", "/api/auth/verify-identity", permission="authenticated", errors=((400, "password_wrong"),))
async def verify_identity(call: Call, body: wire.Proof, db: Database, attempts: Attempts) -> wire.Proved:
    """Prove again who one is, by password or by a code."""
    sessions.require_in_person(call.principal)
    code, password = given(body.mfa_code), given(body.password)
    if code:
        await proving.by_code(db, attempts, code, proving.note_proved)
    elif password:
        await proving.by_password(db, attempts, Secret(password))
        await db.write(lambda tx: proving.note_proved(tx, proving.me(tx)))
    else:
        raise Invalid("Neither password nor mfa_code was sent.", hint="Send one of both.", field="password")
    return wire.Proved(verified=True)


@route(
    "POST",
    "/api/auth/invite/{token}",
    permission="public",
    rate=BY_LINK,
    errors=((400, "link_invalid"), (400, "invitation_ended"), (401, "invalid_credentials"), (403, "password_missing")),
)
async def accept_invitation(
    call: Call, token: str, body: wire.Acceptance, db: Database, access: Access, attempts: Attempts
) -> wire.Accepted:
    """Accept an invitation, and sign in. Who has an account already gives its password."""
    accepted = await coming_in.accept(
        db,
        access,
        attempts,
        presented(token, body),
        Secret(body.password),
        display_name=given(body.display_name),
        kinds=API_KINDS,
        client_kind=client_kind(call),
        user_agent=call.headers.get("user-agent"),
    )
    if accepted.opened is None:
        told = accepted.token.reveal() if accepted.token else UNSET
        return wire.Accepted(mfa_required=True, mfa_token=told)
    return wire.Accepted(**await signed_in(call, accepted.opened))


@route("POST", "/api/auth/forgot-password", permission="public", rate=BY_MAIL)
async def forgot_password(call: Call, body: wire.Forgotten, db: Database) -> wire.Done:
    """Have a link to a new password sent, if there is such an account. The answer is the same if not."""
    await recovery.ask_for_link(db, body.email, mail_links.base(call))
    return wire.Done(status="ok", message="If somebody has this address here, a link is on its way to it.")


@route("POST", "/api/auth/password-reset/{token}", permission="public", rate=BY_LINK, errors=((400, "link_invalid"),))
async def reset_password(token: str, body: wire.Reset, db: Database, attempts: Attempts) -> wire.Done:
    """Set a password by the link of a mail; every session ends."""
    password = given(body.password) or given(body.new_password)
    if not password:
        raise Malformed(Issue("invalid_type", ("password",), "Required", expected="present"))
    await coming_in.reset(db, attempts, presented(token, body), Secret(password))
    return wire.Done(status="ok")


def presented(token: str, body: Any) -> str:
    """The token of the address, or of the body where the address has none."""
    if token != IN_BODY:
        return token
    found: str | None = given(body.token)
    if not found:
        raise Malformed(Issue("invalid_type", ("token",), "Required", expected="present"))
    return found
