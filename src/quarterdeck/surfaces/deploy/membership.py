"""Members of an organization and invitations into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quarterdeck.access import Access
from quarterdeck.identity import invitations, members, organizations, ranks
from quarterdeck.identity.members import Member
from quarterdeck.identity.model import Invitation, Organization, User
from quarterdeck.identity.ranks import FAMILY, rank
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.identities import documented, user_named, wire_id
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import limit_of, present
from quarterdeck.surfaces.deploy.wire import organizations as wire
from quarterdeck.surfaces.shared.mail_links import base as base_of
from quarterdeck.surfaces.shared.values import given

MOST = 250
UNSEEN = ((404, "not_found"),)


class Place:
    """The organization that a request names, entered with the permission of the operation."""

    def __init__(self, call: Call, access: Access, ref: str) -> None:
        self._permission = call.endpoint.permission
        self._access, self._ref = access, ref
        self.organization: Organization

    def enter(self, tx: Tx) -> Organization:
        self.organization = organizations.enter(tx, self._access, self._ref, self._permission)
        return self.organization


def member_item(member: Member) -> dict[str, Any]:
    user = member.user
    return present(
        memberId=wire_id(user.uid),
        userId=wire_id(user.uid),
        role=rank(member.roles),
        joinedAt=wire_time(member.joined_at),
        displayName=user.display_name,
        email=user.email,
        avatarUrl=user.avatar_url,
        status="active" if user.active else "deactivated",
    )


def invitation_item(tx: Tx, row: Invitation, organization: Organization) -> dict[str, Any]:
    inviter = tx.get(User, row.invited_by) if row.invited_by else None
    return present(
        invitationId=wire_id(row.uid),
        organizationId=organization.ref,
        email=row.email,
        role=rank(row.roles),
        status=invitations.status(tx, row),
        createdAt=wire_time(row.created_at),
        expiresAt=wire_time(row.expires_at),
        inviter=inviter and present(userId=wire_id(inviter.uid), displayName=inviter.display_name, email=inviter.email),
    )


def position(cursor: str | None) -> int | None:
    """The row or place that a cursor of ours stands for. Raises `Invalid` for others."""
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise Invalid("The cursor is not one that this list gave.", hint="Start again without one.", field="cursor")
    return int(cursor)


@operation("organizations.list-members", elsewhere=True, further=(*UNSEEN, (400, "validation_error")))
async def list_members(
    call: Call, organization_id: str, query: wire.OrganizationsListMembersQuery, access: Access
) -> dict[str, Any]:
    place, after, limit = Place(call, access, organization_id), position(given(query.cursor)), limit_of(query, MOST)

    def verb(tx: Tx) -> dict[str, Any]:
        found = members.page(tx, place.enter(tx).id, family=FAMILY, after=after, limit=limit + 1)
        last = str(found[limit - 1].user.id) if len(found) > limit else None
        return present(items=[member_item(member) for member in found[:limit]], nextCursor=last)

    return await call.read(verb)


@operation("organizations.list-invitations", elsewhere=True, further=(*UNSEEN, (400, "validation_error")))
async def list_invitations(
    call: Call, organization_id: str, query: wire.OrganizationsListInvitationsQuery, access: Access
) -> dict[str, Any]:
    place, before, limit = Place(call, access, organization_id), position(given(query.cursor)), limit_of(query, MOST)

    def verb(tx: Tx) -> dict[str, Any]:
        here = place.enter(tx)
        found = invitations.listed(tx, here.id, given(query.status), before=before, limit=limit + 1)
        items = [invitation_item(tx, row, here) for row in found[:limit] if rank(row.roles)]
        return present(items=items, nextCursor=str(found[limit - 1].id) if len(found) > limit else None)

    return await call.read(verb)


@operation("organizations.invite-member", elsewhere=True, further=UNSEEN)
async def invite(
    call: Call, organization_id: str, body: wire.OrganizationsInviteMemberBody, access: Access
) -> dict[str, Any]:
    place, base = Place(call, access, organization_id), base_of(call)
    mailed = call.service("instance").settings.mail_server is not None

    def verb(tx: Tx) -> dict[str, Any]:
        made = ranks.ask_in(tx, body.email, body.role, base)
        # Beside the contract: without a mail server nobody is written to, and a link has to be passed on by hand.
        return {**invitation_item(tx, made.invitation, place.organization), "mailed": mailed}

    return await once(call, body, place, verb)


@operation("organizations.change-member-role", elsewhere=True, further=((409, "last_administrator"),))
async def change_role(
    call: Call, organization_id: str, member_id: str, body: wire.OrganizationsChangeMemberRoleBody, access: Access
) -> dict[str, Any]:
    place = Place(call, access, organization_id)

    def verb(tx: Tx) -> dict[str, Any]:
        here = place.organization
        ranks.make(tx, access, _member(tx, here, member_id).user, body.role)
        return member_item(_member(tx, here, member_id))

    return await once(call, body, place, verb)


@operation(
    "organizations.remove-member", elsewhere=True, further=((403, "account_outranks"), (409, "last_administrator"))
)
async def remove(
    call: Call, organization_id: str, member_id: str, body: wire.OrganizationsRemoveMemberBody, access: Access
) -> dict[str, Any]:
    place = Place(call, access, organization_id)

    def verb(tx: Tx) -> dict[str, Any]:
        here = place.organization
        member = _member(tx, here, member_id)
        ranks.let_go(tx, access, member.user)
        return {
            "memberId": wire_id(member.user.uid),
            "organizationId": here.ref,
            "removedAt": wire_time(tx.now),
        }

    return await once(call, body, place, verb)


@operation("organizations.transfer-owner", elsewhere=True)
async def transfer(
    call: Call, organization_id: str, body: wire.OrganizationsTransferOwnerBody, access: Access
) -> dict[str, Any]:
    place = Place(call, access, organization_id)

    def verb(tx: Tx) -> dict[str, Any]:
        here = place.organization
        giver, taker = _member(tx, here, body.from_member_id), _member(tx, here, body.to_member_id)
        members.transfer_ownership(tx, access, here.id, giver.user, taker.user)
        return {
            "fromMember": member_item(_member(tx, here, body.from_member_id)),
            "toMember": member_item(_member(tx, here, body.to_member_id)),
            "transferredAt": wire_time(tx.now),
        }

    return await once(call, body, place, verb)


async def once(call: Call, body: Any, place: Place, verb: Callable[[Tx], dict[str, Any]]) -> dict[str, Any]:
    """Carry a change out in the named organization, under its key once, with the refusals that are documented."""
    with documented():
        return await call.write_once(body, verb, before=place.enter, own=True)


def _member(tx: Tx, organization: Organization, ref: str) -> Member:
    return members.find(tx, organization.id, user_named(tx, ref))
