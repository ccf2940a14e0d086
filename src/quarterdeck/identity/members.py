"""Members of an organization: their roles, leaving, and who owns it.

An organization always has an owner, and each family that has an administrator keeps one: whoever would take the last is
refused, by whichever surface they come.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select, update

from quarterdeck.access import Access, grants
from quarterdeck.access.decide import HIGHEST
from quarterdeck.access.model import Grant
from quarterdeck.identity import invitations, organizations, sessions
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import Invitation, PersonalToken, User, UserSession
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Member:
    user: User
    roles: tuple[str, ...]
    joined_at: datetime


def listed(tx: Tx, organization_id: int) -> list[Member]:
    """Everybody who belongs to the organization, oldest membership first; who was asked in and has not come is none.
    Somebody with narrowed roles alone has no `roles`.
    """
    return sorted(page(tx, organization_id), key=lambda member: (member.joined_at, member.user.id))


def page(
    tx: Tx,
    organization_id: int,
    *,
    family: str | None = None,
    words: str = "",
    after: int | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> list[Member]:
    """Those of `listed` behind a user's number, so many at most, by the number; with `family` those who have a role of
    it: the members that its surface shows; with `words` those whose name or address has them. `before` goes the other
    way: from a number on, or from the newest (0).
    """
    numbers = _numbers(organization_id, family)
    if words:
        said = (User.username, User.display_name, User.email)
        numbers = numbers.where(or_(*(column.icontains(words, autoescape=True) for column in said)))
    if after is not None:
        numbers = numbers.where(Grant.user_id > after)
    if before:
        numbers = numbers.where(Grant.user_id < before)
    order = Grant.user_id if before is None else Grant.user_id.desc()
    found = list(tx.execute(numbers.order_by(order).limit(limit)).scalars())
    held = grants.members(tx, organization_id, found)
    people = {user.id: user for user in tx.scalars(select(User).where(User.id.in_(found)))}
    return [Member(people[one], held[one].roles, held[one].since) for one in found]


def count(tx: Tx, organization_id: int, family: str | None = None) -> int:
    """How many `listed` would answer, or of them those who have a role of a family."""
    numbers = _numbers(organization_id, family).subquery()
    return int(tx.execute(select(func.count()).select_from(numbers)).scalar() or 0)


def _numbers(organization_id: int, family: str | None) -> Select[int]:
    """Numbers of those who belong to an organization, read along the index of its grants."""
    asked = (Invitation.organization_id == organization_id, Invitation.accepted_at.is_(None))
    waits = select(Invitation.id).where(*asked, Invitation.user_id == User.id).exists()
    # Who was asked in and has not come is none; who came once and is kept out is one.
    came = or_(User.joined_at.is_not(None), ~waits)
    query = select(Grant.user_id).distinct().join(User, User.id == Grant.user_id)
    query = query.where(Grant.organization_id == organization_id, came)
    if family is None:
        return query
    return query.where(Grant.role.startswith(f"{family}:"), Grant.project_id == 0, Grant.scope == "")


def find(tx: Tx, organization_id: int, user: User | None) -> Member:
    """Raises `NotFound` (`member_not_found`)."""
    if user is not None:
        for member in page(tx, organization_id, after=user.id - 1, limit=1):
            if member.user.id == user.id:
                return member
    raise NotFound("There is no such member of the organization.", code="member_not_found", hint="Look at the members.")


def set_roles(
    tx: Tx,
    access: Access,
    user: User,
    organization_id: int,
    family: str | tuple[str, ...],
    roles: Collection[str],
) -> None:
    """Replace the roles (their keys) that somebody has of a family, or of several (`custom` is one). Who has none left
    stays a member. Of who has not come yet the invitation is changed. Raises `Conflict` (`last_administrator`).
    """
    tx.lock("access:membership")
    families = (family,) if isinstance(family, str) else family
    asked = invitations.newcomers(tx, organization_id, [user.id]).get(user.id)
    now = grants.roles_of(tx, user.id, organization_id) if asked is None else asked.roles
    held = {role for role in now if role.split(":")[0] in families}
    wanted = set(roles)
    if held == wanted:
        return
    if asked is not None:
        asked.roles = sorted({*asked.roles} - held | wanted)
        note(tx, user, IdentityAction.MEMBER_ROLES_CHANGED, organization_id, added=sorted(wanted - held),
             removed=sorted(held - wanted))  # fmt: skip
        return
    joined = since(tx, user, organization_id)
    for role in sorted(held - wanted):
        keep_one(tx, user, organization_id, role)
        grants.take(tx, access, user.id, organization_id, role)
    for role in sorted(wanted - held):
        grants.give(tx, access, user.id, organization_id, role, since=joined)
    grants.keep_member(tx, access, user.id, organization_id, since=joined)
    note(tx, user, IdentityAction.MEMBER_ROLES_CHANGED, organization_id, added=sorted(wanted - held),
         removed=sorted(held - wanted))  # fmt: skip


def remove(tx: Tx, access: Access, user: User, organization_id: int) -> None:
    """Take all roles in the organization, and end the sessions and tokens that act in it. Raises `Invalid`
    (`invariant_violation`) for an owner, `Conflict` (`last_administrator`).
    """
    leave(tx, access, user, organization_id)
    note(tx, user, IdentityAction.MEMBER_REMOVED, organization_id)


def leave(tx: Tx, access: Access, user: User, organization_id: int) -> None:
    """As `remove`; whoever calls writes the audit event."""
    tx.lock("access:membership")
    keep_owner(tx, user, organization_id, "removed")
    keep_one_of_each(tx, user, organization_id)
    grants.take_all(tx, access, user.id, organization_id)
    here = (UserSession.user_id == user.id, UserSession.organization_id == organization_id)
    for session in tx.scalars(select(UserSession).where(*here, UserSession.revoked_at.is_(None))):
        sessions.revoke_row(tx, session)
    tokens = (PersonalToken.user_id == user.id, PersonalToken.organization_id == organization_id)
    tx.execute(update(PersonalToken).where(*tokens, PersonalToken.revoked_at.is_(None)).values(revoked_at=tx.now))


def set_active(tx: Tx, access: Access, user: User, *, active: bool) -> None:
    """Let somebody in or keep them out everywhere, from the next request on. Raises `Conflict`
    (`last_administrator`).
    """
    if switch(tx, access, user, active=active):
        note(tx, user, IdentityAction.ACTIVATED if active else IdentityAction.DEACTIVATED, tx.principal.organization_id)


def switch(tx: Tx, access: Access, user: User, *, active: bool) -> bool:
    """As `set_active`; whoever calls writes the audit event, where anything changed."""
    if user.active == active:
        return False
    tx.lock("access:membership")
    if not active:
        for organization in organizations.of_user(tx, user.id):
            keep_one_of_each(tx, user, organization.id)
        end_sessions(tx, user)
    user.active, user.updated_at = active, tx.now
    access.note(tx)
    return True


def transfer_ownership(tx: Tx, access: Access, organization_id: int, giver: User, taker: User) -> None:
    """Make another active member the owner; the one before is an administrator then. Raises `Invalid` for the same
    person, `Conflict` (`not_owner`, `member_inactive`) and `NotFound` (`member_not_found`).
    """
    sessions.require_in_person(tx.principal)
    tx.lock("access:membership")
    if giver.id == taker.id:
        raise Invalid("The organization has this owner already.", hint="Name another member.", field="toMemberId")
    if "organization:owner" not in find(tx, organization_id, giver).roles:
        raise Conflict(f"{giver.username} does not own the organization.", code="not_owner", hint="Name the owner.")
    find(tx, organization_id, taker)
    if not taker.active:
        raise Conflict(
            f"{taker.username} is deactivated.", code="member_inactive", hint="Name an active member, or activate them."
        )
    joined = {one.id: since(tx, one, organization_id) for one in (giver, taker)}
    for role in grants.roles_of(tx, taker.id, organization_id):
        if role.startswith("organization:"):
            grants.take(tx, access, taker.id, organization_id, role)
    grants.give(tx, access, taker.id, organization_id, "organization:owner", since=joined[taker.id])
    grants.take(tx, access, giver.id, organization_id, "organization:owner")
    grants.give(tx, access, giver.id, organization_id, "organization:admin", since=joined[giver.id])
    note(tx, taker, IdentityAction.OWNERSHIP_TRANSFERRED, organization_id, previousOwner=giver.uid)


def end_sessions(tx: Tx, user: User, *, but: str | None = None) -> int:
    """End all sessions of a user but one (its uid). Answers how many ended."""
    live = [session for session in sessions.own(tx, user.id) if session.uid != but]
    for session in live:
        sessions.revoke_row(tx, session)
    return len(live)


def since(tx: Tx, user: User, organization_id: int) -> datetime | None:
    """Since when somebody has been a member, which another role does not change."""
    mine = (Grant.user_id == user.id, Grant.organization_id == organization_id)
    first = tx.first(select(Grant).where(*mine).order_by(Grant.created_at).limit(1))
    return None if first is None else first.created_at


def keep_owner(tx: Tx, user: User, organization_id: int, done: str) -> None:
    """Raise `Invalid` (`invariant_violation`) for who owns the organization: their ownership goes to somebody first.
    `done` ends the sentence.
    """
    if "organization:owner" in grants.roles_of(tx, user.id, organization_id):
        raise Invalid(
            f"An owner is not {done}.",
            code="invariant_violation",
            hint="Transfer the ownership to another member first.",
        )


def keep_one_of_each(tx: Tx, user: User, organization_id: int) -> None:
    """Raise `Conflict` (`last_administrator`) where an organization would have no administrator without somebody."""
    for role in grants.roles_of(tx, user.id, organization_id):
        keep_one(tx, user, organization_id, role)


def keep_one(tx: Tx, user: User, organization_id: int, role: str) -> None:
    if role not in HIGHEST.values() or not user.active:
        return
    others = (
        select(func.count(func.distinct(Grant.user_id)))
        .join(User, User.id == Grant.user_id)
        .where(
            Grant.organization_id == organization_id,
            Grant.project_id == 0,
            Grant.scope == "",
            Grant.role == role,
            Grant.user_id != user.id,
            User.active.is_(True),
        )
    )
    if not tx.execute(others).scalar():
        raise Conflict(
            f"{user.username} is the last {role.split(':')[1]} of {role.split(':', maxsplit=1)[0]}.",
            code="last_administrator",
            hint="Give the role to somebody else first.",
        )


def note(tx: Tx, user: User, action: IdentityAction, organization_id: int | None, **detail: object) -> None:
    """The audit event and the domain event of a change of somebody."""
    audit.record(tx, action, resource_type="user", resource_id=user.uid, organization_id=organization_id, detail=detail)
    events.append(
        tx,
        f"user:{user.uid}",
        str(action).replace(".", "-"),
        {"userId": user.uid},
        organization_id=organization_id,
    )
