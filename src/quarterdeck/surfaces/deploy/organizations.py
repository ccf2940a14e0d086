"""The caller and the organizations they act in: which one, how it is called, who owns it."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.access import Access
from quarterdeck.identity import leaving, organizations, own_account, proving
from quarterdeck.identity.model import Organization
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.deploy.identities import require_confirmed, wire_id
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import at, present
from quarterdeck.surfaces.deploy.wire import organizations as wire
from quarterdeck.surfaces.shared.first_administrator import login_methods
from quarterdeck.surfaces.shared.values import given

MANAGERS = {"owner", "admin"}
UNSEEN = ((404, "not_found"),)


class NewOrganization(Struct, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    slug: Annotated[str, Meta(max_length=80, pattern="^[a-z0-9]+(?:-[a-z0-9]+)*$")] | UnsetType = UNSET


def role_in(tx: Tx, organization: Organization) -> str:
    """The caller's role; who has none of this family sees what a viewer sees."""
    return organizations.role_of(tx, tx.principal.id, organization.id) or "viewer"


def shown(tx: Tx, organization: Organization) -> dict[str, str]:
    return {
        "organizationId": organization.ref,
        "name": organization.name,
        "slug": organization.slug,
        "role": role_in(tx, organization),
    }


def permissions(role: str) -> dict[str, bool]:
    manages = role in MANAGERS
    return {
        "canInviteMembers": manages,
        "canListMembers": True,
        "canManageDeployTokens": manages,
        "canRemoveMembers": manages,
        "canTransferOwnership": role == "owner",
        "canUpdateMemberRoles": manages,
    }


def profile(tx: Tx, organization: Organization) -> dict[str, Any]:
    now = shown(tx, organization)
    return present(
        **now,
        permissions=permissions(now["role"]),
        logoUrl=organization.logo_url,
        createdAt=wire_time(organization.created_at),
        updatedAt=at(organization.updated_at or organization.created_at),
    )


def context(tx: Tx) -> dict[str, Any]:
    """Who calls, where they act and where they could."""
    user = proving.me(tx)
    mine = organizations.of_user(tx, user.id)
    current = next(one for one in mine if one.id == tx.principal.organization_id)
    now = shown(tx, current)
    return {
        "user": present(
            userId=wire_id(user.uid),
            email=user.email or "",
            displayName=user.display_name,
            avatarUrl=user.avatar_url,
        ),
        "currentOrganization": now,
        "organizations": [shown(tx, one) for one in mine],
        "loginMethods": login_methods(tx),
        "permissions": permissions(now["role"]),
    }


@operation("organizations.current-context")
async def current_context(call: Call) -> dict[str, Any]:
    return await call.read(context)


@operation("organizations.switch-current", elsewhere=True, further=(*UNSEEN, (403, "session_bound")))
async def switch(call: Call, body: wire.OrganizationsSwitchCurrentBody, access: Access) -> dict[str, Any]:
    def verb(tx: Tx) -> dict[str, Any]:
        own_account.switch_organization(tx, access, body.organization_id)
        return context(tx)

    return await call.write_once(body, verb, own=True)


@operation("organizations.profile.show", elsewhere=True, further=UNSEEN)
async def show(call: Call, organization_id: str, access: Access) -> dict[str, Any]:
    def verb(tx: Tx) -> dict[str, Any]:
        return profile(tx, organizations.enter(tx, access, organization_id, "deploy:organizations.profile.show"))

    return await call.read(verb)


@operation(
    "organizations.profile.change",
    elsewhere=True,
    further=(*UNSEEN, (400, "validation_error"), (409, "organization_slug_conflict")),
)
async def change(
    call: Call, organization_id: str, body: wire.OrganizationsProfileChangeBody, access: Access
) -> dict[str, Any]:
    if body.name is UNSET and body.slug is UNSET and body.logo_url is UNSET:
        raise Invalid("There is nothing to change.", hint="Send name, slug or logoUrl.")
    found: list[Organization] = []

    def before(tx: Tx) -> None:
        found[:] = [organizations.enter(tx, access, organization_id, "deploy:organizations.profile.change")]

    def verb(tx: Tx) -> dict[str, Any]:
        logo = None if body.logo_url is UNSET else (body.logo_url or "")
        organizations.change(tx, found[0], name=given(body.name), slug=given(body.slug), logo=logo)
        return profile(tx, found[0])

    return await call.write_once(body, verb, before=before, own=True)


@operation(
    "organizations.delete",
    elsewhere=True,
    further=(*UNSEEN, (400, "validation_error"), (409, "organization_delete_blocked")),
)
async def delete(
    call: Call, organization_id: str, body: wire.OrganizationsDeleteBody, access: Access
) -> dict[str, str]:
    def verb(tx: Tx) -> dict[str, str]:
        found = organizations.enter(tx, access, organization_id, "deploy:organizations.delete")
        require_confirmed(body.confirmation.organization_id, found.ref, "confirmation.organizationId")
        leaving.delete_organization(tx, access, found)
        return {"organizationId": found.ref, "deletedAt": wire_time(tx.now)}

    return await call.write_once(body, verb, own=True)


@route(
    "POST",
    "/api/organizations",
    permission="organizations:create",
    status=201,
    response=wire.OrganizationsProfileShowResponse,
    errors=((400, "validation_error"), (403, "session_bound"), (409, "organization_slug_conflict")),
)
async def create(call: Call, body: NewOrganization, access: Access) -> dict[str, Any]:
    """Create another organization, owned by the caller; the session stays where it is."""

    def verb(tx: Tx) -> dict[str, Any]:
        return profile(tx, organizations.create(tx, access, body.name, given(body.slug)))

    return await call.write(verb)
