"""What somebody does to their own account that takes longer than a unit of work."""

from __future__ import annotations

from quarterdeck.identity import passwords, recovery, sessions, signing_in
from quarterdeck.identity.attempts import Attempts
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.principal import current
from quarterdeck.kernel.vault import Secret


async def change_password(db: Database, attempts: Attempts, present: Secret[str], new: Secret[str]) -> None:
    """Set the caller's password; every other session of theirs ends.

    Raises `Forbidden` (`session_required`), `Invalid` (`current_password_wrong`, or for a new one that is none) and
    `RateLimited`, since a session that somebody left open must not be a place to guess at.
    """
    context = current.get()
    sessions.require_in_person(context.principal)
    passwords.check_new(new)
    attempts.begin(context.principal.label, context.address)

    def stored(tx: Tx) -> str | None:
        user = tx.get(User, context.principal.id)
        return user.password_hash if user is not None else None

    if not await signing_in.matches(await db.read(stored), present):
        raise Invalid(
            "The current password is wrong.",
            code="current_password_wrong",
            hint="Type the password that you sign in with.",
            field="currentPassword",
        )
    attempts.succeeded(context.principal.label, context.address)
    password_hash = await signing_in.hashed(new)

    def verb(tx: Tx) -> None:
        user = tx.get(User, context.principal.id)
        assert user is not None  # noqa: S101 - authenticated a moment ago
        recovery.changed(tx, user, password_hash)

    await db.write(verb)
