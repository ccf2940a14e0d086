"""The states of a request and the only way between them (contract: broker §4.1). A terminal one stays."""

from __future__ import annotations

from datetime import datetime

from quarterdeck.broker.requests.happenings import happened
from quarterdeck.broker.requests.model import Request
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.storable import storable

PENDING, APPROVED = "pending", "approved"
EXECUTED, FAILED, REJECTED, CANCELLED, EXPIRED = "executed", "failed", "rejected", "cancelled", "expired"
LIVE = (PENDING, APPROVED)
ENDED = (EXECUTED, FAILED, REJECTED, CANCELLED, EXPIRED)
STATUSES = (*LIVE, *ENDED)
READ, PATCH, UPDATE, ROTATE = "read", "patch", "update", "rotate"
KINDS = (READ, PATCH, UPDATE, ROTATE)
LONGEST = 4000
"""Characters of an error message."""

MOVES: dict[str, frozenset[str]] = {
    PENDING: frozenset({APPROVED, REJECTED, CANCELLED, EXPIRED}),
    APPROVED: frozenset({EXECUTED, FAILED, CANCELLED, EXPIRED}),
    **{status: frozenset() for status in ENDED},
}


def move(
    tx: Tx,
    request: Request,
    status: str,
    message: str,
    *,
    expires_at: datetime | None = None,
    code: str | None = None,
) -> None:
    """Assign a new status with its event; `expires_at`: when it ends by itself from now on. Raises `Conflict`
    (`request_not_pending` where nobody can decide it any more, else `request_state`).
    """
    before = request.status
    if status not in MOVES[before]:
        raise wrong(request)
    request.status = status
    request.updated_at = tx.now
    request.expires_at = expires_at
    if status == APPROVED:
        request.approved_at = tx.now
    elif status in ENDED:
        request.ended_at = tx.now
        if status == FAILED:
            request.error_code, request.error_message = code, str(storable(message[:LONGEST]))
    tx.flush()
    happened(tx, request, status, message, **{"from": before}, code=code)


def wrong(request: Request) -> Conflict:
    """What is told whoever wants to decide what is decided."""
    return Conflict(
        f"The request {request.uid} is {request.status}.",
        code="request_not_pending",
        hint="Read it again; it may have changed meanwhile.",
    )
