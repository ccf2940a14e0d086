"""Coming in by the link of a mail: an invitation, a forgotten password."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.access import Access
from quarterdeck.identity import invitations, links, recovery, sessions, signing_in
from quarterdeck.identity.attempts import Attempts
from quarterdeck.identity.model import Organization, User
from quarterdeck.identity.sessions import Opened
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Forbidden, Unauthenticated
from quarterdeck.kernel.principal import current
from quarterdeck.kernel.vault import Secret


@dataclass(frozen=True, slots=True)
class Accepted:
    """`opened` is None where a code of the second factor is still to come, by `token` (`signing_in.second_step`)."""

    user: User
    opened: Opened | None
    token: Secret[str] | None = None


@dataclass(frozen=True, slots=True)
class AskedIn:
    """What an invitation says to whoever holds its link: by whom and into what, and whether they are new here."""

    email: str
    organization: str
    by: str | None
    new: bool


def look(tx: Tx, token: str) -> AskedIn:
    """Read an invitation without using it. Raises `Invalid` (`link_invalid`) and `NotFound` (`invitation_ended`)."""
    purpose, user = invitations.asked(tx, token)
    found = invitations.waiting(tx, purpose, token)
    place, by = tx.get(Organization, found.organization_id), tx.get(User, found.invited_by or 0)
    assert place is not None  # noqa: S101 - the foreign key says so
    return AskedIn(found.email, place.name, (by.display_name or by.username) if by else None, user.joined_at is None)


async def accept(
    db: Database,
    access: Access,
    attempts: Attempts,
    token: str,
    password: Secret[str],
    *,
    display_name: str | None = None,
    kinds: tuple[str, ...],
    client_kind: str,
    user_agent: str | None = None,
) -> Accepted:
    """Accept an invitation and sign in, in one unit. A new person chooses the password; somebody who was there proves
    with it who they are, since whoever asked them in knows the token too.

    Raises `Invalid` (`link_invalid`), `NotFound` (`invitation_ended`), `Unauthenticated` (`invalid_credentials`),
    `Forbidden` (`password_missing`), `RateLimited`.
    """
    _, user = await db.read(invitations.asked, token)
    password_hash = None
    if user.joined_at is None:
        password_hash = await signing_in.hashed(password)
    elif user.password_hash is None:
        raise Forbidden(
            "You sign in with an identity provider, so no password can prove who you are.",
            code="password_missing",
            hint="Set a password first, then accept the invitation with it.",
        )
    else:
        attempt = attempts.begin(user.username, current.get().address)
        if not await signing_in.matches(user.password_hash, password):
            await db.write(signing_in.refused, user.username)
            raise Unauthenticated(
                "The password is wrong.",
                code="invalid_credentials",
                hint="You have an account here already: give its password.",
            )
        attempt.right()

    def verb(tx: Tx) -> Accepted:
        came, invitation = invitations.accept(tx, access, token, password_hash, display_name)
        place = tx.get(Organization, invitation.organization_id)
        assert place is not None  # noqa: S101 - the foreign key says so
        if came.totp_enabled_at is not None:
            return Accepted(came, None, links.issue(tx, "second-factor", came))
        opened = sessions.open_session(tx, came, place, kinds=kinds, client_kind=client_kind, user_agent=user_agent)
        return Accepted(came, opened)

    accepted = await db.write(verb)
    if accepted.opened is not None:
        attempts.know((accepted.user.username, accepted.user.email), current.get().address)
    return accepted


async def reset(db: Database, attempts: Attempts, token: str, password: Secret[str]) -> User:
    """Set a password by the link of a mail; its address is known then. Raises `Invalid` (`link_invalid`)."""
    await db.read(links.owner, "reset", token)  # a link that is none costs no hashing
    user = await db.write(recovery.reset, token, await signing_in.hashed(password))
    attempts.know((user.username, user.email), current.get().address)
    return user
