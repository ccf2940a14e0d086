"""A token that a bot gives to somebody on its platform, by which they show in Quarterdeck who they are there."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select, update

from quarterdeck.access import grants
from quarterdeck.access.model import Grant
from quarterdeck.identity import proving, users
from quarterdeck.identity.model import User
from quarterdeck.identity.sessions import token_hash
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Gone
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify.actions import NotifyAction
from quarterdeck.notify.bots.model import PlatformLink

LIFE = timedelta(minutes=10)
EXPIRED = "platform_link_expired"
KEPT = "platformUid"


def issue(tx: Tx, bot_id: int, organization_id: int, platform_uid: str) -> Secret[str]:
    """A new token, good once and for ten minutes; those of the same person before it end."""
    tx.execute(delete(PlatformLink).where(PlatformLink.bot_id == bot_id, PlatformLink.platform_uid == platform_uid))
    token = tx.ids.token(24)
    tx.add(
        PlatformLink(
            hash=token_hash(token),
            bot_id=bot_id,
            organization_id=organization_id,
            platform_uid=platform_uid,
            expires_at=tx.now + LIFE,
            used_at=None,
        )
    )
    return Secret(token)


def bind(tx: Tx, token: str) -> User:
    """The caller is who they said on the platform. Raises `Gone` (`platform_link_expired`) alike for a token that is
    unknown, used, expired or of an organization that the caller is not in; and `Conflict` (`platform_uid_taken`).
    """
    user = proving.me(tx)
    link = tx.first(select(PlatformLink).where(PlatformLink.hash == token_hash(token)))
    if link is None or link.used_at is not None or link.expires_at <= tx.now:
        raise _expired()
    if not grants.belongs(tx, user.id, link.organization_id):
        raise _expired()
    tx.lock(f"notify-platform-uid:{link.platform_uid}")
    if any(one.id != user.id for one in known(tx, link.organization_id, link.platform_uid)):
        raise Conflict(
            "Somebody else of the organization is already known by that account of the chat.",
            code="platform_uid_taken",
            hint="Ask an administrator to take it away from them first.",
        )
    used = update(PlatformLink).where(PlatformLink.hash == link.hash, PlatformLink.used_at.is_(None))
    if tx.execute(used.values(used_at=tx.now)).rowcount != 1:  # type: ignore[attr-defined]
        raise _expired()
    users.prefer(tx, user, **{KEPT: link.platform_uid})
    detail = {"botId": link.bot_id, KEPT: link.platform_uid}
    audit.record(
        tx, NotifyAction.PLATFORM_BOUND, resource_type="user", resource_id=user.uid.replace("-", ""), detail=detail
    )
    events.append(tx, f"user:{user.uid}", "user-platform-bound", detail, organization_id=link.organization_id)
    return user


def known(tx: Tx, organization_id: int, platform_uid: str) -> list[User]:
    """The active members of an organization who are known by an account of a platform: one, unless somebody has given
    the same to several.
    """
    belonging = select(Grant.user_id).where(Grant.organization_id == organization_id)
    query = select(User).where(
        User.id.in_(belonging), User.active.is_(True), User.preferences[KEPT].as_string() == platform_uid
    )
    return list(tx.scalars(query.order_by(User.id).limit(2)))


def _expired() -> Gone:
    return Gone(
        "The token is not valid any more: it was used, it has expired, or a newer one took its place.",
        code=EXPIRED,
        hint="Send `bind` to the bot once more.",
    )
