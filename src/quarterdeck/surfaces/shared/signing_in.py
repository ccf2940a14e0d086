"""Signing in, refreshing and signing out, for every surface."""

from __future__ import annotations

from typing import Any

from litestar.datastructures import Cookie
from msgspec import UNSET, Struct, UnsetType

from quarterdeck.access import Access
from quarterdeck.identity import organizations, sessions, signing_in
from quarterdeck.identity.model import User
from quarterdeck.identity.sessions import API_KINDS, Opened, Signer
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Invalid, Unauthenticated
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.shared.authentication import COOKIES
from quarterdeck.surfaces.shared.values import given

DOOR = Rate(20, 60)
"""Attempts of one address a minute."""
WEEK = 604_800


class Login(Struct, kw_only=True):
    """Either name; `totpCode` present, even empty, asks for the one-step second factor."""

    password: str
    username: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    totpCode: str | UnsetType | None = UNSET  # noqa: N815 - the documented spelling


class EmailSignIn(Struct, kw_only=True):
    email: str
    password: str


class Refresh(Struct, kw_only=True):
    refreshToken: str  # noqa: N815 - the documented spelling


class Logout(Struct, kw_only=True):
    refreshToken: str | UnsetType | None = UNSET  # noqa: N815 - the documented spelling


class Done(Struct, kw_only=True):
    success: bool = True


class Tokens(Struct, kw_only=True):
    """`access_token` lasts a day, for clients that cannot refresh; it ends with its session as the others do."""

    accessToken: str  # noqa: N815 - the documented spelling
    refreshToken: str  # noqa: N815 - the documented spelling
    access_token: str
    token_type: str
    expiresIn: int  # noqa: N815 - the documented spelling


def cookies(call: Call, value: str, age: int = WEEK) -> list[Cookie]:
    """The session cookie under each documented name."""
    secure = str(call.service("public_url")).startswith("https://") or call.request.scope["scheme"] == "https"
    return [
        Cookie(key=name, value=value, path="/", max_age=age, httponly=True, samesite="lax", secure=secure)
        for name in COOKIES
    ]


def user_body(user: User) -> dict[str, Any]:
    """The union of what the surfaces show of a user."""
    return {
        "id": user.id,
        "uid": user.uid,
        "username": user.username,
        "name": user.display_name,
        "display_name": user.display_name,
        "displayName": user.display_name,
        "email": user.email,
        "is_active": user.active,
        "created_at": wire_time(user.created_at),
        "createdAt": wire_time(user.created_at),
        "ssh_public_key": (user.preferences or {}).get("sshPublicKey"),
        "personal_ssh_public_key": (user.preferences or {}).get("personalSshPublicKey"),
    }


def better_auth_user(user: User) -> dict[str, Any]:
    """A user as the deploy surface's login runtime shows it."""
    return {
        "id": user.uid.replace("-", ""),
        "email": user.email,
        "name": user.display_name,
        "image": user.avatar_url,
        "emailVerified": user.email_verified,
        "createdAt": wire_time(user.created_at),
        "updatedAt": wire_time(user.updated_at),
    }


def tokens_body(opened: Opened) -> dict[str, Any]:
    return {
        "accessToken": opened.tokens["access"].reveal(),
        "refreshToken": opened.tokens["refresh"].reveal(),
        "access_token": opened.tokens["long"].reveal(),
        "token_type": "bearer",
        "expiresIn": 900,
    }


async def permissions_of(call: Call, opened: Opened) -> list[str]:
    """Keys of the catalogue, and those of runbooks also as that surface names them."""
    access: Access = call.service("access")
    await access.ready(call.service("db"))
    keys = access.permissions(opened.user.id, opened.organization.id)
    return sorted(keys | {key.removeprefix("runbooks:") for key in keys})


