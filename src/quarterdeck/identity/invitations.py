"""Asking people in. A new person exists from the invitation on, and can do nothing before they accept it.

Whoever asks in does not learn who has an account: where the address is somebody's of another organization, a *seat* is
kept for them, an account without an address that looks like that of a new person. It ends when they come.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import Select, func, or_, select, update

from quarterdeck.access import Access, grants, roles
from quarterdeck.identity import links, sessions, users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import Invitation, User
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from quarterdeck.kernel.vault import Secret

Status = Literal["pending", "accepted", "expired", "revoked"]
WAITS = (Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None))
"""Neither accepted nor revoked; it may have expired."""


@dataclass(frozen=True, slots=True)
class Invited:
    """`token` is what the mail's link carries, shown this once."""

    invitation: Invitation
    user: User
    token: Secret[str]


def status(tx: Tx, invitation: Invitation) -> Status:
    if invitation.accepted_at is not None:
        return "accepted"
    if invitation.revoked_at is not None:
        return "revoked"
    return "pending" if invitation.expires_at > tx.now else "expired"


def invite(
    tx: Tx,
    email: str,
    keys: Collection[str],
    *,
    life: timedelta,
    username: str | None = None,
    display_name: str | None = None,
) -> Invited:
    """Ask somebody into the caller's organization with roles (their keys), which they get with coming. Raises
    `Conflict` (`already_member`, `invitation_pending`), and as `users.create` does. Whoever calls sends the mail.
    """
    sessions.require_in_person(tx.principal)
    organization_id = tx.principal.acts_in
    tx.lock("identity:invitations", "identity:users")
    users.check_email(email)
    account = users.find(tx, email)
    before = _of_address(tx, organization_id, email)
    if any(status(tx, one) == "pending" for one in before):
        raise Conflict(
            f"{email} has an invitation that is open.",
            code="invitation_pending",
            hint="Send it again, or revoke it first.",
        )
    if account is not None and account.joined_at is not None:
        if grants.belongs(tx, account.id, organization_id):
            raise Conflict(f"{email} is a member already.", code="already_member", hint="Change their roles instead.")
        known = _seat(tx, before)
    else:
        known = account
    if known is not None and username is not None:
        users.check_username(tx, username)  # as for somebody new: nothing tells that they are none
    user = known or _newcomer(tx, email, username, display_name, seat=account is not None)
    invitation = tx.add(
        Invitation(
            uid=tx.ids.uid(),
            ref=tx.ids.ref("inv"),
            organization_id=organization_id,
            user_id=user.id,
            email=email,
            roles=sorted(keys),
            invited_by=tx.principal.id if tx.principal.kind == "user" else None,
            created_at=tx.now,
            expires_at=tx.now + life,
            accepted_at=None,
            revoked_at=None,
        )
    )
    tx.flush()
    links.void(tx, "handed", user)  # what was handed to another organization opens nothing of this one
    _note(tx, invitation, IdentityAction.INVITED, "invitation-created")
    return Invited(invitation, user, links.issue(tx, "invite", user, life, invitation=invitation))


def _newcomer(tx: Tx, email: str, username: str | None, display_name: str | None, *, seat: bool) -> User:
    name = users.username_from(tx, email) if username is None else username
    address = None if seat else email
    user = users.create(tx, email=address, username=name, display_name=display_name, active=False)
    tx.flush()
    return user


def _of_address(tx: Tx, organization_id: int, email: str) -> list[Invitation]:
    """What an address was sent by an organization, newest first."""
    mine = (Invitation.organization_id == organization_id, func.lower(Invitation.email) == email.lower())
    return list(tx.scalars(select(Invitation).where(*mine).order_by(Invitation.id.desc())))


def _seat(tx: Tx, before: Collection[Invitation]) -> User | None:
    """The one that was kept by earlier invitations which nobody has accepted."""
    for one in before:
        user = tx.get(User, one.user_id)
        if user is not None and one.accepted_at is None and is_seat(user):
            return user
    return None


def is_seat(user: User) -> bool:
    return user.email is None and user.joined_at is None and user.username != users.name_of_gone(user)


def meant(tx: Tx, user: User, invitation: Invitation | None) -> User:
    """Who comes by an invitation of `user`: for whom a seat is kept, as long as the address is theirs."""
    if invitation is None or not is_seat(user):
        return user
    return users.find(tx, invitation.email) or user


def newcomers(tx: Tx, organization_id: int, among: Collection[int] | None = None) -> dict[int, Invitation]:
    """User id to the invitation, of everybody (or some) who was newly asked into an organization and has not come. One
    that has expired is among them: it can be sent again.
    """
    query = select(Invitation).where(Invitation.user_id.in_(newcomer_numbers(organization_id)), *WAITS)
    query = query.where(Invitation.organization_id == organization_id)
    if among is not None:
        query = query.where(Invitation.user_id.in_(among))
    return {one.user_id: one for one in tx.scalars(query.order_by(Invitation.id))}


