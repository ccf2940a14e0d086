"""What somebody does to their own account."""

from __future__ import annotations

from quarterdeck.access import Access, Place
from quarterdeck.identity import (
    addresses,
    members,
    organizations,
    passwords,
    proving,
    recovery,
    second_factor,
    sessions,
    signing_in,
    users,
)
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.attempts import Attempts
from quarterdeck.identity.model import Organization
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.principal import current
from quarterdeck.kernel.vault import Secret


def change(tx: Tx, access: Access, *, display_name: str | None, email: str | None, base: str | None) -> str | None:
    """Change how the caller is called and reached; None leaves as it is. Another address asks for a sign-in of a moment
    ago, and counts as `addresses.ask` says. Answers the one that waits until its mail is opened.

    Raises `Forbidden` (`session_required`, `session_not_fresh`), and as `addresses.ask` and `users.rename` do.
    """
    sessions.require_in_person(tx.principal)
    user, waits = proving.me(tx), False
    if email is not None and email.lower() != (user.email or "").lower():
        sessions.require_fresh(tx)
        waits = addresses.ask(tx, access, user, email, base)
    if users.rename(tx, user, display_name):
        members.note(tx, user, IdentityAction.CHANGED, tx.principal.organization_id)
    return email if waits else None


async def change_password(db: Database, attempts: Attempts, old: Secret[str], new: Secret[str]) -> None:
    """Change the caller's own password; every other session ends. Raises as `proving.by_password` does, `Forbidden`
    (`session_required`), and `Invalid` for a new one that is none.
    """
    sessions.require_in_person(current.get().principal)
    passwords.check_new(new)  # before a try is counted
    await proving.by_password(db, attempts, old)
    password_hash = await signing_in.hashed(new)
    await db.write(lambda tx: recovery.changed(tx, proving.me(tx), password_hash))


async def switch_off_second_factor(db: Database, attempts: Attempts, password: Secret[str] | None, code: str) -> None:
    """Switch the caller's own second factor off, by a code of it and by their password where they have one. None leaves
    the password out, as the contract of runbooks lets its clients do.

    Raises `Forbidden` (`session_required`), `Invalid` (`password_wrong`, `second_factor_code_wrong`), `Conflict`
    (`second_factor_disabled`) and `RateLimited`.
    """
    sessions.require_in_person(current.get().principal)
    if password is not None and await db.read(lambda tx: proving.me(tx).password_hash) is not None:
        await proving.by_password(db, attempts, password)
    await proving.by_code(db, attempts, code, second_factor.disable)


def sign_out_elsewhere(tx: Tx) -> int:
    """End every session of the caller but the one they do it with. Answers how many ended.

    Raises `Forbidden` (`session_required`) for a token, which is no session itself.
    """
    sessions.require_in_person(tx.principal)
    others = [one.uid for one in sessions.own(tx, tx.principal.id) if one.uid != tx.principal.credential]
    for uid in others:
        sessions.revoke(tx, uid)
    return len(others)


SWITCH = "deploy:organizations.switch-current"


def switch_organization(tx: Tx, access: Access, ref: str) -> Organization:
    """Act in another organization of the caller from here on, by its documented id. Raises `NotFound` for one that
    they are no member of, `Forbidden` for a token, for a session that a provider vouched for (`session_bound`), and
    without the permission there.
    """
    chosen = organizations.of_caller(tx, ref)
    sessions.switch(tx, chosen)
    access.load(tx)
    access.require(tx.principal, SWITCH, Place(chosen.id))
    organizations.act_in(tx, chosen)
    return chosen
