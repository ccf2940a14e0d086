"""What somebody is in an organization: asked in as, made, and let go. One role of the family `organization` at a time.

Every surface changes it here: nobody changes their own, nobody but an owner makes one, and an owner is neither removed
nor given another role.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from quarterdeck.access import Access, roles
from quarterdeck.identity import accounts, invitations, mails, members, organizations, sessions
from quarterdeck.identity.invitations import Invited
from quarterdeck.identity.model import Invitation, Organization, User
from quarterdeck.kernel import mail
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, Invalid

FAMILY = "organization"
LIFE = timedelta(hours=48)
"""How long an invitation is good."""


def rank(keys: Collection[str]) -> str | None:
    """The highest organization role among the keys of roles, as its last part."""
    return next((role for role in organizations.RANK if f"{FAMILY}:{role}" in keys), None)


def ask_in(tx: Tx, email: str, role: str, base: str) -> Invited:
    """Ask somebody into the caller's organization and write to them; links begin with `base`. Raises as
    `require_may_give` and `invitations.invite` do.
    """
    sessions.require_in_person(tx.principal)
    require_may_give(tx, role)
    made = invitations.invite(tx, email, [f"{FAMILY}:{role}"], life=LIFE)
    _write(tx, made, base)
    return made


def ask_again(tx: Tx, invitation: Invitation, base: str) -> Invited:
    """Another link and another life for an invitation; the link before ends. Raises as `require_may_give` and
    `invitations.renew` do.
    """
    if named := rank(invitation.roles):
        require_may_give(tx, named)
    made = invitations.renew(tx, invitation, LIFE)
    _write(tx, made, base)
    return made


def link(tx: Tx, made: Invited, base: str) -> str:
    """The link for the inviter to pass on by hand: see `invitations.hand`."""
    return mails.invitation_link(base, invitations.hand(tx, made, LIFE))


def make(tx: Tx, access: Access, user: User, role: str) -> None:
    """Give somebody another role. Raises `Invalid` (`own_account`, `invariant_violation`), `Forbidden` and `Conflict`
    (`last_administrator`).
    """
    place = organizations.here(tx)
    if rank(accounts.roles_of(tx, user)) == role:
        return
    require_may_give(tx, role)
    _require_movable(tx, user, place, "given another role")
    accounts.require_no_more(tx, user, place.id)
    members.set_roles(tx, access, user, place.id, FAMILY, [f"{FAMILY}:{role}"])


def take(tx: Tx, access: Access, user: User) -> None:
    """Leave somebody a member without a role of this family. Raises as `make` does."""
    place = organizations.here(tx)
    if (held := rank(accounts.roles_of(tx, user))) is None:
        return
    members.keep_one(tx, user, place.id, f"{FAMILY}:{held}")  # which says more than what comes next
    _require_movable(tx, user, place, "given another role")
    accounts.require_no_more(tx, user, place.id)
    members.set_roles(tx, access, user, place.id, FAMILY, [])


def let_go(tx: Tx, access: Access, user: User) -> None:
    """Take a member out of the organization; their account stays. Raises as `make` does."""
    place = organizations.here(tx)
    _require_movable(tx, user, place, "removed")
    accounts.require_no_more(tx, user, place.id)
    members.remove(tx, access, user, place.id)


def _require_movable(tx: Tx, user: User, place: Organization, done: str) -> None:
    """Nobody does to themselves what could lock them out, and an organization keeps its owner. `done` ends a
    sentence.
    """
    accounts.require_another(tx, user, "change the membership of")
    members.keep_owner(tx, user, place.id, done)


def require_may_give(tx: Tx, role: str) -> None:
    """Only who owns an organization makes another its owner, and a narrowed token gives nothing beyond itself."""
    if role not in organizations.RANK:
        raise Invalid(
            f"{role[:40]!r} is no role of an organization.",
            code="role_unknown",
            hint=f"Roles: {', '.join(organizations.RANK)}.",
            field="role",
        )
    if role == "owner" and organizations.role_of(tx, tx.principal.id, organizations.here(tx).id) != "owner":
        raise Forbidden("Only an owner makes somebody an owner.", hint="Ask an owner of the organization.")
    roles.require_given(tx, [f"{FAMILY}:{role}"])


def _write(tx: Tx, made: Invited, base: str) -> None:
    place = organizations.here(tx)
    letter = mails.invitation(made.invitation.email, base, made.token, place.name, tx.principal.label, LIFE)
    mail.post(tx, letter, place.id)
