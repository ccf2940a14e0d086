"""People of the organization: asking in, changing, leaving."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from quarterdeck.access import Access, roles
from quarterdeck.access.model import Role
from quarterdeck.identity import accounts, invitations, links, mails, members, proving, sessions, signing_in
from quarterdeck.identity import users as people
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.invitations import Invited
from quarterdeck.identity.model import Organization
from quarterdeck.kernel import mail
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.runbooks import shapes
from quarterdeck.surfaces.runbooks.wire import users as wire
from quarterdeck.surfaces.runbooks.wire.account import Done
from quarterdeck.surfaces.shared import mail_links
from quarterdeck.surfaces.shared.values import given

LARGEST = 64 * 1024
NOT_OVER = ((400, "own_account"), (403, "account_outranks"))


@route("GET", "/api/users", permission="runbooks:users.view")
async def index(call: Call, query: wire.UsersQuery) -> wire.Users:
    """Everybody of the organization, and who was asked in."""

    def verb(tx: Tx) -> wire.Users:
        found, total = accounts.page(tx, (query.page - 1) * query.per_page, query.per_page)
        held, seen = accounts.roles_by_user(tx, found), shapes.seen_roles(tx)
        reached = accounts.addresses_of(tx, found)
        return wire.Users(
            users=[
                shapes.shown(user, reached[user.id], shapes.role_names(seen, held.get(user.id, ()))) for user in found
            ],
            total=total,
            page=query.page,
            per_page=query.per_page,
        )

    return await call.read(verb)


@route("GET", "/api/users/{user_id}", permission="runbooks:users.view")
async def show(call: Call, user_id: str) -> wire.User:
    """Somebody, and what they may do."""
    return await call.read(lambda tx: shapes.person(tx, shapes.user_of(tx, user_id), permissions=True))


@route(
    "POST",
    "/api/users",
    permission="runbooks:users.create",
    errors=(
        (400, "already_member"), (400, "invitation_pending"), (400, "username_taken"),
        (403, "permission_not_held"), (409, "conflict"),
    ),
)  # fmt: skip
async def invite(call: Call, body: wire.Invite) -> wire.Invited:
    """Ask somebody in by mail. Unknown roles are left out."""
    sessions.require_in_person(call.principal)
    base = mail_links.base(call)

    def verb(tx: Tx) -> wire.Invited:
        made = accounts.invite(
            tx,
            body.email.strip(),
            keys_of(tx, given(body.role_ids) or []),
            life=links.LIFE["invite"],
            username=body.username,
            display_name=given(body.display_name),
        )
        post(tx, made, base)
        handed = invitations.hand(tx, made, links.LIFE["handed"])
        return wire.Invited(user=shapes.person(tx, made.user), invite_sent=True, token=handed.reveal())

    return await call.write(verb)


@route(
    "POST",
    "/api/users/{user_id}/resend-invite",
    permission="runbooks:users.create",
    errors=((400, "invitation_ended"),),
)
async def resend_invitation(call: Call, user_id: str) -> Done:
    """Send the invitation again; the links before it end."""
    base = mail_links.base(call)

    def verb(tx: Tx) -> None:
        waiting = accounts.open_invitation(tx, shapes.user_of(tx, user_id))
        post(tx, invitations.renew(tx, waiting, links.LIFE["invite"]), base)

    await call.write(verb)
    return Done(status="invite_resent")


@route(
    "PUT",
    "/api/users/{user_id}",
    permission="runbooks:users.edit",
    errors=(
        *NOT_OVER, (400, "email_taken"), (400, "invitation_pending"), (400, "last_administrator"),
        (400, "mail_missing"),
    ),
)  # fmt: skip
async def change(call: Call, user_id: str, body: wire.UserChange, access: Access) -> wire.User:
    """Change how somebody is called and reached, let them in or keep them out. Another address counts once the link
    that is mailed to it is opened.
    """
    base = mail_links.base_if_sent(call)

    def verb(tx: Tx) -> wire.User:
        user = shapes.user_of(tx, user_id)
        waits = accounts.change(
            tx,
            access,
            user,
            display_name=given(body.display_name),
            email=given(body.email),
            base=base,
            active=given(body.is_active),
            storageQuotaMb=given(body.storage_quota_mb),
        )
        changed = shapes.person(tx, user)
        changed.pending_email = waits or UNSET
        return changed

    return await call.write(verb)


@route(
    "DELETE",
    "/api/users/{user_id}",
    permission="runbooks:users.delete",
    errors=(*NOT_OVER, (400, "invariant_violation"), (400, "last_administrator")),
)
async def delete(call: Call, user_id: str, access: Access) -> Done:
    """Take somebody out of the organization; who is in no other one cannot sign in again."""
    await call.write(lambda tx: accounts.remove(tx, access, shapes.user_of(tx, user_id)))
    return Done(status="deleted")


async def set_roles(call: Call, user_id: str, body: wire.UserRoles, access: Access) -> wire.User:
    """Replace somebody's roles. Unknown ones are left out."""

    def verb(tx: Tx) -> wire.User:
        user = shapes.user_of(tx, user_id)
        accounts.set_roles(tx, access, user, (shapes.FAMILY, roles.CUSTOM), keys_of(tx, body.role_ids))
        return shapes.person(tx, user)

    return await call.write(verb)


