"""Shapes below /api/organizations. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.login_methods import LoginMethod
from quarterdeck.surfaces.deploy.wire.scalars import Email, Text


class CurrentOrganization(Struct, kw_only=True, rename="camel"):
    organization_id: str
    name: str
    slug: str
    role: Literal["admin", "billing", "developer", "owner", "viewer"]


class Permissions(Struct, kw_only=True, rename="camel"):
    can_invite_members: bool
    can_list_members: bool
    can_manage_deploy_tokens: bool
    can_remove_members: bool
    can_transfer_ownership: bool | UnsetType = UNSET
    can_update_member_roles: bool


class User(Struct, kw_only=True, rename="camel"):
    user_id: str
    email: str
    display_name: str | UnsetType = UNSET
    avatar_url: str | UnsetType = UNSET


class OrganizationsCurrentContextResponse(Struct, kw_only=True, rename="camel"):
    user: User
    current_organization: CurrentOrganization
    organizations: list[CurrentOrganization]
    login_methods: list[LoginMethod]
    permissions: Permissions | UnsetType = UNSET


class OrganizationsItemInviter(Struct, kw_only=True, rename="camel"):
    user_id: str
    display_name: str | UnsetType = UNSET
    email: str | UnsetType = UNSET


class OrganizationsItem(Struct, kw_only=True, rename="camel"):
    invitation_id: str
    organization_id: str
    email: str
    role: Literal["admin", "billing", "developer", "owner", "viewer"]
    status: Literal["accepted", "expired", "pending", "revoked"]
    created_at: str
    expires_at: str | UnsetType = UNSET
    inviter: OrganizationsItemInviter | UnsetType = UNSET


class OrganizationsItem2(Struct, kw_only=True, rename="camel"):
    member_id: str
    user_id: str
    role: Literal["admin", "billing", "developer", "owner", "viewer"]
    joined_at: str
    avatar_url: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    status: Literal["active", "deactivated"] | UnsetType = UNSET


class OrganizationsProfileShowResponse(Struct, kw_only=True, rename="camel"):
    organization_id: str
    name: str
    slug: str
    role: Literal["admin", "billing", "developer", "owner", "viewer"]
    permissions: Permissions | UnsetType = UNSET
    logo_url: str | UnsetType = UNSET
    created_at: str | UnsetType = UNSET
    updated_at: str | UnsetType = UNSET


class OrganizationsProfileChangeBody(Struct, kw_only=True, rename="camel"):
    name: Annotated[str, Meta(min_length=1, max_length=120)] | UnsetType = UNSET
    slug: Annotated[str, Meta(max_length=80, pattern="^[a-z0-9]+(?:-[a-z0-9]+)*$")] | UnsetType = UNSET
    logo_url: str | UnsetType | None = UNSET
    idempotency_key: Text | UnsetType = UNSET


OrganizationsProfileChangeResponse = OrganizationsProfileShowResponse


class OrganizationsDeleteBodyConfirmation(Struct, kw_only=True, rename="camel"):
    organization_id: Text


class OrganizationsDeleteBody(Struct, kw_only=True, rename="camel"):
    confirmation: OrganizationsDeleteBodyConfirmation
    idempotency_key: Text | UnsetType = UNSET


class OrganizationsDeleteResponse(Struct, kw_only=True, rename="camel"):
    organization_id: str
    deleted_at: str


class OrganizationsSwitchCurrentBody(Struct, kw_only=True, rename="camel"):
    organization_id: Text
    idempotency_key: Text | UnsetType = UNSET


OrganizationsSwitchCurrentResponse = OrganizationsCurrentContextResponse


class OrganizationsListMembersQuery(Struct, kw_only=True, rename="camel"):
    cursor: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=250)] | UnsetType = UNSET


class OrganizationsListMembersResponse(Struct, kw_only=True, rename="camel"):
    items: list[OrganizationsItem2]
    next_cursor: str | UnsetType = UNSET


class OrganizationsListInvitationsQuery(Struct, kw_only=True, rename="camel"):
    status: Literal["accepted", "expired", "pending", "revoked"] | UnsetType = UNSET
    cursor: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=250)] | UnsetType = UNSET


class OrganizationsListInvitationsResponse(Struct, kw_only=True, rename="camel"):
    items: list[OrganizationsItem]
    next_cursor: str | UnsetType = UNSET


class OrganizationsInviteMemberBody(Struct, kw_only=True, rename="camel"):
    email: Email
    role: Literal["admin", "billing", "developer", "owner", "viewer"]
    idempotency_key: Text | UnsetType = UNSET


OrganizationsInviteMemberResponse = OrganizationsItem


class OrganizationsChangeMemberRoleBody(Struct, kw_only=True, rename="camel"):
    role: Literal["admin", "billing", "developer", "owner", "viewer"]
    idempotency_key: Text | UnsetType = UNSET


OrganizationsChangeMemberRoleResponse = OrganizationsItem2


class OrganizationsRemoveMemberBody(Struct, kw_only=True, rename="camel"):
    idempotency_key: Text | UnsetType = UNSET


class OrganizationsRemoveMemberResponse(Struct, kw_only=True, rename="camel"):
    member_id: str
    organization_id: str
    removed_at: str


class OrganizationsTransferOwnerBody(Struct, kw_only=True, rename="camel"):
    from_member_id: Text
    to_member_id: Text
    idempotency_key: Text | UnsetType = UNSET


class OrganizationsTransferOwnerResponse(Struct, kw_only=True, rename="camel"):
    from_member: OrganizationsItem2
    to_member: OrganizationsItem2
    transferred_at: str
