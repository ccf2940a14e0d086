"""The caller's own profile, password and second factor."""

from __future__ import annotations

from typing import Any

from quarterdeck.identity import own_account, proving, second_factor, sessions
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.tasks.shapes import developer_fields, told
from quarterdeck.surfaces.tasks.wire import profile as wire
from quarterdeck.tasks import developers

OWN = "tasks:profile.own"
CAREFUL = Rate(20, 60)
"""Attempts of one address a minute at what proves who somebody is."""
SESSION = ((403, "session_required"),)


def _profile(tx: Tx, user: User) -> wire.Profile:
    uid = developers.preference(user, "platformUid")
    # The two platforms tell their people's ids apart themselves: Lark's begin with ou_.
    bindings = [wire.PlatformBinding(platform="lark" if uid.startswith("ou_") else "slack", uid=uid)] if uid else []
    return wire.Profile(**developer_fields(tx, user), platform_bindings=bindings)


@route("GET", "/api/web/profile", permission=OWN)
async def show(call: Call) -> wire.Profile:
    """Who the caller is."""
    return await call.read(lambda tx: _profile(tx, proving.me(tx)))


@route(
    "PUT", "/api/web/profile", permission=OWN, whole=True, errors=((400, "validation_error"), (403, "token_narrowed"))
)
async def change(call: Call, body: wire.ProfileChange) -> wire.Profile:
    """Change what the caller's commits are signed with."""
    kept = told(gitName=body.git_name, gitEmail=body.git_email)
    return await call.write(lambda tx: _profile(tx, developers.change_own(tx, **kept)))


@route(
    "PUT",
    "/api/web/profile/password",
    permission=OWN,
    rate=CAREFUL,
    errors=((400, "password_wrong"), (400, "validation_error"), *SESSION),
)
async def change_password(body: wire.PasswordChange, db: Database, attempts: Any) -> wire.Success:
    """Change the caller's password; their other sessions end."""
    await own_account.change_password(db, attempts, Secret(body.current_password), Secret(body.new_password))
    return wire.Success()


@route("POST", "/api/web/profile/totp/setup", permission=OWN, errors=((409, "second_factor_enabled"), *SESSION))
async def set_up_totp(call: Call) -> wire.TotpSetup:
    """Begin a second factor: its secret, pending until a code of it was given."""
    sessions.require_in_person(call.principal)
    secret, address = await call.write(lambda tx: second_factor.begin(tx, proving.me(tx)))
    return wire.TotpSetup(secret=secret.reveal(), qr_code_uri=address.reveal())


@route(
    "POST",
    "/api/web/profile/totp/verify",
    permission=OWN,
    rate=CAREFUL,
    errors=((400, "second_factor_code_wrong"), (409, "second_factor_not_pending"), *SESSION),
)
async def verify_totp(call: Call, body: wire.TotpCode) -> wire.TotpVerified:
    """Switch the pending second factor on, by a code of it; the recovery codes are shown this once."""
    sessions.require_in_person(call.principal)
    codes = await call.write(lambda tx: second_factor.confirm(tx, proving.me(tx), body.code))
    return wire.TotpVerified(totp_enabled=True, recovery_codes=[code.reveal() for code in codes])
