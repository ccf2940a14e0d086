"""People as their administrators see them (contract: runbooks §2)."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.runbooks.wire.account import DisplayName, RoleName

Ids = Annotated[list[int], Meta(max_length=1000)]


class User(Struct, kw_only=True):
    id: int
    username: str
    email: str | None
    display_name: str
    is_active: bool
    created_at: str
    last_login_at: str | None
    invite_accepted_at: str | None
    roles: list[RoleName]
    storage_quota_mb: int | None
    mfa_enabled: bool
    permissions: list[str] | UnsetType = UNSET
    pending_email: str | UnsetType = UNSET
    """Counts once the link that was mailed to it is opened; told to whoever has just given it."""


class UsersQuery(Struct, kw_only=True):
    """Without `per_page` as many as one page holds."""

    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    per_page: Annotated[int, Meta(ge=1, le=1000)] = 1000


class Users(Struct, kw_only=True):
    users: list[User]
    total: int
    page: int
    per_page: int


class Invite(Struct, kw_only=True):
    username: str
    email: str
    display_name: DisplayName | UnsetType | None = UNSET
    role_ids: Ids | UnsetType = UNSET


class Invited(Struct, kw_only=True):
    user: User
    invite_sent: bool
    token: str


class UserChange(Struct, kw_only=True):
    display_name: DisplayName | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    is_active: bool | UnsetType | None = UNSET
    storage_quota_mb: Annotated[int, Meta(ge=1, le=1_000_000_000)] | UnsetType | None = UNSET


class UserRoles(Struct, kw_only=True):
    role_ids: Ids


class NewPassword(Struct, kw_only=True):
    new_password: str


class Sections(Struct, kw_only=True):
    order: list[str] | UnsetType = UNSET
    collapsed: list[str] | dict[str, Any] | UnsetType = UNSET


class CustomLink(Struct, kw_only=True):
    id: str
    label: str
    url: str
    icon: str | UnsetType | None = UNSET


class QuickLinks(Struct, kw_only=True):
    order: list[str] | UnsetType = UNSET
    hidden: list[str] | UnsetType = UNSET
    custom_links: list[CustomLink] | UnsetType = UNSET


class Preferences(Struct, kw_only=True):
    """Each part that is sent replaces the one before."""

    pinned_services: Annotated[list[str], Meta(max_length=50)] | UnsetType = UNSET
    dashboard_sections: Sections | UnsetType = UNSET
    quick_links: QuickLinks | UnsetType = UNSET


class PreferencesAnswer(Struct, kw_only=True):
    preferences: Preferences
