"""Lists of requests, and what is shown of one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from quarterdeck.access import Access
from quarterdeck.broker.requests.finding import seen
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.requests.transitions import PENDING
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx

MOST = 100


def listed(
    tx: Tx,
    access: Access,
    *,
    requester_uid: str | None = None,
    status: str | None = None,
    unreviewed: bool = False,
    before: int | None = None,
    limit: int = MOST,
) -> Sequence[Request]:
    """Those that the caller may see, the newest first, at most a hundred. `before`: older than that row."""
    query = select(Request).where(seen(tx, access)).order_by(Request.id.desc()).limit(min(limit, MOST))
    if requester_uid is not None:
        query = query.where(Request.requester_id == select(User.id).where(User.uid == requester_uid).scalar_subquery())
    if status is not None:
        query = query.where(Request.status == status)
    if unreviewed:
        query = query.where(Request.break_glass, Request.reviewed_at.is_(None))
    if before is not None:
        query = query.where(Request.id < before)
    return list(tx.scalars(query))


def waiting(tx: Tx, access: Access) -> int:
    """How many the caller may see that somebody else asked for and that wait to be decided."""
    others = (Request.status == PENDING, Request.requester_id != tx.principal.id)
    return int(tx.execute(select(func.count()).select_from(Request).where(seen(tx, access), *others)).scalar() or 0)
