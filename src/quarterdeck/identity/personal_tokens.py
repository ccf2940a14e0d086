"""Tokens that act as their owner: for programs of a person. Shown once, kept as hashes.

The form is `ov_pat_<number>_<43 characters>` (contract: tasks §2.3). A token may be narrowed to scopes, never does more
than its owner, and never what makes new credentials: `Principal.by_token` says that one is in use.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update

from quarterdeck.access.scopes import SCOPES, narrowed
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import PersonalToken, User
from quarterdeck.identity.sessions import token_hash
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.text import one_line, several
from quarterdeck.kernel.vault import Secret

PREFIX = "ov_pat_"
MOST = 100
USE_NOTED = timedelta(minutes=1)
"""How far apart two notes of a token's last use are at least."""


def create(
    tx: Tx, user: User, label: str, scopes: Sequence[str] = (), expires_at: datetime | None = None
) -> tuple[PersonalToken, Secret[str]]:
    """A token of the caller in the current organization. Raises `Invalid` for an unknown scope, a past time, and a
    label that is no name.
    """
    label = one_line(label, "label")
    unknown = sorted(set(scopes) - SCOPES.keys())
    if unknown:
        raise Invalid(f"There is no scope {several(unknown)}.", hint=f"Scopes: {', '.join(SCOPES)}.", field="scopes")
    if expires_at is not None and expires_at <= tx.now:
        raise Invalid("A token cannot have expired already.", hint="Give a time to come.", field="expiresAt")
    tx.lock(f"personal-tokens:{user.id}")
    if sum(token.revoked_at is None for token in own(tx, user.id)) >= MOST:
        raise Conflict(f"You have {MOST} tokens.", code="too_many_tokens", hint="Revoke those that nobody uses.")
    row = tx.add(
        PersonalToken(
            uid=tx.ids.uid(),
            user_id=user.id,
            organization_id=tx.principal.organization_id,
            label=label,
            prefix="",
            hash=tx.ids.token(32),
            scopes=sorted(set(scopes)),
            created_at=tx.now,
            expires_at=expires_at,
            last_used_at=None,
            revoked_at=None,
        )
    )
    tx.flush()
    secret = base64.urlsafe_b64encode(tx.ids.randbytes(32)).decode().rstrip("=")
    text = f"{PREFIX}{row.id}_{secret}"
    row.hash, row.prefix = token_hash(text), text[: len(PREFIX) + len(str(row.id)) + 5][:20]
    _note(tx, row, IdentityAction.TOKEN_CREATED, scopes=row.scopes)
    return row, Secret(text)


def own(tx: Tx, user_id: int) -> list[PersonalToken]:
    """All tokens of a user, newest first."""
    return list(
        tx.scalars(select(PersonalToken).where(PersonalToken.user_id == user_id).order_by(PersonalToken.id.desc()))
    )


def revoke(tx: Tx, user_id: int, token_id: int) -> PersonalToken:
    """End one of a user's tokens; ending it again is a success. Raises `NotFound` (`token_not_found`)."""
    row = tx.first(select(PersonalToken).where(PersonalToken.id == token_id, PersonalToken.user_id == user_id))
    if row is None:
        raise NotFound(f"You have no token {token_id}.", code="token_not_found", hint="Look at your tokens.")
    if row.revoked_at is None:
        row.revoked_at = tx.now
        _note(tx, row, IdentityAction.TOKEN_REVOKED)
    return row


def authenticate(tx: Tx, token: str) -> tuple[Principal, bool] | None:
    """The owner, narrowed to what the token may do, and whether its use is worth a note; None for anything unknown,
    expired or revoked.
    """
    row = tx.execute(
        select(
            PersonalToken.uid,
            PersonalToken.organization_id,
            PersonalToken.scopes,
            PersonalToken.expires_at,
            PersonalToken.last_used_at,
            User.id,
            User.uid.label("user_uid"),
            User.username,
            User.active,
        )
        .join(User, User.id == PersonalToken.user_id)
        .where(PersonalToken.hash == token_hash(token), PersonalToken.revoked_at.is_(None))
    ).first()
    if row is None or not row.active or (row.expires_at is not None and row.expires_at <= tx.now):
        return None
    principal = Principal(
        kind="user",
        id=row.id,
        uid=row.user_uid,
        label=row.username,
        organization_id=row.organization_id,
        credential=row.uid,
        scopes=narrowed(row.scopes),
        by_token=True,
    )
    return principal, row.last_used_at is None or row.last_used_at < tx.now - USE_NOTED


def note_use(tx: Tx, uid: str) -> None:
    """Remember that a token was used just now, to the minute."""
    stale = (PersonalToken.last_used_at.is_(None)) | (PersonalToken.last_used_at < tx.now - USE_NOTED)
    tx.execute(update(PersonalToken).where(PersonalToken.uid == uid, stale).values(last_used_at=tx.now))


def _note(tx: Tx, row: PersonalToken, action: IdentityAction, **detail: object) -> None:
    audit.record(tx, action, resource_type="personal-token", resource_id=row.uid, detail={"label": row.label, **detail})
