"""The login of programs by the browser."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

Code = Annotated[str, Meta(max_length=128)]
Bearer = Annotated[str, Meta(max_length=4000)]


class DeviceCode(Struct, kw_only=True):
    device_code: Code | UnsetType | None = UNSET


class RefreshToken(Struct, kw_only=True):
    refresh_token: Bearer | UnsetType | None = UNSET


class Success(Struct, kw_only=True):
    success: bool = True


class Tokens(Struct, kw_only=True):
    """`provider_token` is null: no account of a git provider takes part in signing in."""

    access_token: str
    refresh_token: str
    provider_token: str | None
    user_email: str | None


class AccessToken(Struct, kw_only=True):
    access_token: str
