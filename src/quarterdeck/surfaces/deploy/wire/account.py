"""Shapes below /api/account. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text


class AccountProfileShowResponse(Struct, kw_only=True, rename="camel"):
    user_id: str
    email: str
    display_name: str | UnsetType = UNSET
    avatar_url: str | UnsetType = UNSET
    email_verified: bool | UnsetType = UNSET
    created_at: str | UnsetType = UNSET
    updated_at: str | UnsetType = UNSET


class AccountProfileChangeBody(Struct, kw_only=True, rename="camel"):
    display_name: Annotated[str, Meta(max_length=120)] | UnsetType = UNSET
    avatar_url: str | UnsetType | None = UNSET
    idempotency_key: Text | UnsetType = UNSET


AccountProfileChangeResponse = AccountProfileShowResponse


class AccountSessionsListResponseItemsItem(Struct, kw_only=True, rename="camel"):
    session_id: str
    user_id: str
    client_kind: Literal["web", "cli", "unknown"] | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    created_at: str
    expires_at: str
    ip_address: str | UnsetType = UNSET
    user_agent: str | UnsetType = UNSET
    current: bool | UnsetType = UNSET
    last_active_at: str | UnsetType = UNSET


class AccountSessionsListResponse(Struct, kw_only=True, rename="camel"):
    items: list[AccountSessionsListResponseItemsItem]
    next_cursor: str | UnsetType = UNSET


class AccountSessionsRevokeBody(Struct, kw_only=True, rename="camel"):
    idempotency_key: Text | UnsetType = UNSET


class AccountSessionsRevokeResponse(Struct, kw_only=True, rename="camel"):
    session_id: str
    revoked_at: str


class AccountDeleteBodyConfirmation(Struct, kw_only=True, rename="camel"):
    user_id: Text


class AccountDeleteBody(Struct, kw_only=True, rename="camel"):
    confirmation: AccountDeleteBodyConfirmation
    idempotency_key: Text | UnsetType = UNSET


class AccountDeleteResponse(Struct, kw_only=True, rename="camel"):
    user_id: str
    deleted_at: str
