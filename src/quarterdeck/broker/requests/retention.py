"""How long ended requests stay."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from quarterdeck.broker.requests.happenings import STREAM, stream
from quarterdeck.broker.requests.model import Request
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, register, spare

REQUESTS = timedelta(days=365)
CHUNK = 200


def over(tx: Tx, before: datetime, after: int) -> list[tuple[int, str]]:
    """Rows and uids of those that ended before an instant, in order. An emergency stays until somebody looked at it."""
    query = (
        select(Request.id, Request.uid)
        .where(
            Request.ended_at < before,
            Request.id > after,
            Request.break_glass.is_(False) | Request.reviewed_at.is_not(None),
        )
        .order_by(Request.id)
        .limit(CHUNK)
    )
    return [(row.id, row.uid) for row in tx.execute(query)]


def forget(tx: Tx, request_id: int, uid: str) -> bool:
    """Remove an ended request with what was said of it, its values, which are blank by then, and its events."""
    gone = tx.execute(delete(Request).where(Request.id == request_id, Request.ended_at.is_not(None)))
    events.erase(tx, stream(uid))
    return bool(gone.rowcount)  # type: ignore[attr-defined]  # a DELETE has one


async def _forget(instance: Any, before: datetime) -> int:
    count = after = 0
    while found := await instance.db.read(over, before, after):
        after = found[-1][0]
        for request_id, uid in found:
            count += await instance.db.write(forget, request_id, uid)
    return count


spare(STREAM)
register(Category("secret-requests", "Requests for secrets that have ended", REQUESTS, _forget))
