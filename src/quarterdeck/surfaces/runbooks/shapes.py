"""People and their roles as this surface writes them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from quarterdeck.access import roles
from quarterdeck.access.model import Role
from quarterdeck.identity import accounts
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.surfaces.runbooks.wire import account as wire
from quarterdeck.surfaces.runbooks.wire import users as people

FAMILY = "runbooks"
PREFIX = f"{FAMILY}:"


def at(moment: datetime | None) -> str | None:
    """ISO 8601 with `+00:00`."""
    return None if moment is None else moment.isoformat()


def number(text: str) -> int:
    """An id of an address; 0, which nothing has, for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def user_of(tx: Tx, text: str) -> User:
    """Raises `NotFound` for an id of another form, of nobody, and of somebody of another organization, alike."""
    try:
        return accounts.find(tx, number(text))
    except NotFound as missing:
        raise NotFound(f"There is no user {text[:40]}.", code=missing.code, hint=missing.hint) from None


def codenames(permissions: frozenset[str]) -> list[str]:
    """The permissions of runbooks, as that surface names them."""
    return sorted(key.removeprefix(PREFIX) for key in permissions if key.startswith(PREFIX))


def seen_roles(tx: Tx) -> dict[str, Role]:
    """The roles that this surface shows, by key."""
    return {role.key: role for role in roles.visible(tx, FAMILY)}


def role_names(seen: dict[str, Role], keys: Collection[str]) -> list[wire.RoleName]:
    return [wire.RoleName(id=seen[key].id, name=seen[key].name) for key in keys if key in seen]


def kept(user: User, name: str) -> Any:
    return (user.preferences or {}).get(name)


def brief(user: User) -> dict[str, Any]:
    """The fields of `UserBrief`."""
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "display_name": user.display_name,
        "ssh_public_key": kept(user, "sshPublicKey"),
        "personal_ssh_public_key": kept(user, "personalSshPublicKey"),
    }


def shown(user: User, email: str | None, names: list[wire.RoleName]) -> people.User:
    return people.User(
        id=user.id,
        username=user.username,
        email=email,
        display_name=user.display_name,
        is_active=user.active,
        created_at=user.created_at.isoformat(),
        last_login_at=at(user.last_sign_in_at),
        invite_accepted_at=at(user.joined_at),
        roles=names,
        storage_quota_mb=kept(user, "storageQuotaMb"),
        mfa_enabled=user.totp_enabled_at is not None,
    )


def person(tx: Tx, user: User, *, permissions: bool = False) -> people.User:
    keys = accounts.roles_of(tx, user)
    found = shown(user, accounts.addresses_of(tx, [user])[user.id], role_names(seen_roles(tx), keys))
    if permissions:
        found.permissions = codenames(roles.carried(tx, keys))
    return found