def newcomer_numbers(organization_id: int) -> Select[int]:
    """Numbers of those whom `newcomers` names."""
    query = select(Invitation.user_id).join(User, User.id == Invitation.user_id)
    return query.where(Invitation.organization_id == organization_id, User.joined_at.is_(None), *WAITS)


def awaited(tx: Tx, user: User) -> dict[int, set[str]]:
    """Organization id to keys of the roles that somebody gets where they accept an invitation."""
    found: dict[int, set[str]] = {}
    for one in tx.scalars(select(Invitation).where(Invitation.user_id == user.id, *WAITS)):
        found.setdefault(one.organization_id, set()).update(one.roles)
    return found


def of_user(tx: Tx, user: User) -> list[Invitation]:
    """Invitations of somebody into the caller's organization, newest first."""
    mine = (Invitation.user_id == user.id, Invitation.organization_id == tx.principal.organization_id)
    return list(tx.scalars(select(Invitation).where(*mine).order_by(Invitation.id.desc())))


def listed(
    tx: Tx,
    organization_id: int,
    wanted: Status | Literal["waiting"] | None = None,
    *,
    before: int | None = None,
    limit: int | None = None,
) -> list[Invitation]:
    """Newest first: those in a state, older than a row's number, so many at most. What is `waiting` is pending, or has
    expired and can be sent again.
    """
    query = select(Invitation).where(Invitation.organization_id == organization_id)
    if wanted == "accepted":
        query = query.where(Invitation.accepted_at.is_not(None))
    elif wanted == "revoked":
        query = query.where(Invitation.accepted_at.is_(None), Invitation.revoked_at.is_not(None))
    elif wanted == "waiting":
        query = query.where(*WAITS)
    elif wanted is not None:
        query = query.where(*WAITS)
        late = Invitation.expires_at > tx.now
        query = query.where(late if wanted == "pending" else ~late)
    if before is not None:
        query = query.where(Invitation.id < before)
    return list(tx.scalars(query.order_by(Invitation.id.desc()).limit(limit)))


def renew(tx: Tx, invitation: Invitation, life: timedelta) -> Invited:
    """Another token and another life; the token before it ends. Whoever could not have asked in with its roles does not
    do so again. Raises `Conflict` (`invitation_ended`) and `Forbidden` (`permission_not_held`).
    """
    sessions.require_in_person(tx.principal)
    roles.require_given(tx, invitation.roles)
    if invitation.accepted_at is not None or invitation.revoked_at is not None:
        raise Conflict(
            f"The invitation of {invitation.email} is over.",
            code="invitation_ended",
            hint="Ask the person in again.",
        )
    user = tx.get(User, invitation.user_id)
    assert user is not None  # noqa: S101 - the foreign key says so
    invitation.expires_at = tx.now + life
    links.void(tx, "handed", user, invitation)
    _note(tx, invitation, IdentityAction.INVITATION_RENEWED, "invitation-renewed")
    return Invited(invitation, user, links.issue(tx, "invite", user, life, invitation=invitation))


def revoke(tx: Tx, invitation: Invitation) -> None:
    """End an invitation that waits; ending it again is a success."""
    if invitation.accepted_at is not None:
        raise Conflict(
            f"{invitation.email} has accepted the invitation.",
            code="invitation_ended",
            hint="Remove the member instead.",
        )
    user = tx.get(User, invitation.user_id)
    assert user is not None  # noqa: S101 - the foreign key says so
    if end(tx, user, invitation):
        _note(tx, invitation, IdentityAction.INVITATION_REVOKED, "invitation-revoked")


def end(tx: Tx, user: User, invitation: Invitation) -> bool:
    """Revoke an invitation if it waits; whoever calls writes the audit event. Answers whether it did."""
    if invitation.accepted_at is not None or invitation.revoked_at is not None:
        return False
    invitation.revoked_at = tx.now
    _spend(tx, user, invitation)
    return True


def hand(tx: Tx, made: Invited, life: timedelta) -> Secret[str]:
    """A token of a new invitation for the inviter to pass on. It opens the account that the invitation has made; for
    somebody who was here before, or is asked for elsewhere too, it looks alike and opens nothing: they get the mail.
    """
    places = set(grants.everywhere(tx, made.user.id))
    others = tx.first(
        select(Invitation.id).where(
            Invitation.user_id == made.user.id, Invitation.organization_id != made.invitation.organization_id
        )
    )
    is_new = made.user.joined_at is None and not is_seat(made.user)
    if is_new and places <= {made.invitation.organization_id} and others is None:
        return links.issue(tx, "handed", made.user, life, invitation=made.invitation)
    return Secret(tx.ids.token(32))


