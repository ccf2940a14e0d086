"""Passwords that change: by their owner, by a link of a mail, or by an administrator."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from quarterdeck.identity import links, mails, members, sessions, setup, users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import User
from quarterdeck.kernel import audit, mail
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.vault import Secret

HOUR, MOST_AN_HOUR = timedelta(hours=1), 5
BESIDE = timedelta(minutes=10)
"""Anybody can ask for somebody's link: a newer one leaves their last ones time to be opened."""
ANSWERED_AFTER = 0.25
"""Seconds; longer than it takes to write a mail, so that the time of the answer does not say whether one was."""


async def ask_for_link(db: Database, email: str, base: str) -> None:
    """Mail a link to a new password to whoever has this address, if anybody has; the answer is alike, and as late."""
    await asyncio.gather(db.write(send_link, email, base), asyncio.sleep(ANSWERED_AFTER))


def send_link(tx: Tx, email: str, base: str) -> None:
    """The unit of `ask_for_link`. `base` is the address of the control plane, without a slash at its end.

    The caller answers alike, and so do the trail and the ledger, which every member of the first organization reads:
    what was typed is written down, never whose account it is, and there is a job in either case.
    """
    audit.record(
        tx,
        IdentityAction.PASSWORD_FORGOTTEN,
        resource_type="user",
        resource_id=email[:100],
        organization_id=setup.default_organization(tx).id,
    )
    found, letter = link_for(tx, email), None
    if found is not None:
        letter = mails.forgotten_password(found[0], base, found[1], links.LIFE["reset"])
    mail.post_unseen(tx, letter)


def link_for(tx: Tx, email: str) -> tuple[str, Secret[str]] | None:
    """The address to write to, and a token for whoever forgot their password; None where there is nobody to send it to,
    and where they got `MOST_AN_HOUR`: the newest of them is still good.
    """
    user = users.find(tx, email)
    if user is None or not user.active or not user.email or user.password_hash is None:
        return None
    tx.lock(f"reset:{user.id}")
    if links.recent(tx, "reset", user, HOUR) >= MOST_AN_HOUR:
        return None
    return user.email, links.issue(tx, "reset", user, beside=BESIDE)


def reset(tx: Tx, token: str, password_hash: str) -> User:
    """Set a password by the token of a mail; every session ends. Raises `Invalid` (`link_invalid`)."""
    user = links.use(tx, "reset", token)
    if not user.active:
        raise links.invalid()
    tx.act_as(users.principal(user, setup.default_organization(tx).id))
    _set(tx, user, password_hash, IdentityAction.PASSWORD_RESET)
    return user


def changed(tx: Tx, user: User, password_hash: str) -> None:
    """Set one's own password, which the caller has checked; every other session ends."""
    _set(tx, user, password_hash, IdentityAction.PASSWORD_CHANGED, but=tx.principal.credential)


def set_by_administrator(tx: Tx, user: User, password_hash: str) -> None:
    """Set somebody's password; every session of theirs ends. Raises `Forbidden` (`session_required`) for a token."""
    sessions.require_in_person(tx.principal)
    _set(tx, user, password_hash, IdentityAction.PASSWORD_RESET)


def _set(tx: Tx, user: User, password_hash: str, action: IdentityAction, *, but: str | None = None) -> None:
    user.password_hash, user.updated_at = password_hash, tx.now
    for purpose in ("reset", "second-factor", "address"):
        links.void(tx, purpose, user)
    ended = members.end_sessions(tx, user, but=but)
    members.note(tx, user, action, tx.principal.organization_id, sessionsEnded=ended)
