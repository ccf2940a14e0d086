"""What one's own account is asked and told (contract: runbooks §2)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Text = Annotated[str, Meta(max_length=1000)]
DisplayName = Annotated[str, Meta(min_length=1, max_length=200)]


class RoleName(Struct, kw_only=True):
    id: int
    name: str


class UserBrief(Struct, kw_only=True):
    id: int
    username: str
    email: str | None
    display_name: str
    ssh_public_key: str | None
    personal_ssh_public_key: str | None


class Reached(UserBrief, kw_only=True):
    """`pending_email` counts once the link that was mailed to it is opened."""

    pending_email: str | UnsetType = UNSET


class Me(UserBrief, kw_only=True):
    permissions: list[str]
    roles: list[RoleName]


class TokenResponse(Struct, kw_only=True):
    """`access_token` is good for 24 hours; the other pair is for clients that refresh."""

    access_token: str
    token_type: str
    user: dict[str, Any]
    permissions: list[str]
    accessToken: str  # noqa: N815 - the spelling of the shared login
    refreshToken: str  # noqa: N815 - the spelling of the shared login
    expiresIn: int  # noqa: N815 - the spelling of the shared login


class Acceptance(Struct, kw_only=True):
    """`token` where the address has none (`/api/auth/accept-invite`)."""

    password: str
    token: Text | UnsetType = UNSET
    display_name: DisplayName | UnsetType | None = UNSET


class Accepted(Struct, kw_only=True):
    """As `TokenResponse`; with a second factor set up only `mfa_required` and `mfa_token`."""

    access_token: str | UnsetType = UNSET
    token_type: str | UnsetType = UNSET
    user: dict[str, Any] | UnsetType = UNSET
    permissions: list[str] | UnsetType = UNSET
    accessToken: str | UnsetType = UNSET  # noqa: N815 - the spelling of the shared login
    refreshToken: str | UnsetType = UNSET  # noqa: N815 - the spelling of the shared login
    expiresIn: int | UnsetType = UNSET  # noqa: N815 - the spelling of the shared login
    mfa_required: bool | UnsetType = UNSET
    mfa_token: str | UnsetType = UNSET


class Forgotten(Struct, kw_only=True):
    email: Annotated[str, Meta(max_length=320)]


class Reset(Struct, kw_only=True):
    """`token` where the address has none (`/api/auth/reset-password`); the password under either name."""

    token: Text | UnsetType = UNSET
    password: str | UnsetType = UNSET
    new_password: str | UnsetType = UNSET


class Profile(Struct, kw_only=True):
    display_name: DisplayName | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET


class PasswordChange(Struct, kw_only=True):
    current_password: str
    new_password: str


class Proof(Struct, kw_only=True):
    """One of both."""

    password: str | UnsetType | None = UNSET
    mfa_code: str | UnsetType | None = UNSET


class Proved(Struct, kw_only=True):
    verified: bool


class Done(Struct, kw_only=True):
    status: str
    message: str | UnsetType = UNSET


class FactorState(Struct, kw_only=True):
    mfa_enabled: bool
    enrolled_at: str | None
    backup_codes_remaining: int


class Enrolment(Struct, kw_only=True):
    """`qr_code` is a PNG in base64."""

    totp_secret: str
    qr_code: str
    otpauth_uri: str


class Code(Struct, kw_only=True):
    code: Text


class SecondStep(Struct, kw_only=True):
    mfa_token: Text
    code: Text


class Disabling(Struct, kw_only=True):
    code: Text
    password: str | UnsetType | None = UNSET


class Renewal(Struct, kw_only=True):
    """One of both."""

    code: Text | UnsetType | None = UNSET
    password: str | UnsetType | None = UNSET


class BackupCodes(Struct, kw_only=True):
    backup_codes: list[str]


class KeyPair(Struct, kw_only=True):
    """The private half is shown this once and kept nowhere."""

    public_key: str
    private_key: str


class PublicKey(Struct, kw_only=True):
    ssh_public_key: str | None


class PersonalKey(Struct, kw_only=True):
    key: Annotated[str, Meta(max_length=16_384)]


class HasPersonalKey(Struct, kw_only=True):
    has_personal_key: bool
    ok: Literal[True] = True


class SharedKey(Struct, kw_only=True):
    user_id: int
    username: str
    display_name: str
    ssh_public_key: str
    is_self: bool


class SharedKeys(Struct, kw_only=True):
    keys: list[SharedKey]
