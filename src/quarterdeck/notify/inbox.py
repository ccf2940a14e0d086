"""Somebody's notifications in the organization that they act in: reading them, and having read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, update

from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.notify.actions import NotifyAction
from quarterdeck.notify.model import Notification
from quarterdeck.notify.telling import topic


@dataclass(frozen=True, slots=True)
class Page:
    """`total` counts the list, `unread` what is not read yet."""

    rows: Sequence[Notification]
    total: int
    unread: int


def _mine(tx: Tx) -> tuple[ColumnElement[bool], ...]:
    return (Notification.user_id == tx.principal.id, Notification.organization_id == tx.principal.acts_in)


def page(tx: Tx, *, read_too: bool, before: int | None, limit: int) -> Page:
    """The caller's, newest first, behind a number; only what is unread unless `read_too`."""
    here = _mine(tx)
    unread = (*here, Notification.read_at.is_(None))
    shown = here if read_too else unread
    query = select(Notification).where(*shown)
    if before is not None:
        query = query.where(Notification.id < before)
    rows = list(tx.scalars(query.order_by(Notification.id.desc()).limit(limit)))
    waiting = _count(tx, unread)
    return Page(rows, _count(tx, here) if read_too else waiting, waiting)


def _count(tx: Tx, where: tuple[ColumnElement[bool], ...]) -> int:
    return int(tx.execute(select(func.count()).select_from(Notification).where(*where)).scalar() or 0)


def read(tx: Tx, number: int | None) -> Notification:
    """Have read one; once more is a success. Raises `NotFound` (`notification_not_found`), for anybody else's too."""
    row = None if number is None else tx.first(select(Notification).where(*_mine(tx), Notification.id == number))
    if row is None:
        raise NotFound(
            "There is no such notification.", code="notification_not_found", hint="Look at your notifications."
        )
    if row.read_at is None:
        row.read_at = tx.now
        tx.flush()
        audit.record(tx, NotifyAction.READ, resource_type="notification", resource_id=str(row.id))
        events.append(tx, f"notifications:{tx.principal.id}", "notification-read", {"id": row.id})
        tx.publish(topic(row.user_id), row.organization_id)
    return row


def read_all(tx: Tx) -> int:
    """Have read everything. Answers how many were not read before."""
    unread = update(Notification).where(*_mine(tx), Notification.read_at.is_(None))
    changed = int(tx.execute(unread.values(read_at=tx.now)).rowcount)  # type: ignore[attr-defined]
    if changed:
        audit.record(
            tx, NotifyAction.ALL_READ, resource_type="notification", resource_id="*", detail={"count": changed}
        )
        events.append(tx, f"notifications:{tx.principal.id}", "notifications-read", {"count": changed})
        tx.publish(topic(tx.principal.id), tx.principal.acts_in)
    return changed
