"""The end of values that nobody is to have any more: blanked, while their rows stay for the audit trail."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, exists, select, update

from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.wraps.keeping import Direction
from quarterdeck.broker.wraps.model import Wrap
from quarterdeck.kernel.db import Tx

BOTH: tuple[Direction, ...] = ("in", "out")


def blank(tx: Tx, request: Request, *directions: Direction) -> int:
    """Blank what a request still keeps, in these directions or in both. Answers how many that were."""
    kept = (Wrap.request_id == request.id, Wrap.direction.in_(directions or BOTH), Wrap.sealed.is_not(None))
    return _count(tx.execute(update(Wrap).where(*kept).values(sealed=None, blanked_at=tx.now)))


def withdraw(tx: Tx, request: Request) -> int:
    """Remove what the requester had given, for a request that is edited before anybody could take it."""
    return _count(
        tx.execute(
            delete(Wrap).where(Wrap.request_id == request.id, Wrap.direction == "in", Wrap.consumed_at.is_(None))
        )
    )


def any_consumed(tx: Tx, request: Request, direction: Direction) -> bool:
    """Whether a value of a request was given out."""
    taken = exists().where(Wrap.request_id == request.id, Wrap.direction == direction, Wrap.consumed_at.is_not(None))
    return bool(tx.execute(select(taken)).scalar())


def lapsed(tx: Tx, limit: int) -> int:
    """Blank values whose time is over. Answers how many that were."""
    over = select(Wrap.id).where(Wrap.consumed_at.is_(None), Wrap.expires_at <= tx.now, Wrap.sealed.is_not(None))
    found = [row[0] for row in tx.execute(over.order_by(Wrap.expires_at).limit(limit))]
    if not found:
        return 0
    still = (Wrap.id.in_(found), Wrap.consumed_at.is_(None), Wrap.expires_at <= tx.now)
    return _count(tx.execute(update(Wrap).where(*still).values(sealed=None, blanked_at=tx.now)))


def _count(result: Any) -> int:
    return int(result.rowcount)
