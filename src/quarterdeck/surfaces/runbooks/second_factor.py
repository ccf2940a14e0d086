"""One's second factor."""

from __future__ import annotations

import base64
import io

import segno

from quarterdeck.identity import own_account, proving, second_factor, sessions, signing_in
from quarterdeck.identity.attempts import Attempts
from quarterdeck.identity.sessions import API_KINDS
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.runbooks import shapes
from quarterdeck.surfaces.runbooks.wire import account as wire
from quarterdeck.surfaces.shared.signing_in import client_kind, signed_in
from quarterdeck.surfaces.shared.values import given

WRONG = ((400, "second_factor_code_wrong"),)


@route("GET", "/api/auth/mfa/status", permission="authenticated", narrowed=shapes.FAMILY)
async def status(call: Call) -> wire.FactorState:
    """Whether a second factor is set up, and how many codes are left."""

    def verb(tx: Tx) -> wire.FactorState:
        user = proving.me(tx)
        return wire.FactorState(
            mfa_enabled=user.totp_enabled_at is not None,
            enrolled_at=shapes.at(user.totp_enabled_at),
            backup_codes_remaining=second_factor.codes_left(tx, user),
        )

    return await call.read(verb)


@route("POST", "/api/auth/mfa/enroll", permission="authenticated", errors=((400, "second_factor_enabled"),))
async def enroll(call: Call) -> wire.Enrolment:
    """Begin to set one up; it counts once a code of it confirms it."""
    sessions.require_in_person(call.principal)
    secret, address = await call.write(lambda tx: second_factor.begin(tx, proving.me(tx)))
    picture = io.BytesIO()
    segno.make(address.reveal()).save(picture, kind="png", scale=5)
    return wire.Enrolment(
        totp_secret=secret.reveal(),
        qr_code=base64.b64encode(picture.getvalue()).decode(),
        otpauth_uri=address.reveal(),
    )


@route("POST", "/api/auth/mfa/confirm", permission="authenticated", errors=WRONG)
async def confirm(call: Call, body: wire.Code) -> wire.BackupCodes:
    """Switch it on by a code of it. The backup codes are shown this once."""
    sessions.require_in_person(call.principal)
    return shown(await call.write(lambda tx: second_factor.confirm(tx, proving.me(tx), body.code)))


@route(
    "POST",
    "/api/auth/mfa/verify",
    permission="public",
    rate=Rate(10, 60),
    errors=((400, "link_invalid"), (401, "second_factor_code_wrong")),
)
async def verify(call: Call, body: wire.SecondStep, db: Database, attempts: Attempts) -> wire.TokenResponse:
    """The second step of a sign-in: the token of the first, and a code."""
    opened = await signing_in.second_step(
        db,
        attempts,
        body.mfa_token,
        body.code,
        kinds=API_KINDS,
        client_kind=client_kind(call),
        user_agent=call.headers.get("user-agent"),
    )
    return wire.TokenResponse(**await signed_in(call, opened))


@route(
    "POST",
    "/api/auth/mfa/disable",
    permission="authenticated",
    errors=(*WRONG, (400, "password_wrong"), (400, "second_factor_disabled")),
)
async def disable(body: wire.Disabling, db: Database, attempts: Attempts) -> wire.Done:
    """Switch it off, by a code of it; a password that is sent has to be right too."""
    password = given(body.password)
    await own_account.switch_off_second_factor(db, attempts, Secret(password) if password else None, body.code)
    return wire.Done(status="ok")


@route(
    "POST",
    "/api/auth/mfa/backup-codes/regenerate",
    permission="authenticated",
    errors=(*WRONG, (400, "password_wrong"), (400, "second_factor_disabled")),
)
async def regenerate(call: Call, body: wire.Renewal, db: Database, attempts: Attempts) -> wire.BackupCodes:
    """New backup codes, by a code or the password; the old ones end."""
    sessions.require_in_person(call.principal)
    code, password = given(body.code), given(body.password)
    if code:
        return shown(await proving.by_code(db, attempts, code, second_factor.renew_codes))
    if not password:
        raise Invalid("Neither code nor password was sent.", hint="Send one of both.", field="code")
    await proving.by_password(db, attempts, Secret(password))
    return shown(await db.write(lambda tx: second_factor.renew_codes(tx, proving.me(tx))))


def shown(codes: list[Secret[str]]) -> wire.BackupCodes:
    return wire.BackupCodes(backup_codes=[code.reveal() for code in codes])
