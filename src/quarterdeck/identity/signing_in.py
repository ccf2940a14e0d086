"""Signing in with a password. The slow part runs on a thread, and never more than two at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from quarterdeck.access import Access
from quarterdeck.identity import links, organizations, passwords, second_factor, sessions, setup, users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.attempts import Attempt, Attempts
from quarterdeck.identity.model import Organization, User
from quarterdeck.identity.sessions import Opened
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Forbidden, Unauthenticated
from quarterdeck.kernel.principal import current
from quarterdeck.kernel.vault import Secret

_hashing = asyncio.Semaphore(2)  # each takes 64 MiB


async def matches(stored: str | None, password: Secret[str]) -> bool:
    async with _hashing:
        return await asyncio.to_thread(passwords.matches, stored, password)


async def hashed(password: Secret[str]) -> str:
    passwords.check_new(password)
    async with _hashing:
        return await asyncio.to_thread(passwords.hashed, password)


class SecondFactorRequired(Unauthenticated):
    """The password was right and a code is still to come: with the next attempt, or with `token` by `second_step`."""

    def __init__(self, token: Secret[str]) -> None:
        super().__init__(
            "A code of your second factor is needed.",
            code="totp_required",
            hint="Send the code that your authenticator shows, or a recovery code.",
        )
        self.token = token


async def sign_in(
    db: Database,
    attempts: Attempts,
    identifier: str,
    password: Secret[str],
    *,
    kinds: tuple[str, ...],
    client_kind: str,
    user_agent: str | None = None,
    code: str | None = None,
) -> Opened:
    """Open a session. Raises `Unauthenticated` alike for an unknown user and a wrong password, and audits it,
    `SecondFactorRequired` when a code is missing, and `RateLimited` alike for all when the name was tried too often.
    """
    attempt = attempts.begin(identifier, current.get().address)

    def stored(tx: Tx) -> User | None:
        user = users.find(tx, identifier)
        return None if user is None or not user.active else user

    found = await db.read(stored)
    if not await matches(found.password_hash if found else None, password) or found is None:
        await db.write(refused, identifier)
        raise Unauthenticated(
            "The name or the password is wrong.", code="invalid_credentials", hint="Check both, then try again."
        )
    attempt.right()  # what is tried from here on is the code
    guess = attempts.begin_proof("code", found.uid) if code and found.totp_enabled_at is not None else None
    opened = await db.write(
        _proved, found.id, code, kinds=kinds, client_kind=client_kind, user_agent=user_agent, asked=False
    )
    return await _answered(db, attempts, guess, identifier, opened)


async def second_step(
    db: Database,
    attempts: Attempts,
    token: str,
    code: str,
    *,
    kinds: tuple[str, ...],
    client_kind: str,
    user_agent: str | None = None,
) -> Opened:
    """Open a session with the token of `SecondFactorRequired` and a code. Raises `Invalid` (`link_invalid`),
    `Unauthenticated` and `RateLimited`.
    """
    user = await db.read(links.owner, "second-factor", token)
    guess = attempts.begin_proof("code", user.uid)

    def verb(tx: Tx) -> Opened | Secret[str] | None:
        opened = _proved(tx, user.id, code, kinds=kinds, client_kind=client_kind, user_agent=user_agent, asked=True)
        if isinstance(opened, Opened):
            links.use(tx, "second-factor", token)
        return opened

    return await _answered(db, attempts, guess, user.username, await db.write(verb))


async def _answered(
    db: Database, attempts: Attempts, guess: Attempt | None, name: str, opened: Opened | Secret[str] | None
) -> Opened:
    if opened is None:
        await db.write(refused, name)
        raise Unauthenticated(
            "The code is wrong.",
            code="second_factor_code_wrong",
            hint="Give the newest code that your authenticator shows; each is good once.",
        )
    if not isinstance(opened, Opened):
        raise SecondFactorRequired(opened)
    if guess is not None:
        guess.right()
    attempts.know((opened.user.username, opened.user.email), current.get().address)
    return opened


def _proved(
    tx: Tx,
    user_id: int,
    code: str | None,
    *,
    kinds: tuple[str, ...],
    client_kind: str,
    user_agent: str | None,
    asked: bool,
) -> Opened | Secret[str] | None:
    """A session for somebody whose password was right; a token for the second step where that needs a code; None for
    a wrong code.
    """
    user = tx.get(User, user_id)
    assert user is not None  # noqa: S101 - read a moment ago; rows of users stay
    memberships = organizations.of_user(tx, user.id)
    if not memberships:
        raise Forbidden("You are a member of no organization.", hint="Ask an administrator for an invitation.")
    if user.totp_enabled_at is not None:
        if not code and not asked:
            return links.issue(tx, "second-factor", user)
        tx.act_as(users.principal(user, memberships[0].id))
        if not second_factor.check(tx, user, code or ""):
            return None
    return begin(tx, user, memberships[0], kinds=kinds, client_kind=client_kind, user_agent=user_agent)


def begin(
    tx: Tx,
    user: User,
    organization: Organization,
    *,
    kinds: tuple[str, ...],
    client_kind: str,
    user_agent: str | None = None,
) -> Opened:
    """Open a session for somebody who has proved who they are, with its audit event; the unit acts for them then."""
    made = sessions.open_session(tx, user, organization, kinds=kinds, client_kind=client_kind, user_agent=user_agent)
    tx.act_as(users.principal(user, organization.id, made.session.uid))
    audit.record(
        tx,
        IdentityAction.SIGNED_IN,
        resource_type="session",
        resource_id=made.session.uid,
        organization_id=organization.id,
        detail={"userId": user.uid, "clientKind": client_kind},
    )
    return made


def refused(tx: Tx, identifier: str) -> None:
    """Record that somebody who is not signed in gave a wrong password or a wrong code for a name."""
    organization = setup.default_organization(tx)
    audit.record(
        tx,
        IdentityAction.SIGN_IN_FAILED,
        resource_type="user",
        resource_id=identifier[:100],
        organization_id=organization.id,
        outcome="denied",
    )


async def create_first_administrator(
    db: Database,
    access: Access,
    *,
    email: str | None,
    username: str | None,
    display_name: str | None,
    password: Secret[str],
    organization_name: str | None = None,
    organization_slug: str | None = None,
) -> tuple[User, Organization]:
    """The first administrator with the password given. Raises `NotFound` once one exists, `Invalid` for an organization
    that cannot be called so.
    """
    if email is not None:
        users.check_email(email)
    if organization_name is not None:
        organization_name = organizations.check_name(organization_name)
    if organization_slug is not None:
        organizations.check_slug(organization_slug)
    password_hash = await _hashed_for_the_first(db, password)
    return await db.write(
        setup.create_first_administrator,
        access,
        email=email,
        username=username,
        display_name=display_name,
        password_hash=password_hash,
        organization_name=organization_name,
        organization_slug=organization_slug,
    )


async def set_up(
    db: Database,
    access: Access,
    *,
    username: str,
    password: Secret[str],
    kinds: tuple[str, ...],
    client_kind: str,
    also: Callable[[Tx, Organization], None],
) -> Opened:
    """The first administrator by name, signed in, in one unit and with one event; `also` is done in that unit. Raises
    `NotFound` once one exists.
    """
    password_hash = await _hashed_for_the_first(db, password)

    def verb(tx: Tx) -> Opened:
        user, place = setup.create_first_administrator(
            tx, access, email=None, username=username, display_name=None, password_hash=password_hash
        )
        tx.flush()
        also(tx, place)
        return sessions.open_session(tx, user, place, kinds=kinds, client_kind=client_kind)

    return await db.write(verb)


async def _hashed_for_the_first(db: Database, password: Secret[str]) -> str:
    """A stranger costs no hashing once an administrator exists."""
    if await db.read(setup.administrator_exists):
        raise setup.already()
    return await hashed(password)
