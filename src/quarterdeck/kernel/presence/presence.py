"""Coming, being seen and going."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.presence.model import Presence

CHANGED = "presence"
"""The topic that says: a server has come or gone."""
SEEN_SECONDS = 10.0
"""How often a server says that it is there."""
AWAY = timedelta(seconds=35)
"""Who was not seen for so long is away."""
FORGOTTEN = timedelta(days=7)
NAME = 200


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A server as others see it; see `model.Presence`."""

    uid: str
    name: str
    address: str | None
    version: str
    working: bool
    started_at: datetime


def arrive(tx: Tx, me: Neighbour) -> None:
    """A server begins to serve, or to work, or works no more. Whoever works is the only one that does: the lock of
    the database says so.
    """
    tx.execute(delete(Presence).where((Presence.uid == me.uid) | (Presence.seen_at < tx.now - FORGOTTEN)))
    if me.working:
        tx.execute(update(Presence).values(working=False))
    tx.add(
        Presence(
            uid=me.uid, name=me.name[:NAME], address=me.address, version=me.version, working=me.working,
            started_at=me.started_at, seen_at=tx.now,
        )
    )  # fmt: skip
    tx.publish(CHANGED)


def seen(tx: Tx, me: Neighbour) -> None:
    """It is still there; a row that somebody has taken away meanwhile is made anew."""
    found = tx.first(select(Presence).where(Presence.uid == me.uid))
    if found is None or found.working != me.working or found.address != me.address:
        arrive(tx, me)
    else:
        found.seen_at = tx.now


def leave(tx: Tx, uid: str) -> None:
    """It has ended as it should."""
    tx.execute(delete(Presence).where(Presence.uid == uid))
    tx.publish(CHANGED)


def there(tx: Tx) -> list[Neighbour]:
    """The servers that are there, the one that works first."""
    rows = tx.scalars(
        select(Presence)
        .where(Presence.seen_at >= tx.now - AWAY)
        .order_by(Presence.working.desc(), Presence.started_at, Presence.id)
    )
    return [Neighbour(one.uid, one.name, one.address, one.version, one.working, one.started_at) for one in rows]
