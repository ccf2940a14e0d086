"""Invitations that wait, sent again and ended: routes of ours beside the documented ones of `membership`."""

from __future__ import annotations

from msgspec import Struct

from quarterdeck.access import Access
from quarterdeck.identity import invitations, ranks
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.deploy.identities import wire_id
from quarterdeck.surfaces.deploy.membership import Place
from quarterdeck.surfaces.shared.mail_links import base as base_of

PERMISSION = "deploy:organizations.invite-member"
HERE = "/api/organizations/{organizationId}/invitations/{invitationId}"
TAGS = ("organizations",)


class Resent(Struct, kw_only=True, rename="camel"):
    """`mailed` says whether there is a mail server. Where there is none, `link` is what opens the invitation: it is
    told this once, to whoever asked, to be passed on by hand.
    """

    invitation_id: str
    email: str
    expires_at: str
    mailed: bool
    link: str | None


class Revoked(Struct, kw_only=True, rename="camel"):
    invitation_id: str
    email: str


@route(
    "POST",
    HERE + "/resend",
    permission=PERMISSION,
    errors=((403, "permission_not_held"), (404, "invitation_not_found"), (409, "invitation_ended")),
    elsewhere=True,
    tags=TAGS,
)
async def resend(call: Call, organization_id: str, invitation_id: str, access: Access) -> Resent:
    """Send an invitation again, with another link and another life; the links before it end."""
    place, base = Place(call, access, organization_id), base_of(call)
    mailed = call.service("instance").settings.mail_server is not None

    def verb(tx: Tx) -> Resent:
        made = ranks.ask_again(tx, invitations.find(tx, place.enter(tx).id, invitation_id), base)
        return Resent(
            invitation_id=wire_id(made.invitation.uid),
            email=made.invitation.email,
            expires_at=wire_time(made.invitation.expires_at),
            mailed=mailed,
            link=None if mailed else ranks.link(tx, made, base),
        )

    return await call.write(verb)


@route(
    "POST",
    HERE + "/revoke",
    permission=PERMISSION,
    errors=((404, "invitation_not_found"), (409, "invitation_ended")),
    elsewhere=True,
    tags=TAGS,
)
async def revoke(call: Call, organization_id: str, invitation_id: str, access: Access) -> Revoked:
    """End an invitation that waits: its link opens nothing any more."""
    place = Place(call, access, organization_id)

    def verb(tx: Tx) -> Revoked:
        found = invitations.find(tx, place.enter(tx).id, invitation_id)
        invitations.revoke(tx, found)
        return Revoked(invitation_id=wire_id(found.uid), email=found.email)

    return await call.write(verb)
