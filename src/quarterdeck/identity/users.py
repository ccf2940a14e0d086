"""Creating and finding people."""

from __future__ import annotations

import re

from sqlalchemy import func, or_, select

from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid

EMAIL = re.compile(r"[^@\s<>\"',;]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")
USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check_email(email: str) -> str:
    if len(email) > 320 or not EMAIL.fullmatch(email):
        raise Invalid(
            f"{email[:80]!r} is not an e-mail address.", hint="Give an address such as ada@example.com.", field="email"
        )
    return email


def username_from(tx: Tx, email: str) -> str:
    """A free username from the e-mail's local part; other characters become `_`, collisions are numbered."""
    base = re.sub(r"[^A-Za-z0-9._-]", "_", email.split("@", maxsplit=1)[0])[:90].lstrip("._-") or "user"
    name, number = base, 1
    while find(tx, name) is not None:
        number += 1
        name = f"{base}{number}"
    return name


def find(tx: Tx, identifier: str) -> User | None:
    """The user whose username or e-mail is `identifier`, without case."""
    folded = identifier.strip().lower()
    return tx.first(select(User).where(or_(func.lower(User.username) == folded, func.lower(User.email) == folded)))


def create(
    tx: Tx,
    *,
    email: str | None = None,
    username: str | None = None,
    display_name: str | None = None,
    password_hash: str | None = None,
) -> User:
    """A new user. Raises `Conflict` when the username or e-mail is taken, `Invalid` when malformed."""
    tx.lock("identity:users")
    if email is not None:
        check_email(email)
        if find(tx, email) is not None:
            raise Conflict(f"A user with the e-mail {email} exists.", hint="Sign in, or choose another address.")
    if username is None:
        if email is None:
            raise Invalid("A user needs a username or an e-mail address.")
        username = username_from(tx, email)
    elif not USERNAME.fullmatch(username):
        raise Invalid(
            f"{username[:80]!r} cannot be a username.",
            hint="Use letters, digits, dot, dash and underscore.",
            field="username",
        )
    elif find(tx, username) is not None:
        raise Conflict(f"The username {username} is taken.", hint="Choose another one.")
    return tx.add(
        User(
            uid=tx.ids.uid(),
            username=username,
            email=email,
            display_name=display_name or username,
            avatar_url=None,
            password_hash=password_hash,
            email_verified=False,
            active=True,
            created_at=tx.now,
            updated_at=tx.now,
            last_sign_in_at=None,
        )
    )
