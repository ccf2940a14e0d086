"""Proving again who one is, before something that a stolen session must not be enough for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from quarterdeck.identity import members, second_factor, signing_in
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.attempts import Attempts
from quarterdeck.identity.model import User
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import Secret

T = TypeVar("T")


def me(tx: Tx) -> User:
    """The caller."""
    user = tx.get(User, tx.principal.id)
    assert user is not None  # noqa: S101 - authenticated a moment ago; users are deactivated, not removed
    return user


async def by_password(db: Database, attempts: Attempts, password: Secret[str]) -> None:
    """Raise `Invalid` (`password_wrong`) unless it is the caller's own, and record it; `RateLimited` after too many."""
    user = await db.read(me)
    attempt = attempts.begin_proof("password", user.uid)
    if not await signing_in.matches(user.password_hash, password):
        await db.write(_refused, user, "password")
        raise Invalid(
            "The current password is wrong.",
            code="password_wrong",
            hint="Give the password that you sign in with.",
        )
    attempt.right()


async def by_code(db: Database, attempts: Attempts, code: str, verb: Callable[[Tx, User], T]) -> T:
    """Run a unit that a code of the caller's second factor allows; it does not run when the code is wrong (`Invalid`,
    `second_factor_code_wrong`), which is audited. Raises `Conflict` (`second_factor_disabled`) where none is set up.
    """
    attempt = attempts.begin_proof("code", (await db.read(me)).uid)

    def unit(tx: Tx) -> tuple[T] | None:
        user = me(tx)
        second_factor.require_enabled(user)
        if not second_factor.check(tx, user, code):
            _refused(tx, user, "code")
            return None
        return (verb(tx, user),)

    result = await db.write(unit)
    if result is None:
        raise second_factor.wrong_code()
    attempt.right()
    return result[0]


def note_proved(tx: Tx, user: User) -> None:
    members.note(tx, user, IdentityAction.IDENTITY_PROVED, tx.principal.organization_id)


def _refused(tx: Tx, user: User, by: Literal["password", "code"]) -> None:
    audit.record(
        tx,
        IdentityAction.IDENTITY_PROVED,
        resource_type="user",
        resource_id=user.uid,
        outcome="denied",
        detail={"by": by},
    )
