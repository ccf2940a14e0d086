"""Another e-mail address: it counts once a link that was mailed to it is opened. Nobody is told whose it was before."""

from __future__ import annotations

from datetime import timedelta

from quarterdeck.access import Access, Place
from quarterdeck.identity import links, mails, members, organizations, users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.machine import Machine
from quarterdeck.identity.model import User
from quarterdeck.kernel import mail
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, RateLimited

HOUR, MOST_AN_HOUR = timedelta(hours=1), 5
AT_ONCE = "runbooks:users.edit"
"""What somebody needs, in the organization that the installation began with, to set an address without a mail."""


def ask(tx: Tx, access: Access, user: User, email: str, base: str | None) -> bool:
    """Mail a link to the new address, and word of it to the old one. Somebody else's address gets a mail that says so,
    and the caller is answered alike. Answers whether a mail has to be opened first.

    `base` is the address of the control plane, None where there is no mail server: then it counts at once for those
    who administer the installation, who may be told (`email_taken`), and everybody else is refused (`mail_missing`).
    Raises `Conflict`, `Invalid` for what is no address, and `RateLimited`, since it writes to strangers.
    """
    users.check_email(email)
    if email.lower() == (user.email or "").lower():
        return False
    if base is None:
        if not Machine(access).answers(tx, AT_ONCE):
            raise Conflict(
                "This installation has no mail server, so nobody can show that the address is theirs.",
                code="mail_missing",
                hint="Nothing was changed. Ask whoever administers the installation to set the address.",
            )
        _free(tx, user, email)
        _set(tx, user, email, verified=False)
        return False
    if links.recent(tx, "address", user, HOUR) >= MOST_AN_HOUR:
        raise RateLimited(
            f"{MOST_AN_HOUR} mails were sent for other addresses of {user.username} within an hour.",
            retry_after=int(HOUR.total_seconds()),
            hint="Open the newest of them, or wait an hour.",
        )
    taken = users.find(tx, email) is not None
    token = links.issue(tx, "address", user, email=email)
    letter = mails.address_taken(email, base) if taken else mails.address(email, base, token, links.LIFE["address"])
    mail.post(tx, letter, tx.principal.organization_id)
    if user.email is not None:
        mail.post(tx, mails.address_asked(user.email, base), tx.principal.organization_id)
    members.note(tx, user, IdentityAction.ADDRESS_ASKED, tx.principal.organization_id)
    return True


def confirm(tx: Tx, access: Access, token: str) -> User:
    """Let the address count whose link was opened. Raises `Invalid` (`link_invalid`), also where an administrator asked
    who might not ask any more, and `Conflict` (`email_taken`) where it has become somebody's meanwhile. The unit acts
    for the person from here on.
    """
    email, asked_by, asked_in = links.address(tx, token)
    user = links.use(tx, "address", token)
    if asked_by != user.id:
        _require_still(tx, access, user, asked_by, asked_in)
    places = organizations.of_user(tx, user.id)
    if not user.active or not places:
        raise links.invalid()
    tx.act_as(users.principal(user, places[0].id))
    _free(tx, user, email)
    _set(tx, user, email, verified=True)
    return user


def _require_still(tx: Tx, access: Access, user: User, asked_by: int, asked_in: int) -> None:
    """What was asked of an administrator who asked for the address, once more: a link must not outlive the right."""
    from quarterdeck.identity import accounts  # which asks for addresses itself

    asker = tx.get(User, asked_by)
    if asker is None or not asker.active:
        raise links.invalid()
    tx.act_as(users.principal(asker, asked_in))
    access.load(tx)
    if not access.decide(tx.principal, AT_ONCE, Place(asked_in)).allowed:
        raise links.invalid()
    try:
        accounts.require_no_more(tx, user)
    except Forbidden:
        raise links.invalid() from None


def _free(tx: Tx, user: User, email: str) -> None:
    tx.lock("identity:users")
    there = users.find(tx, email)
    if there is not None and there.id != user.id:
        raise users.email_taken(email)


def _set(tx: Tx, user: User, email: str, *, verified: bool) -> None:
    user.email, user.email_verified, user.updated_at = email, verified, tx.now
    for purpose in ("address", "reset"):  # what was mailed to the address before
        links.void(tx, purpose, user)
    members.note(tx, user, IdentityAction.ADDRESS_CHANGED, tx.principal.organization_id, verified=verified)
