"""What of notifications, deliveries and chats is kept, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, register
from quarterdeck.notify.bots.model import PlatformLink, PostedCard, Received, Thread
from quarterdeck.notify.hooks.model import Delivery
from quarterdeck.notify.model import Notification

DAY = timedelta(days=1)


def old_notifications(tx: Tx, before: datetime) -> int:
    """Remove what was told before an instant, read or not."""
    return _rows(tx, delete(Notification).where(Notification.created_at < before))


def old_deliveries(tx: Tx, before: datetime) -> int:
    """Remove what was sent before an instant; what still waits stays."""
    return _rows(tx, delete(Delivery).where(Delivery.created_at < before, Delivery.status != "pending"))


def old_messages(tx: Tx, before: datetime) -> int:
    """Forget messages that no platform would deliver once more, and tokens that are over."""
    over = or_(PlatformLink.expires_at < before, PlatformLink.used_at < before)
    return _rows(tx, delete(Received).where(Received.received_at < before)) + _rows(
        tx, delete(PlatformLink).where(over)
    )


def old_chats(tx: Tx, before: datetime) -> int:
    """Forget which messages showed what: they are edited no more."""
    cards = _rows(tx, delete(PostedCard).where(PostedCard.created_at < before))
    return cards + _rows(tx, delete(Thread).where(Thread.created_at < before))


def _rows(tx: Tx, statement: Any) -> int:
    return int(tx.execute(statement).rowcount)  # type: ignore[attr-defined]


async def _notifications(instance: Any, before: datetime) -> int:
    return int(await instance.db.write(old_notifications, before))


async def _deliveries(instance: Any, before: datetime) -> int:
    return int(await instance.db.write(old_deliveries, before))


async def _messages(instance: Any, before: datetime) -> int:
    return int(await instance.db.write(old_messages, before))


async def _chats(instance: Any, before: datetime) -> int:
    return int(await instance.db.write(old_chats, before))


register(Category("notifications", "What people were told", 90 * DAY, _notifications))
register(Category("webhook-deliveries", "What webhooks were sent", 30 * DAY, _deliveries))
register(Category("chat-messages-received", "Ids of messages that bots were delivered", 2 * DAY, _messages))
register(Category("chat-messages-sent", "Cards and messages that bots have posted", 90 * DAY, _chats))
