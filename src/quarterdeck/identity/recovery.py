"""Passwords that change: by their owner, by a link of a mail, or by an administrator."""

from __future__ import annotations

from quarterdeck.identity import links, mails, members, sessions, setup, users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import User
from quarterdeck.kernel import audit, mail
from quarterdeck.kernel.db import Tx


def send_link(tx: Tx, email: str, base: str) -> None:
    """Mail a link to a new password to whoever has this address, if anybody has. `base` is the address of the control
    plane, without a slash at its end.

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
    user, letter = users.find(tx, email), None
    if user is not None and user.active and user.email and user.password_hash is not None:
        letter = mails.forgotten_password(user.email, base, links.issue(tx, "reset", user), links.LIFE["reset"])
    mail.post_unseen(tx, letter)


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
