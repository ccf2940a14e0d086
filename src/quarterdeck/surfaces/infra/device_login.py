"""How programs of the infra surface come in: by a code that somebody approves in the browser.

The page where that is done is the console's (`/cli/login`). The tokens are JWTs, because programs read in them when
they end; here they are opaque, and end with their session at once.
"""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from quarterdeck.identity import devices, sessions
from quarterdeck.identity.sessions import LIFE, Opened, Signer
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.errors import Invalid, NotFound, Unauthenticated
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.surfaces.infra.wire import device_login as wire

POLLING = Rate(120, 60)
"""Questions of one address a minute: four programs behind it may ask every two seconds."""
ISSUER, AUDIENCE = "quarterdeck", "quarterdeck-cli"


def _required(value: str | UnsetType | None, name: str) -> str:
    if value is UNSET or not value:
        raise Invalid(f"{name} is missing.", hint=f"Send {name}.", field=name)
    return str(value)


def _jwt(signer: Signer, opened: Opened, kind: str, call: Call) -> str:
    now = int(call.service("clock").now().timestamp())
    ends = min(now + int(LIFE[kind].total_seconds()), int(opened.expires_at.timestamp()))
    return signer.jwt(
        opened.tokens[kind],
        {
            "sub": opened.user.uid,
            "email": opened.user.email,
            "type": "access" if kind == "device" else "refresh",
            "iat": now,
            "exp": ends,
            "iss": ISSUER,
            "aud": AUDIENCE,
        },
    )


@route(
    "POST",
    "/api/auth/cli/generate",
    permission="authenticated",
    errors=((403, "session_required"), (409, "device_login_taken")),
)
async def generate(call: Call, body: wire.DeviceCode) -> wire.Success:
    """Approve the login of a program, by the code that it made."""
    await call.write(devices.approve, _required(body.device_code, "device_code"))
    return wire.Success()


@route(
    "POST",
    "/api/auth/cli/exchange",
    permission="public",
    rate=POLLING,
    errors=((400, "device_login_ended"), (400, "device_login_expired"), (403, "forbidden"), (404, "not_found")),
)
async def exchange(call: Call, body: wire.DeviceCode, db: Database, signer: Signer) -> wire.Tokens:
    """Ask for the tokens of a login: 404 while nobody has approved it, then the tokens, once."""
    code = _required(body.device_code, "device_code")
    opened = None
    if not await db.read(devices.waits, code):
        opened = await db.write(devices.exchange, code, call.headers.get("user-agent"))
    if opened is None:
        raise NotFound("Nobody has approved this login yet.", hint="Open the address that the program printed.")
    return wire.Tokens(
        access_token=_jwt(signer, opened, "device", call),
        refresh_token=_jwt(signer, opened, "renewal", call),
        provider_token=None,
        user_email=opened.user.email,
    )


@route(
    "POST",
    "/api/auth/cli/refresh",
    permission="public",
    rate=POLLING,
    errors=((401, "product_auth_invalid"), (401, "token_type_wrong")),
)
async def refresh(call: Call, body: wire.RefreshToken, db: Database, signer: Signer) -> wire.AccessToken:
    """Another access token for a refresh token, which stays good: programs keep the one that they were given."""
    token = signer.plain(_required(body.refresh_token, "refresh_token"))
    if token is None:
        raise Unauthenticated("This refresh token is not valid.", hint="Log in again.", code="product_auth_invalid")
    opened = await db.write(sessions.renew, token)
    return wire.AccessToken(access_token=_jwt(signer, opened, "device", call))
