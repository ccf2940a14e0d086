"""Links and steps that prove their bearer once: a forgotten password, an invitation, a password that was right."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from sqlalchemy import func, select, update

from quarterdeck.identity.model import Invitation, Link, User
from quarterdeck.identity.sessions import token_hash
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import Secret

Purpose = Literal["reset", "invite", "handed", "second-factor", "address"]
"""`handed` is an invitation whose token its inviter was shown: unlike that of a mail it proves no address."""
LIFE: dict[Purpose, timedelta] = {
    "reset": timedelta(hours=1),
    "invite": timedelta(hours=72),
    "handed": timedelta(hours=72),
    "second-factor": timedelta(minutes=5),
    "address": timedelta(hours=24),
}


def issue(
    tx: Tx,
    purpose: Purpose,
    user: User,
    life: timedelta | None = None,
    *,
    invitation: Invitation | None = None,
    email: str | None = None,
    beside: timedelta = timedelta(0),
) -> Secret[str]:
    """A new token of 64 characters, shown this once; those before it end, of an invitation those of the same one, but
    for those that are younger than `beside`. `email` is the address that it confirms.
    """
    void(tx, purpose, user, invitation, younger=beside)
    token = tx.ids.token(32)
    tx.add(
        Link(
            hash=token_hash(token),
            purpose=purpose,
            user_id=user.id,
            expires_at=tx.now + (life or LIFE[purpose]),
            used_at=None,
            invitation_id=None if invitation is None else invitation.id,
            email=email,
            asked_by=None if email is None else tx.principal.id,
            asked_in=None if email is None else tx.principal.organization_id,
        )
    )
    return Secret(token)


def void(
    tx: Tx,
    purpose: Purpose,
    user: User,
    invitation: Invitation | None = None,
    *,
    younger: timedelta = timedelta(0),
) -> None:
    """End all links of a purpose, or those of one invitation, but for those that are `younger`."""
    live = update(Link).where(Link.user_id == user.id, Link.purpose == purpose, Link.used_at.is_(None))
    if younger:
        live = live.where(Link.expires_at <= tx.now + LIFE[purpose] - younger)
    if invitation is not None:
        live = live.where(Link.invitation_id == invitation.id)
    tx.execute(live.values(used_at=tx.now))


def owner(tx: Tx, purpose: Purpose, token: str) -> User:
    """Whose link it is, without using it. Raises `Invalid` (`link_invalid`) alike for unknown, used and expired."""
    user = tx.get(User, _live(tx, purpose, token).user_id)
    if user is None:
        raise invalid()
    return user


def invitation(tx: Tx, purpose: Purpose, token: str) -> Invitation | None:
    """The invitation that a link accepts, None where it is gone. Raises as `owner` does."""
    return tx.get(Invitation, _live(tx, purpose, token).invitation_id or 0)


def recent(tx: Tx, purpose: Purpose, user: User, span: timedelta) -> int:
    """How many links of a purpose somebody was sent within a time, used and void ones too."""
    begun = Link.expires_at > tx.now + LIFE[purpose] - span
    mine = select(func.count()).select_from(Link).where(Link.user_id == user.id, Link.purpose == purpose, begun)
    return int(tx.execute(mine).scalar() or 0)


def address(tx: Tx, token: str) -> tuple[str, int, int]:
    """The address that a link confirms, the number of who asked for it, and that of the organization they acted in.
    Raises as `owner` does.
    """
    found = _live(tx, "address", token)
    if found.email is None or found.asked_by is None or found.asked_in is None:
        raise invalid()
    return found.email, found.asked_by, found.asked_in


def _live(tx: Tx, purpose: Purpose, token: str) -> Link:
    link = tx.first(select(Link).where(Link.hash == token_hash(token)))
    if link is None or link.purpose != purpose or link.used_at is not None or link.expires_at <= tx.now:
        raise invalid()
    return link


def use(tx: Tx, purpose: Purpose, token: str) -> User:
    """Whose link it was; it is used up from here on, even by two at once. Raises as `owner` does."""
    user = owner(tx, purpose, token)
    taken = tx.execute(
        update(Link).where(Link.hash == token_hash(token), Link.used_at.is_(None)).values(used_at=tx.now)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        raise invalid()
    return user


def invalid() -> Invalid:
    return Invalid(
        "The link is not valid any more: it was used, it has expired, or a newer one took its place.",
        code="link_invalid",
        hint="Ask for a new one.",
    )