NOT_GIVEN = ((400, "last_administrator"), (403, "permission_not_held"))
assign_roles = route("POST", "/api/users/{user_id}/roles", permission="runbooks:users.assign_roles", errors=NOT_GIVEN)(
    set_roles
)
replace_roles = route("PUT", "/api/users/{user_id}/roles", permission="runbooks:users.assign_roles", errors=NOT_GIVEN)(
    set_roles
)


@route(
    "POST",
    "/api/users/{user_id}/reset-password",
    permission="runbooks:users.password_reset",
    errors=NOT_OVER,
)
async def reset_password(call: Call, user_id: str, body: wire.NewPassword) -> Done:
    """Give somebody another password; every session of theirs ends."""
    await call.read(shapes.user_of, user_id)
    password_hash = await signing_in.hashed(Secret(body.new_password))
    await call.write(lambda tx: accounts.set_password(tx, shapes.user_of(tx, user_id), password_hash))
    return Done(status="ok", message="The password was changed, and every session of the user has ended.")


@route(
    "DELETE",
    "/api/users/{user_id}/mfa",
    permission="runbooks:users.mfa_reset",
    errors=(*NOT_OVER, (400, "second_factor_disabled")),
)
async def reset_second_factor(call: Call, user_id: str) -> Done:
    """Switch somebody's second factor off."""
    await call.write(lambda tx: accounts.reset_second_factor(tx, shapes.user_of(tx, user_id)))
    return Done(status="ok", message="The second factor was switched off; the user can set up another one.")


@route("GET", "/api/users/me/preferences", permission="authenticated", narrowed=shapes.FAMILY)
async def preferences(call: Call) -> wire.PreferencesAnswer:
    """What the interface keeps for the caller."""

    def verb(tx: Tx) -> wire.PreferencesAnswer:
        return wire.PreferencesAnswer(preferences=kept_preferences(tx))

    return await call.read(verb)


@route("PUT", "/api/users/me/preferences", permission="authenticated", body_limit=LARGEST)
async def prefer(call: Call, body: wire.Preferences) -> wire.PreferencesAnswer:
    """Replace those parts that are sent."""

    def verb(tx: Tx) -> wire.PreferencesAnswer:
        user = proving.me(tx)
        before = msgspec.to_builtins(kept_preferences(tx))
        merged = {**before, **msgspec.to_builtins(body)}
        if len(msgspec.json.encode(merged)) > LARGEST:
            raise Invalid("Preferences take at most 64 KiB.", hint="Keep less in them.")
        if merged != before:
            people.prefer(tx, user, runbooks=merged)
            members.note(tx, user, IdentityAction.PREFERENCES_CHANGED, tx.principal.organization_id)
        return wire.PreferencesAnswer(preferences=kept_preferences(tx))

    return await call.write(verb)


def kept_preferences(tx: Tx) -> wire.Preferences:
    return msgspec.convert(shapes.kept(proving.me(tx), shapes.FAMILY) or {}, wire.Preferences)


def keys_of(tx: Tx, numbers: list[int]) -> list[str]:
    """Keys of the roles with these numbers that this surface shows; unknown ones are left out (contract: §2)."""
    wanted = set(numbers)
    seen: list[Role] = roles.visible(tx, shapes.FAMILY)
    return [role.key for role in seen if role.id in wanted]


def post(tx: Tx, made: Invited, base: str) -> None:
    invitation = made.invitation
    place = tx.get(Organization, invitation.organization_id)
    assert place is not None  # noqa: S101 - the foreign key says so
    letter = mails.invitation(invitation.email, base, made.token, place.name, tx.principal.label, links.LIFE["invite"])
    mail.post(tx, letter, place.id)
