"""What an administrator does to somebody's account.

Nobody does to oneself what could lock oneself out, and nobody takes hold of the account of somebody who may more than
they: a new password or address of such a person would be a way to their permissions.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Select, func, select, union

from quarterdeck.access import Access, grants, roles
from quarterdeck.access.model import Grant
from quarterdeck.identity import (
    addresses,
    invitations,
    leaving,
    members,
    organizations,
    recovery,
    second_factor,
    sessions,
    users,
)
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.invitations import Invited
from quarterdeck.identity.model import Invitation, User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, NotFound


def listed(tx: Tx) -> list[User]:
    """Everybody of the caller's organization, in the order of their numbers; who was newly asked in is one of them."""
    return list(tx.scalars(_everybody(tx).order_by(User.id)))


def page(tx: Tx, first: int, count: int) -> tuple[list[User], int]:
    """So many of `listed` from a place on (0 is the first), and how many there are."""
    total = tx.execute(select(func.count()).select_from(_everybody(tx).subquery())).scalar()
    return list(tx.scalars(_everybody(tx).order_by(User.id).offset(first).limit(count))), int(total or 0)


def _everybody(tx: Tx) -> Select[User]:
    place = tx.principal.organization_id or 0
    inside = select(Grant.user_id).where(Grant.organization_id == place)
    return select(User).where(User.id.in_(union(inside, invitations.newcomer_numbers(place))))


def is_listed(tx: Tx, user: User) -> bool:
    """Whether somebody is one of `listed`."""
    place = tx.principal.organization_id or 0
    return grants.belongs(tx, user.id, place) or user.id in invitations.newcomers(tx, place, [user.id])


def addresses_of(tx: Tx, people: Collection[User]) -> dict[int, str | None]:
    """Where each is reached, by the number of the user; of a seat that waits, the address that was asked in."""
    place, seats = tx.principal.organization_id or 0, [user.id for user in people if invitations.is_seat(user)]
    asked = invitations.newcomers(tx, place, seats) if seats else {}
    return {user.id: asked[user.id].email if user.id in asked else user.email for user in people}


def roles_by_user(tx: Tx, people: Collection[User]) -> dict[int, list[str]]:
    """`roles_of` of some, by the number of the user."""
    place, among = tx.principal.organization_id or 0, [user.id for user in people]
    found = {user_id: set(one.roles) for user_id, one in grants.members(tx, place, among).items()}
    for user_id, asked in invitations.newcomers(tx, place, among).items():
        found.setdefault(user_id, set()).update(asked.roles)
    return {user_id: sorted(keys) for user_id, keys in found.items()}


def roles_of(tx: Tx, user: User) -> list[str]:
    """Keys of the roles that somebody has in the whole of the caller's organization, or gets with coming; sorted."""
    place = tx.principal.organization_id or 0
    asked = invitations.newcomers(tx, place, [user.id]).get(user.id)
    return sorted({*grants.roles_of(tx, user.id, place), *(asked.roles if asked else ())})


def find(tx: Tx, user_id: int | None = None, *, uid: str | None = None) -> User:
    """One of `listed`. Raises `NotFound` (`user_not_found`), for somebody of another organization too."""
    user = tx.get(User, user_id) if user_id is not None else users.by_uid(tx, uid or "")
    if user is None or not is_listed(tx, user):
        raise missing(str(user_id or uid))
    return user


def missing(name: str) -> NotFound:
    return NotFound(
        f"There is no user {name[:80]} in this organization.", code="user_not_found", hint="Look at the list of users."
    )


def change(
    tx: Tx,
    access: Access,
    user: User,
    *,
    display_name: str | None = None,
    email: str | None = None,
    base: str | None = None,
    active: bool | None = None,
    **preferences: object,
) -> str | None:
    """Change how somebody is called or reached, let them in or keep them out; None leaves as it is. Another address
    counts as `addresses.ask` says. Answers the one that waits until its mail is opened.

    Raises `Invalid` (`own_account`), `Conflict` (`last_administrator`, `invitation_pending`), `Forbidden`
    (`account_outranks`, and `session_required` where a token asks for another address), and as `addresses.ask` does.
    """
    if email is not None:
        sessions.require_in_person(tx.principal)
    if active is False:
        require_another(tx, user, "deactivate")
    if active:
        _came(user)
    tx.lock("access:membership")
    reached = addresses_of(tx, [user])[user.id] or ""
    if (active is not None and active != user.active) or (email is not None and email != reached):
        require_no_more(tx, user)
    waits = False
    if email is not None and email.lower() != reached.lower():
        _came(user)
        waits = addresses.ask(tx, access, user, email, base)
    changed = users.rename(tx, user, display_name)
    kept = user.preferences
    users.prefer(tx, user, **{name: value for name, value in preferences.items() if value is not None})
    changed = changed or user.preferences != kept
    switched = active is not None and members.switch(tx, access, user, active=active)
    if changed or switched:
        action = IdentityAction.CHANGED
        if switched:
            action = IdentityAction.ACTIVATED if active else IdentityAction.DEACTIVATED
        members.note(tx, user, action, tx.principal.organization_id)
    return email if waits else None


