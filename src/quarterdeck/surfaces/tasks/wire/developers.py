"""People, as the tasks surface shows and takes them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from quarterdeck.surfaces.tasks.wire.lists import Paging

Role = Literal["developer", "lead", "admin"]
Short = Annotated[str, Meta(max_length=200)]
Password = Annotated[str, Meta(min_length=1, max_length=512)]


class Developer(Struct, kw_only=True, rename="camel"):
    """`role` is null for a member of the organization who has no role of this surface."""

    id: int
    name: str
    role: Role | None
    git_name: str | None
    git_email: str | None
    platform_uid: str | None
    totp_enabled: bool
    is_active: bool
    created_at: str
    last_login_at: str | None


class Developers(Struct, kw_only=True, rename="camel"):
    items: list[Developer]
    next_cursor: str | None
    total: int


class DevelopersQuery(Paging, kw_only=True, rename="camel"):
    q: Annotated[str, Meta(max_length=200)] = ""


class DeveloperCreate(Struct, kw_only=True, rename="camel"):
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    password: Password
    role: Role = "developer"
    git_name: Short | UnsetType | None = UNSET
    git_email: Short | UnsetType | None = UNSET


class DeveloperChange(Struct, kw_only=True, rename="camel"):
    """Both documented spellings of the platform's id are understood."""

    role: Role | UnsetType = UNSET
    git_name: Short | UnsetType | None = UNSET
    git_email: Short | UnsetType | None = UNSET
    password: Password | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    platform_uid: Short | UnsetType | None = UNSET
    platform_uid_too: Short | UnsetType | None = field(name="platform_uid", default=UNSET)
