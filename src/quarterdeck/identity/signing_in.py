"""Signing in with a password. The slow part runs on a thread, and never more than two at a time."""

from __future__ import annotations

import asyncio

from quarterdeck.access import Access
from quarterdeck.identity import organizations, passwords, sessions, setup, users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.attempts import Attempts
from quarterdeck.identity.model import Organization, User
from quarterdeck.identity.sessions import Opened
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Forbidden, Unauthenticated
from quarterdeck.kernel.principal import Principal, current
from quarterdeck.kernel.vault import Secret

_hashing = asyncio.Semaphore(2)  # each takes 64 MiB


async def matches(stored: str | None, password: Secret[str]) -> bool:
    async with _hashing:
        return await asyncio.to_thread(passwords.matches, stored, password)


async def hashed(password: Secret[str]) -> str:
    passwords.check_new(password)
    async with _hashing:
        return await asyncio.to_thread(passwords.hashed, password)


async def sign_in(
    db: Database,
    attempts: Attempts,
    identifier: str,
    password: Secret[str],
    *,
    kinds: tuple[str, ...],
    client_kind: str,
    user_agent: str | None = None,
) -> Opened:
    """Open a session. Raises `Unauthenticated` alike for an unknown user and a wrong password, and audits it, and
    `RateLimited` alike for both when the name was tried too often.
    """
    address = current.get().address
    attempts.begin(identifier, address)

    def stored(tx: Tx) -> tuple[int, str | None] | None:
        user = users.find(tx, identifier)
        return None if user is None or not user.active else (user.id, user.password_hash)

    found = await db.read(stored)
    if not await matches(found[1] if found else None, password) or found is None:
        await db.write(_refused, identifier)
        raise Unauthenticated(
            "The name or the password is wrong.", code="invalid_credentials", hint="Check both, then try again."
        )
    attempts.succeeded(identifier, address)
    user_id = found[0]

    def opened(tx: Tx) -> Opened:
        user = tx.get(User, user_id)
        assert user is not None  # noqa: S101 - read a moment ago; users are deactivated, not removed
        memberships = organizations.of_user(tx, user.id)
        if not memberships:
            raise Forbidden("You are a member of no organization.", hint="Ask an administrator for an invitation.")
        return begin(tx, user, memberships[0], kinds=kinds, client_kind=client_kind, user_agent=user_agent)

    return await db.write(opened)


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
    tx.act_as(acting(user, made))
    audit.record(
        tx,
        IdentityAction.SIGNED_IN,
        resource_type="session",
        resource_id=made.session.uid,
        organization_id=organization.id,
        detail={"userId": user.uid, "clientKind": client_kind},
    )
    return made


def acting(user: User, opened: Opened) -> Principal:
    """The person that a new session stands for."""
    return Principal(
        kind="user",
        id=user.id,
        uid=user.uid,
        label=user.username,
        organization_id=opened.organization.id,
        credential=opened.session.uid,
    )


def _refused(tx: Tx, identifier: str) -> None:
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
) -> tuple[User, Organization]:
    """The first administrator with the password given. Raises `NotFound` once one exists."""
    if await db.read(setup.administrator_exists):
        raise setup.already()
    if email is not None:
        users.check_email(email)
    password_hash = await hashed(password)
    return await db.write(
        setup.create_first_administrator,
        access,
        email=email,
        username=username,
        display_name=display_name,
        password_hash=password_hash,
    )