def set_password(tx: Tx, user: User, password_hash: str) -> None:
    """Give somebody another password; every session of theirs ends. Raises as `change` does."""
    require_another(tx, user, "set the password of")
    _came(user)
    require_no_more(tx, user)
    recovery.set_by_administrator(tx, user, password_hash)


def reset_second_factor(tx: Tx, user: User) -> None:
    """Switch somebody's second factor off. Raises as `change` does, and `Conflict` (`second_factor_disabled`)."""
    require_another(tx, user, "reset the second factor of")
    require_no_more(tx, user)
    second_factor.disable_by_administrator(tx, user)


def set_roles(tx: Tx, access: Access, user: User, families: tuple[str, ...], keys: Collection[str]) -> None:
    """Replace the roles of some families (`custom` is one). Raises `Forbidden` (`permission_not_held`) where that gives
    or takes what the caller has not got, and as `members.set_roles` does.
    """
    tx.lock("access:membership")
    held = {key for key in roles_of(tx, user) if key.split(":")[0] in families}
    roles.require_given(tx, sorted(held ^ set(keys)))
    members.set_roles(tx, access, user, tx.principal.acts_in, families, keys)


def remove(tx: Tx, access: Access, user: User) -> None:
    """Take somebody out of the organization. Who is in no other one, nor asked into one, ends to exist: nobody signs in
    as them again, and their name and address are free; the row stays for the history. Raises as `change` does, and
    `Invalid` (`invariant_violation`) for an owner.
    """
    require_another(tx, user, "delete")
    organization_id = tx.principal.acts_in
    require_no_more(tx, user, organization_id)
    members.leave(tx, access, user, organization_id)
    for invitation in invitations.of_user(tx, user):
        invitations.end(tx, user, invitation)
    members.note(tx, user, IdentityAction.DELETED, organization_id, username=user.username)
    if not organizations.of_user(tx, user.id) and not invitations.awaited(tx, user):
        leaving.forget(tx, user)


def invite(
    tx: Tx,
    email: str,
    keys: Collection[str],
    *,
    life: timedelta,
    username: str | None = None,
    display_name: str | None = None,
) -> Invited:
    """Ask somebody in with roles (their keys). Raises `Forbidden` (`permission_not_held`), and as
    `invitations.invite` does. Whoever calls sends the mail.
    """
    roles.require_given(tx, sorted(keys))
    wanted = {grants.MEMBER, *keys}
    return invitations.invite(tx, email, wanted, life=life, username=username, display_name=display_name)


def open_invitation(tx: Tx, user: User) -> Invitation:
    """The invitation that somebody has not accepted. Raises `Conflict` (`invitation_ended`)."""
    for invitation in invitations.of_user(tx, user):
        if invitation.accepted_at is None and invitation.revoked_at is None:
            return invitation
    raise Conflict(
        f"{user.username} has no invitation that waits.",
        code="invitation_ended",
        hint="Who has come in needs none; ask anybody else in again.",
    )


def require_no_more(tx: Tx, user: User, organization_id: int | None = None) -> None:
    """Raise `Forbidden` (`account_outranks`) where somebody may, in any organization or in one, what the caller may
    not there.
    """
    if tx.principal.kind == "system" or user.id == tx.principal.id:
        return
    held = grants.everywhere(tx, user.id)
    if user.joined_at is None:  # their account is a way to what waits for them
        for place, keys in invitations.awaited(tx, user).items():
            held.setdefault(place, set()).update(keys)
    for place, keys in held.items():
        if organization_id in {None, place} and roles.carried(tx, keys) - roles.mine(tx, place):
            raise Forbidden(
                f"{user.username} may do things that you may not, so their account is not yours to change.",
                code="account_outranks",
                hint="Ask somebody who has at least the same roles.",
            )


def _came(user: User) -> None:
    """Who was asked in and has not come is let in by the invitation alone."""
    if user.joined_at is None:
        raise Conflict(
            f"{user.username} has not accepted the invitation yet.",
            code="invitation_pending",
            hint="Send the invitation again.",
        )


def require_another(tx: Tx, user: User, deed: str) -> None:
    """Raise `Invalid` (`own_account`) where an administrator means themselves."""
    if user.id == tx.principal.id:
        raise Invalid(
            f"You cannot {deed} your own account.",
            code="own_account",
            hint="Change your own in your profile, or ask another administrator.",
        )
