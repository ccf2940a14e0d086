"""Taking back what people were told, in the unit of the change that settles it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, or_, select, update

from quarterdeck.access.model import Grant
from quarterdeck.kernel.db import Tx
from quarterdeck.notify.model import Notification
from quarterdeck.notify.telling import topic


def withdraw(
    tx: Tx,
    type: str,  # noqa: A002 - the word of the contract
    about: str,
    *,
    organization_id: int,
    users: Collection[int] | None = None,
    sparing: str | None = None,
) -> int:
    """Count as read what members of an organization (or some of its users, by number) were told of one type under the
    collapse key `about`, or one that begins with `about:`, and not with `sparing:`: it asks for nothing any more.
    Answers how many had not been read.
    """
    members = select(Grant.user_id).where(Grant.organization_id == organization_id)
    unread = select(Notification.id, Notification.user_id).where(
        Notification.user_id.in_(members if users is None else users),
        Notification.organization_id == organization_id,
        Notification.read_at.is_(None),
        Notification.type == type,
        or_(Notification.collapse_key == about, _below(about)),
    )
    if sparing is not None:
        unread = unread.where(~_below(sparing))
    found = tx.execute(unread).all()
    if found:
        tx.execute(
            update(Notification)
            .where(Notification.id.in_([one.id for one in found]), Notification.read_at.is_(None))
            .values(read_at=tx.now)
            .execution_options(synchronize_session="fetch")
        )
        for user_id in sorted({one.user_id for one in found}):
            tx.publish(topic(user_id), organization_id)
    return len(found)


def _below(key: str) -> ColumnElement[bool]:
    return Notification.collapse_key.startswith(f"{key}:", autoescape=True)
