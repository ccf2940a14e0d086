"""Roles and permissions (contract: runbooks §2 and §3)."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.runbooks.wire.users import Ids

Name = Annotated[str, Meta(min_length=2, max_length=50)]
Description = Annotated[str, Meta(max_length=2000)]


class RolePermission(Struct, kw_only=True):
    id: int
    codename: str
    category: str
    label: str


class Role(Struct, kw_only=True):
    id: int
    name: str
    description: str | None
    is_system: bool
    created_at: str
    permissions: list[RolePermission]
    user_count: int


class Roles(Struct, kw_only=True):
    roles: list[Role]


class ListedPermission(Struct, kw_only=True):
    id: int
    codename: str
    label: str
    description: str


class Permissions(Struct, kw_only=True):
    """By category."""

    permissions: dict[str, list[ListedPermission]]


class NewRole(Struct, kw_only=True):
    name: Name
    description: Description | UnsetType | None = UNSET
    permission_ids: Ids | UnsetType = UNSET


class RoleChange(Struct, kw_only=True):
    name: Name | UnsetType | None = UNSET
    description: Description | UnsetType | None = UNSET
    permission_ids: Ids | UnsetType | None = UNSET
