"""How the deploy surface names people, their sessions and what their rooms refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from quarterdeck.identity import users
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound, Problem

CODES = {
    "member_not_found": "not_found",
    "deploy_token_not_found": "not_found",
    "already_member": "conflict",
    "invitation_pending": "conflict",
    "not_owner": "invariant_violation",
    "member_inactive": "invariant_violation",
    "own_account": "invariant_violation",
}
"""What a room calls a refusal, and what the contract calls it."""


@contextmanager
def documented() -> Iterator[None]:
    """Refusals of the rooms leave with the codes of the contract."""
    try:
        yield
    except Problem as problem:
        problem.code = CODES.get(problem.code, problem.code)
        raise


def wire_id(uid: str) -> str:
    """The id of a user, member, session or invitation: a uid without dashes."""
    return uid.replace("-", "")


def uid_of(text: str, what: str) -> str:
    """The uid that an id stands for, with dashes or without. Raises `NotFound` for a text of another form."""
    plain = text.strip().lower().replace("-", "")
    if len(plain) != 32 or not plain.isascii() or not plain.isalnum():
        raise NotFound(f"There is no {what} {text[:60]}, or you may not see it.")
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"


def user_named(tx: Tx, text: str) -> User | None:
    """The user with a member's or user's id."""
    return users.by_uid(tx, text)


def require_confirmed(given: str, wanted: str, field: str) -> None:
    """Raise `Invalid` unless what goes was named."""
    if given.replace("-", "").lower() != wanted.replace("-", "").lower():
        raise Invalid(
            f"{field} names something else than what would go. Nothing was changed.",
            hint="Send the id of what is meant, as it is shown.",
            field=field,
        )
