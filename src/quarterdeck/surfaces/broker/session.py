"""Signing in and out: a token for programs, and the same session as a cookie for browsers."""

from __future__ import annotations

from litestar.datastructures import Cookie

from quarterdeck.identity import sessions, signing_in
from quarterdeck.identity.attempts import Attempts
from quarterdeck.identity.sessions import LIFE, Signer
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.errors import Unauthenticated
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.wire import session as wire
from quarterdeck.surfaces.shared.signing_in import client_kind
from quarterdeck.surfaces.shared.values import given

COOKIE = "sb_session"
KIND = "broker"
DOOR = Rate(30, 60)


def cookie(call: Call, value: str, age: int) -> Cookie:
    secure = str(call.service("public_url")).startswith("https://") or call.request.scope["scheme"] == "https"
    return Cookie(key=COOKIE, value=value, path="/", max_age=age, httponly=True, samesite="strict", secure=secure)


@route(
    "POST",
    "/api/v1/auth/login",
    permission="public",
    rate=DOOR,
    errors=((401, "invalid_credentials"), (401, "totp_required")),
)
async def login(call: Call, body: wire.Login, db: Database, attempts: Attempts, signer: Signer) -> Answer[wire.Session]:
    """Sign in for eight hours, or until half an hour passes without a request. Whatever is wrong with name or password
    is answered alike.
    """
    if not (body.email and body.password):
        raise Unauthenticated(
            "The name or the password is missing.", code="invalid_credentials", hint="Send email and password."
        )
    opened = await signing_in.sign_in(
        db,
        attempts,
        body.email,
        Secret(body.password),
        kinds=(KIND,),
        client_kind=client_kind(call),
        user_agent=call.headers.get("user-agent"),
        code=given(body.totp_code),
    )
    token = opened.tokens[KIND]
    return Answer(
        wire.Session(
            token=token.reveal(),
            expires_at=shapes.seconds(opened.session.created_at + LIFE[KIND]),
            user=wire.LoginUser(id=opened.user.uid, email=opened.user.email, display_name=opened.user.display_name),
        ),
        cookies=[cookie(call, signer.sign(token), int(LIFE[KIND].total_seconds()))],
    )


@route("POST", "/api/v1/auth/logout", permission="authenticated", status=204)
async def logout(call: Call) -> Answer[None]:
    """End the session of this request."""
    sessions.require_in_person(call.principal)
    await call.write(sessions.revoke, call.principal.credential)
    return Answer(None, cookies=[cookie(call, "", 0)])