def asked(tx: Tx, token: str) -> tuple[links.Purpose, User]:
    """Whom a token asks in, without using it. Raises `Invalid` (`link_invalid`)."""
    try:
        return "invite", meant(tx, links.owner(tx, "invite", token), links.invitation(tx, "invite", token))
    except Invalid:
        return "handed", links.owner(tx, "handed", token)


def waiting(tx: Tx, purpose: links.Purpose, token: str) -> Invitation:
    """The invitation that a link accepts. Raises `Invalid` (`link_invalid`) and `NotFound` (`invitation_ended`)."""
    found = links.invitation(tx, purpose, token)
    if found is None or status(tx, found) != "pending":
        raise NotFound("The invitation is over.", code="invitation_ended", hint="Ask for a new one.")
    return found


def accept(
    tx: Tx, access: Access, token: str, password_hash: str | None, display_name: str | None = None
) -> tuple[User, Invitation]:
    """Come in by the token of a mail, or by one that was handed over. A new person gets their password by it; somebody
    who was there keeps theirs.

    The token is no proof of who somebody is that was there before: whoever calls has checked their password
    (`coming_in.accept`). Raises `Invalid` (`link_invalid`). The unit acts for the person from here on.
    """
    tx.lock("identity:invitations")
    purpose, _ = asked(tx, token)
    invitation = waiting(tx, purpose, token)
    kept = links.use(tx, purpose, token)
    user = meant(tx, kept, invitation)
    if user.joined_at is not None and not user.active:
        raise Forbidden("You are deactivated.", hint="Ask an administrator to activate you.")
    if user.joined_at is not None and password_hash is not None:  # by another invitation, a moment ago
        raise Unauthenticated(
            "You have an account here since a moment ago.", code="invalid_credentials", hint="Give its password."
        )
    _spend(tx, kept, invitation)
    if user is not kept:
        _give_up(tx, kept, invitation, user)
    elif is_seat(user):
        user.email = invitation.email
    if user.joined_at is None:
        user.password_hash = password_hash
    user.active, user.joined_at = True, user.joined_at or tx.now
    user.email_verified, user.updated_at = user.email_verified or purpose == "invite", tx.now
    users.rename(tx, user, display_name or None)
    invitation.accepted_at = tx.now
    tx.lock("access:membership", "access:roles")
    for role in sorted(roles.living(tx, invitation.roles, invitation.organization_id)):
        grants.give(tx, access, user.id, invitation.organization_id, role)
    grants.keep_member(tx, access, user.id, invitation.organization_id)
    tx.act_as(users.principal(user, invitation.organization_id))
    _note(tx, invitation, IdentityAction.INVITATION_ACCEPTED, "invitation-accepted")
    return user, invitation


def find(tx: Tx, organization_id: int, name: str) -> Invitation:
    """By its reference, or its id with dashes or without. Raises `NotFound` (`invitation_not_found`), for another
    organization's too.
    """
    called = or_(Invitation.ref == name, Invitation.uid == users.dashed(name))
    found = tx.first(select(Invitation).where(called, Invitation.organization_id == organization_id))
    if found is None:
        raise NotFound(
            f"There is no invitation {name[:60]}.", code="invitation_not_found", hint="Look at the list of invitations."
        )
    return found


def _give_up(tx: Tx, seat: User, invitation: Invitation, user: User) -> None:
    """Who was meant has come: nobody sits there any more, and its name is free."""
    from quarterdeck.identity import leaving  # which looks after invitations itself

    invitation.user_id = user.id
    others = (Invitation.user_id == seat.id, Invitation.id != invitation.id, *WAITS)
    tx.execute(update(Invitation).where(*others).values(revoked_at=tx.now))
    leaving.forget(tx, seat)
    tx.flush()


def _spend(tx: Tx, user: User, invitation: Invitation) -> None:
    """End what accepts an invitation."""
    for purpose in ("invite", "handed"):
        links.void(tx, purpose, user, invitation)


def _note(tx: Tx, invitation: Invitation, action: IdentityAction, event: str) -> None:
    audit.record(
        tx,
        action,
        resource_type="invitation",
        resource_id=invitation.uid.replace("-", ""),
        organization_id=invitation.organization_id,
        detail={"email": invitation.email, "roles": invitation.roles},
    )
    events.append(
        tx,
        f"invitation:{invitation.ref}",
        event,
        {"invitationId": invitation.ref},
        organization_id=invitation.organization_id,
    )
