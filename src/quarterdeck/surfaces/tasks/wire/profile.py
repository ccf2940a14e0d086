"""The caller's own profile, second factor and tokens."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.tasks.wire.developers import Developer, Password, Short


class PlatformBinding(Struct, kw_only=True, rename="camel"):
    platform: str
    uid: str


class Profile(Developer, kw_only=True, rename="camel"):
    platform_bindings: list[PlatformBinding]


class ProfileChange(Struct, kw_only=True, rename="camel"):
    git_name: Short | UnsetType | None = UNSET
    git_email: Short | UnsetType | None = UNSET


class PasswordChange(Struct, kw_only=True, rename="camel"):
    current_password: Password
    new_password: Password


class Success(Struct, kw_only=True, rename="camel"):
    success: bool = True


class TotpSetup(Struct, kw_only=True, rename="camel"):
    secret: str
    qr_code_uri: str


class TotpCode(Struct, kw_only=True, rename="camel"):
    code: Annotated[str, Meta(min_length=1, max_length=32)]


class TotpVerified(Struct, kw_only=True, rename="camel"):
    totp_enabled: bool
    recovery_codes: list[str]


class Token(Struct, kw_only=True, rename="camel"):
    id: int
    label: str
    prefix: str
    scopes: list[str]
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None
    created_at: str


class NewToken(Token, kw_only=True, rename="camel"):
    """`token` is shown this once."""

    token: str


class Tokens(Struct, kw_only=True, rename="camel"):
    items: list[Token]
    next_cursor: str | None
    total: int


class TokenCreate(Struct, kw_only=True, rename="camel"):
    """`expiresAt` is a date or a time; without one the token is good until it is revoked. No scopes are all rights of
    its owner.
    """

    label: Annotated[str, Meta(min_length=1, max_length=200)]
    expires_at: Annotated[str, Meta(max_length=40)] | UnsetType | None = UNSET
    scopes: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=20)] | UnsetType | None = UNSET
