"""Signing in (contract: broker §1.4)."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class Login(Struct, kw_only=True):
    """What is missing counts as wrong. `totp_code` where a second factor is set up."""

    email: str = ""
    password: str = ""
    totp_code: str | UnsetType | None = UNSET


class LoginUser(Struct, kw_only=True):
    id: str
    email: str | None
    display_name: str


class Session(Struct, kw_only=True):
    token: str
    expires_at: str
    user: LoginUser
