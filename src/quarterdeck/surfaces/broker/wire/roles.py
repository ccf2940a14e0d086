"""Roles, assignments and permissions (contract: broker §1.8, §1.10, §6)."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

Keys = Annotated[list[str], Meta(max_length=1000)]


class Role(Struct, kw_only=True):
    """`is_system` is left out where it is false."""

    id: str
    name: str
    permissions: list[str]
    created_at: str
    updated_at: str
    description: str | UnsetType = UNSET
    is_system: bool | UnsetType = UNSET


class NewRole(Struct, kw_only=True):
    """`is_system` of clients is ignored."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    description: Annotated[str, Meta(max_length=2000)] | UnsetType | None = UNSET
    permissions: Keys | UnsetType | None = UNSET


class RolePermissions(Struct, kw_only=True):
    permissions: Keys


class NewAssignment(Struct, kw_only=True):
    """An empty `scope` is the whole organization. `granted_by` can only be the caller."""

    user_id: str
    role_id: str
    scope: dict[str, Any] | UnsetType | None = UNSET
    granted_by: str | UnsetType | None = UNSET


class Assignment(Struct, kw_only=True):
    id: str
    user_id: str
    role_id: str
    granted_at: str
    scope: dict[str, str] | UnsetType = UNSET
    granted_by: str | UnsetType = UNSET


class Permission(Struct, kw_only=True):
    key: str
    group: str
    description: str
