"""Telling people something, in the unit of the change that it is about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.identity.model import User
from quarterdeck.kernel import mail
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.text import shown
from quarterdeck.notify import choices, mails
from quarterdeck.notify.bots import posting
from quarterdeck.notify.door import Door
from quarterdeck.notify.model import Notification

COLLAPSED = timedelta(seconds=60)
LONGEST = 4000


def topic(user_id: int) -> str:
    """What the bus wakes whoever shows somebody's notifications by; the payload is the organization's number."""
    return f"notify:{user_id}"


def tell(
    tx: Tx,
    type: str,  # noqa: A002 - the word of the contract
    users: Iterable[int],
    title: str,
    body: str,
    *,
    link: str | None = None,
    task_id: int | None = None,
    project_key: str | None = None,
    organization_id: int | None = None,
    collapse_key: str | None = None,
    chats: bool = True,
) -> list[Notification]:
    """Tell some people (numbers of users) something of one of `choices.TYPES`.

    Who has muted the type, is not active or belongs no longer to the organization (that of the caller unless given) is
    left out. The same again within a minute (`collapse_key`; without one the type and what it is about) becomes the
    newer words of the one before, unread again, and is mailed no second time. `link` is a path of the console or a
    whole address. Of a task that began in a chat, the chat is told once, whoever has muted what, unless `chats` is
    False.
    """
    if type not in choices.TYPES:
        raise ValueError(f"{type!r} is no type of notification")
    place = tx.principal.acts_in if organization_id is None else organization_id
    about = task_id if task_id is not None else link
    key = (collapse_key or f"{type}:{about if about is not None else title}")[:200]
    title, body = shown(title, 200), body[:LONGEST]
    told, again = [], False
    for user in _people(tx, place, users):
        chosen = choices.of(user)
        if type in chosen.muted:
            continue
        row = _before(tx, user.id, place, key)
        if row is not None:
            row.type, row.title, row.body, row.link = type, title, body, link
            row.repeats, row.read_at, again = row.repeats + 1, None, True
        else:
            row = tx.add(
                Notification(
                    uid=tx.ids.uid(),
                    organization_id=place,
                    user_id=user.id,
                    type=type,
                    title=title,
                    body=body,
                    link=link,
                    task_id=task_id,
                    project_key=project_key,
                    collapse_key=key,
                    repeats=0,
                    created_at=tx.now,
                    read_at=None,
                )
            )
            if type in chosen.email and user.email:
                mail.post(tx, mails.notification(user.email, title, body, tx.part(Door).link(link)), place)
        told.append(row)
        tx.publish(topic(user.id), place)
    tx.flush()
    if chats and task_id is not None and not again:
        posting.tell_task(tx, place, task_id, title, body)
    return told


def _people(tx: Tx, organization_id: int, users: Iterable[int]) -> list[User]:
    """Those of them who are active and belong to the organization, by number."""
    wanted = sorted(set(users))
    if not wanted:
        return []
    belonging = grants.members(tx, organization_id, wanted)
    query = select(User).where(User.id.in_(sorted(belonging)), User.active.is_(True)).order_by(User.id)
    return list(tx.scalars(query))


def _before(tx: Tx, user_id: int, organization_id: int, key: str) -> Notification | None:
    tx.lock(f"notify:{user_id}")
    return tx.first(
        select(Notification)
        .where(
            Notification.user_id == user_id,
            Notification.organization_id == organization_id,
            Notification.collapse_key == key,
            Notification.created_at > tx.now - COLLAPSED,
        )
        .order_by(Notification.created_at.desc())
    )
