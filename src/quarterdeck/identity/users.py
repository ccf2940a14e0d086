"""Creating and finding people."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import func, or_, select

from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.text import misleads, one_line

EMAIL = re.compile(r"[^@\s<>\"',;]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")
NAME = "displayName"
USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check_email(email: str) -> str:
    if len(email) > 320 or not EMAIL.fullmatch(email) or any(map(misleads, email)):
        raise Invalid(
            f"{email[:80]!r} is not an e-mail address.", hint="Give an address such as ada@example.com.", field="email"
        )
    return email


def check_username(tx: Tx, username: str) -> None:
    """Raise `Invalid` for what cannot be one, `Conflict` (`username_taken`)."""
    if not USERNAME.fullmatch(username):
        raise Invalid(
            f"{username[:80]!r} cannot be a username.",
            hint="Use letters, digits, dot, dash and underscore.",
            field="username",
        )
    if find(tx, username) is not None:
        raise Conflict(f"The username {username} is taken.", code="username_taken", hint="Choose another one.")


def username_from(tx: Tx, email: str) -> str:
    """A free username from the e-mail's local part; other characters become `_`, collisions are numbered."""
    base = re.sub(r"[^A-Za-z0-9._-]", "_", email.split("@", maxsplit=1)[0])[:90].lstrip("._-") or "user"
    name, number = base, 1
    while find(tx, name) is not None:
        number += 1
        name = f"{base}{number}"
    return name


def name_of_gone(user: User) -> str:
    """What somebody is called of whom nothing is kept."""
    return f"deleted-{user.uid}"


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
    active: bool = True,
) -> User:
    """A new user. Raises `Conflict` (`email_taken`, `username_taken`), `Invalid` when malformed."""
    tx.lock("identity:users")
    if email is not None:
        check_email(email)
        if find(tx, email) is not None:
            raise email_taken(email)
    if username is None:
        if email is None:
            raise Invalid("A user needs a username or an e-mail address.")
        username = username_from(tx, email)
    else:
        check_username(tx, username)
    return tx.add(
        User(
            uid=tx.ids.uid(),
            username=username,
            email=email,
            display_name=one_line(display_name or "", NAME, empty=True) or username,
            avatar_url=None,
            password_hash=password_hash,
            email_verified=False,
            active=active,
            created_at=tx.now,
            updated_at=tx.now,
            last_sign_in_at=None,
            joined_at=tx.now if active else None,
            totp_secret=None,
            totp_enabled_at=None,
            totp_last_step=None,
            preferences=None,
        )
    )


def email_taken(email: str) -> Conflict:
    return Conflict(
        f"A user with the e-mail {email} exists.", code="email_taken", hint="Sign in, or choose another address."
    )


def by_uid(tx: Tx, text: str) -> User | None:
    """The user with an id as surfaces write it, with or without dashes."""
    uid = dashed(text)
    return None if uid is None else tx.first(select(User).where(User.uid == uid))


def dashed(text: str) -> str | None:
    """A uid as it is stored, of one written with or without dashes; None for what is none."""
    plain = text.strip().lower().replace("-", "")
    if len(plain) != 32:
        return None
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"


def principal(user: User, organization_id: int, credential: str | None = None) -> Principal:
    """Somebody who acts in an organization, by a session if `credential` names one."""
    return Principal(
        kind="user",
        id=user.id,
        uid=user.uid,
        label=user.username,
        organization_id=organization_id,
        credential=credential,
    )


def rename(tx: Tx, user: User, display_name: str | None) -> bool:
    """Change how somebody is called; None leaves as it is, spaces are none: the username stands for it. Answers whether
    that is new. Raises `Invalid` for what is no name.
    """
    name = user.display_name if display_name is None else one_line(display_name, NAME, empty=True) or user.username
    if name == user.display_name:
        return False
    user.display_name, user.updated_at = name, tx.now
    return True


def avatar(user: User, address: str | None) -> bool:
    """Show somebody by a picture, or by none. Answers whether that is new."""
    changed, user.avatar_url = user.avatar_url != address, address
    return changed


def prefer(tx: Tx, user: User, **values: Any) -> None:
    """Keep what a surface wants to know of somebody; None takes a value away."""
    kept = {**(user.preferences or {}), **values}
    user.preferences = {name: value for name, value in kept.items() if value is not None} or None
    user.updated_at = tx.now
