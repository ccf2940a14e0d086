"""What the operator of the machine may do to people without signing in: whoever has the data has that power anyway.

It is recorded as the system's own act.
"""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.access import Access, grants
from quarterdeck.access.catalogue import ROLES
from quarterdeck.identity import sessions, setup, users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import User, UserSession
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound


def _named(tx: Tx, name: str) -> User:
    user = users.find(tx, name)
    if user is None:
        known = ", ".join(tx.scalars(select(User.username).order_by(User.id).limit(5)))
        hint = f"Users here: {known}." if known else "There is no user yet; open the console to create the first one."
        raise NotFound(f"There is no user {name[:80]!r}.", code="user_not_found", hint=hint)
    return user


def reset_password(tx: Tx, name: str, password_hash: str) -> tuple[User, int]:
    """Give a user another password, let them in again, and end all their sessions. Answers how many ended."""
    user = _named(tx, name)
    user.password_hash, user.active, user.updated_at = password_hash, True, tx.now
    live = list(tx.scalars(select(UserSession).where(UserSession.user_id == user.id, UserSession.revoked_at.is_(None))))
    for session in live:
        sessions.revoke_row(tx, session)
    ended = sum(session.expires_at > tx.now for session in live)
    organization = setup.default_organization(tx)
    audit.record(
        tx,
        IdentityAction.PASSWORD_RESET,
        resource_type="user",
        resource_id=user.uid,
        organization_id=organization.id,
        detail={"sessionsEnded": ended},
    )
    events.append(tx, f"user:{user.uid}", "user-password-reset", {"userId": user.uid}, organization_id=organization.id)
    return user, ended


def grant(tx: Tx, access: Access, name: str, role: str) -> User:
    """Give a user a role in the organization of this instance. Giving it again is a success."""
    if role not in ROLES:
        raise Invalid(
            f"There is no role {role[:80]!r}.", code="role_unknown", hint=f"Roles: {', '.join(sorted(ROLES))}."
        )
    user = _named(tx, name)
    organization = setup.default_organization(tx)
    grants.give(tx, access, user.id, organization.id, role)
    audit.record(
        tx,
        IdentityAction.ROLE_GRANTED,
        resource_type="user",
        resource_id=user.uid,
        organization_id=organization.id,
        detail={"role": role},
    )
    events.append(
        tx,
        f"user:{user.uid}",
        "user-role-granted",
        {"userId": user.uid, "role": role},
        organization_id=organization.id,
    )
    return user
