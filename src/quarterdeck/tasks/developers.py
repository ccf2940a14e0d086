"""People as the tasks surface knows them: a role of its chain, and what their commits are signed with."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from quarterdeck.access import Access, grants, roles
from quarterdeck.identity import accounts, members, recovery, second_factor, sessions, users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.text import one_line

FAMILY = "tasks"
RANK = ("admin", "lead", "developer")
KEPT = ("gitName", "gitEmail", "platformUid")
"""Preferences of a person that are this surface's."""
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Developer:
    """`role` is the last part of the highest role of the family, None for a member who has none of it."""

    user: User
    role: str | None


def described(tx: Tx, user: User) -> Developer:
    return Developer(user, _highest(grants.roles_of(tx, user.id, tx.principal.acts_in)))


def page(tx: Tx, words: str, before: int | None, limit: int) -> tuple[list[Developer], int]:
    """So many members of the current organization, newest first, from a number on, and how many there are; `words` is
    found in names and addresses, for which everybody is looked at.
    """
    place, wanted = tx.principal.acts_in, words.strip().lower()
    if not wanted:
        found = members.page(tx, place, before=before or 0, limit=limit)
        return [Developer(one.user, _highest(one.roles)) for one in found], members.count(tx, place)
    kept = [one for one in members.page(tx, place, before=0) if wanted in _names(one.user)]
    rest = [one for one in kept if before is None or one.user.id < before]
    return [Developer(one.user, _highest(one.roles)) for one in rest[:limit]], len(kept)


def of_surface(tx: Tx, before: int | None, limit: int) -> tuple[list[Developer], int]:
    """So many who have a role of this surface, newest first, from a number on, and how many there are."""
    place = tx.principal.acts_in
    found = members.page(tx, place, family=FAMILY, before=before or 0, limit=limit)
    return [Developer(one.user, _highest(one.roles)) for one in found], members.count(tx, place, FAMILY)


def find(tx: Tx, user_id: int | None) -> User:
    """A member of the current organization. Raises `NotFound` (`developer_not_found`), for anybody else's too."""
    user = None if user_id is None else tx.get(User, user_id)
    with contextlib.suppress(NotFound):
        return members.find(tx, tx.principal.acts_in, user).user
    raise NotFound(
        f"There is no developer {user_id}." if user_id is not None else "There is no such developer.",
        code="developer_not_found",
        hint="Look at the list of developers.",
    )


def create(tx: Tx, access: Access, name: str, password_hash: str, role: str, **kept: Any) -> User:
    """Somebody new with a role and a password. Raises as `users.create` does, and `Forbidden` for a token
    (`session_required`) and for a role that carries what the caller's credential has not got (`permission_not_held`).
    """
    sessions.require_in_person(tx.principal)
    roles.require_given(tx, [f"{FAMILY}:{role}"])
    user = users.create(tx, username=name, password_hash=password_hash)
    grants.give(tx, access, user.id, tx.principal.acts_in, f"{FAMILY}:{role}")
    _keep(tx, user, kept)
    members.note(tx, user, IdentityAction.CREATED, tx.principal.acts_in, roles=[f"{FAMILY}:{role}"])
    return user


def change(
    tx: Tx,
    access: Access,
    user_id: int | None,
    *,
    role: str | None = None,
    password_hash: str | None = None,
    active: bool | None = None,
    **kept: Any,
) -> User:
    """Change what is given. Raises `NotFound`, `Invalid` (`own_account`), `Conflict` (`last_administrator`) and
    `Forbidden` (`account_outranks`, `permission_not_held`).
    """
    user = find(tx, user_id)
    if password_hash is not None or (active is not None and active != user.active):
        accounts.require_another(tx, user, "set the password of" if password_hash is not None else "deactivate")
        accounts.require_no_more(tx, user)
    if role is not None:
        accounts.set_roles(tx, access, user, (FAMILY,), [f"{FAMILY}:{role}"])
    if password_hash is not None:
        recovery.set_by_administrator(tx, user, password_hash)
    if active is not None:
        members.set_active(tx, access, user, active=active)
    if _keep(tx, user, kept):
        members.note(tx, user, IdentityAction.CHANGED, tx.principal.acts_in, fields=sorted(kept))
    return user


def change_own(tx: Tx, **kept: Any) -> User:
    """Change what the caller's commits are signed with."""
    user = tx.get(User, tx.principal.id)
    assert user is not None  # noqa: S101 - authenticated a moment ago
    if _keep(tx, user, kept):
        members.note(tx, user, IdentityAction.CHANGED, tx.principal.acts_in, fields=sorted(kept))
    return user


def reset_second_factor(tx: Tx, user_id: int | None) -> User:
    """Switch off somebody's second factor; where there is none, that is a success too. Raises as `change` does."""
    sessions.require_in_person(tx.principal)
    user = find(tx, user_id)
    accounts.require_another(tx, user, "reset the second factor of")
    accounts.require_no_more(tx, user)
    if user.totp_enabled_at is not None:
        second_factor.disable_by_administrator(tx, user)
    return user


def preference(user: User, name: str) -> str | None:
    found = (user.preferences or {}).get(name)
    return found if isinstance(found, str) else None


def _keep(tx: Tx, user: User, kept: dict[str, Any]) -> bool:
    """Keep what is given (None takes a value away). Answers whether anything changed."""
    for name, value in kept.items():
        if isinstance(value, str):
            one_line(value, name, LONGEST, empty=True)
    if kept.get("gitEmail"):
        users.check_email(kept["gitEmail"])
    news = {name: value or None for name, value in kept.items() if (value or None) != preference(user, name)}
    if news:
        users.prefer(tx, user, **news)
    return bool(news)


def _highest(roles: Any) -> str | None:
    return next((role for role in RANK if f"{FAMILY}:{role}" in roles), None)


def _names(user: User) -> str:
    told = (user.username, user.display_name, user.email, preference(user, "gitName"), preference(user, "gitEmail"))
    return "\n".join(one for one in told if one).lower()
