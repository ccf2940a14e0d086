"""Looking at what somebody did in an emergency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from quarterdeck.access import Access
from quarterdeck.broker.requests import finding, voting
from quarterdeck.broker.requests.actions import RequestAction
from quarterdeck.broker.requests.finding import APPROVE
from quarterdeck.broker.requests.happenings import audited, happened
from quarterdeck.broker.requests.model import Request
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.text import lines

REMINDED = timedelta(days=1)


def review(tx: Tx, access: Access, uid: str, comment: str) -> Request:
    """Say what one thinks of it; by somebody else than whoever did it. Raises `Forbidden` (`approval_own`), `Conflict`
    (`review_not_asked`), `Invalid` (`reason_required`).
    """
    request = finding.locked(tx, access, uid)
    if request.requester_id == tx.principal.id:
        raise voting.own()
    access.require(tx.principal, APPROVE, finding.place(tx, request))
    if not request.break_glass or request.reviewed_at is not None:
        raise Conflict(
            f"Nothing of the request {request.uid} has to be reviewed.",
            code="review_not_asked",
            hint="Only what went ahead without approval is, once.",
        )
    said = lines(comment, "comment", voting.LONGEST)
    if not said:
        raise Invalid("A review says something.", code="reason_required", hint="Say what you think.", field="comment")
    request.reviewed_by_id, request.reviewed_at, request.review_comment = tx.principal.id, tx.now, said
    request.updated_at = tx.now
    audited(tx, request, RequestAction.REVIEW, comment=said)
    happened(tx, request, "reviewed", f"{tx.principal.label} has looked at it: {said}")
    return request


def waiting(tx: Tx) -> Sequence[Request]:
    """Those that nobody has looked at for a day, of all organizations."""
    query = (
        select(Request)
        .where(Request.break_glass, Request.reviewed_at.is_(None), Request.created_at < tx.now - REMINDED)
        .order_by(Request.id)
        .limit(100)
    )
    return list(tx.scalars(query))
