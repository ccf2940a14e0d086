"""Requests end by themselves: when their time is over, whether or not anybody looks."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from quarterdeck.broker.requests import ending, finding
from quarterdeck.broker.requests.actions import RequestAction
from quarterdeck.broker.requests.happenings import audited
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.requests.transitions import EXPIRED, LIVE, PENDING
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict

FEW = 100


def over(tx: Tx, request: Request) -> bool:
    return request.status in LIVE and request.expires_at is not None and request.expires_at <= tx.now


def require_time(tx: Tx, request: Request) -> None:
    """Raises `Conflict` (`request_expired`) for one whose time is over, though nobody has noticed yet."""
    if over(tx, request):
        raise Conflict(
            f"The time of the request {request.uid} is over.", code="request_expired", hint="Ask for it again."
        )


def due(tx: Tx) -> Sequence[int]:
    """Row ids of those whose time is over, the longest first."""
    query = (
        select(Request.id)
        .where(Request.ended_at.is_(None), Request.expires_at <= tx.now)
        .order_by(Request.expires_at, Request.id)
        .limit(FEW)
    )
    return list(tx.execute(query).scalars())


def expire(tx: Tx, request_id: int) -> bool:
    """End one whose time is over; False where it ended otherwise, has more time now, or is being carried out: that
    ends by itself soon, and then its outcome is known.
    """
    request = finding.held(tx, request_id)
    if not over(tx, request) or ending.in_progress(tx, request):
        return False
    waited = request.status == PENDING
    said = "Nobody decided it in time." if waited else "Nothing carried it out in time."
    audited(tx, request, RequestAction.EXPIRE, status=request.status)
    ending.end(tx, request, EXPIRED, said)
    return True