@route(
    "POST",
    "/api/auth/login",
    permission="public",
    rate=DOOR,
    errors=((401, "invalid_credentials"), (401, "totp_required"), (401, "second_factor_code_wrong")),
)
async def login(call: Call, body: Login, db: Database) -> dict[str, Any]:
    """Sign in with a username or an e-mail address. Where a second factor is set up and `totpCode` was not sent at all,
    the answer is a token for the second step.
    """
    identifier = next((name for name in (body.username, body.email) if isinstance(name, str) and name), None)
    if identifier is None:
        raise Invalid("Name yourself: username or email is missing.", hint="Send username or email.", field="username")
    try:
        opened = await signing_in.sign_in(
            db,
            call.service("attempts"),
            identifier,
            Secret(body.password),
            kinds=API_KINDS,
            client_kind=client_kind(call),
            user_agent=call.headers.get("user-agent"),
            code=given(body.totpCode),
        )
    except signing_in.SecondFactorRequired as needed:
        if body.totpCode is not UNSET:
            raise
        return {"mfa_required": True, "mfa_token": needed.token.reveal()}
    return await signed_in(call, opened)


def client_kind(call: Call) -> str:
    return "cli" if "cli" in call.headers.get("user-agent", "").lower() else "web"


async def signed_in(call: Call, opened: Opened) -> dict[str, Any]:
    """The answer to a sign-in by the API: tokens, the user, and what they may do."""
    return {**tokens_body(opened), "user": user_body(opened.user), "permissions": await permissions_of(call, opened)}


@route(
    "POST",
    "/api/auth/refresh",
    permission="public",
    rate=DOOR,
    errors=((401, "product_auth_invalid"), (401, "refresh_reused")),
)
async def refresh(body: Refresh, db: Database) -> Tokens:
    """Exchange a refresh token; one that was used before ends its session."""
    opened = await db.write(sessions.refresh, body.refreshToken)
    if opened is None:
        raise Unauthenticated(
            "This refresh token was used before, so its session was ended.",
            code="refresh_reused",
            hint="Sign in again. If it was not you who used it, change your password.",
        )
    return Tokens(**tokens_body(opened))


@route("POST", "/api/auth/logout", permission="authenticated", errors=((403, "session_required"),))
async def logout(call: Call, body: Logout) -> Answer[Done]:
    """End the session of this request, and the one of the refresh token that is sent along."""
    await call.write(sessions.sign_out, given(body.refreshToken))
    return Answer(Done(), cookies=cookies(call, "", 0))


@route("POST", "/api/auth/sign-in/email", permission="public", rate=DOOR)
async def sign_in_email(call: Call, body: EmailSignIn, db: Database, signer: Signer) -> Answer[dict[str, Any]]:
    """Sign in to the deploy surface: cookie, bearer header and body."""
    opened = await signing_in.sign_in(
        db,
        call.service("attempts"),
        body.email,
        Secret(body.password),
        kinds=("session",),
        client_kind="web",
        user_agent=call.headers.get("user-agent"),
    )
    signed = signer.sign(opened.tokens["session"])
    return Answer(
        {"redirect": False, "token": opened.tokens["session"].reveal(), "user": better_auth_user(opened.user)},
        headers={"set-auth-token": signed},
        cookies=cookies(call, signed),
    )


@route("POST", "/api/auth/sign-out", permission="authenticated")
async def sign_out(call: Call) -> Answer[dict[str, bool]]:
    """End the session of this request."""
    await call.write(sessions.sign_out)
    return Answer({"success": True}, cookies=cookies(call, "", 0))


def _session_body(tx: Tx) -> dict[str, Any]:
    sessions.require_in_person(tx.principal)
    session = sessions.current(tx)
    user = tx.get(User, tx.principal.id)
    if session is None or user is None:
        raise Unauthenticated("The session has ended.", code="product_auth_invalid", hint="Sign in again.")
    return {
        "session": {
            "id": session.uid.replace("-", ""),
            "userId": user.uid.replace("-", ""),
            "activeOrganizationId": organizations.ref_of(tx, session.organization_id),
            "expiresAt": wire_time(session.expires_at),
            "createdAt": wire_time(session.created_at),
        },
        "user": better_auth_user(user),
    }


@route("GET", "/api/auth/get-session", permission="authenticated")
async def get_session(call: Call) -> dict[str, Any]:
    """The session of this request and its user."""
    return await call.read(_session_body)


@route("GET", "/api/auth/session", permission="authenticated")
async def session(call: Call) -> dict[str, Any]:
    """The session of this request and its user."""
    return await call.read(_session_body)
