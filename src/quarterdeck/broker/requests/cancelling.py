"""Taking a request back."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.broker.requests import ending, finding
from quarterdeck.broker.requests.actions import RequestAction
from quarterdeck.broker.requests.happenings import audited
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.requests.transitions import CANCELLED, LIVE, wrong
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden


def cancel(tx: Tx, access: Access, uid: str) -> Request:
    """Only whoever asked takes it back, also after it was approved, as long as nobody has begun to carry it out.
    Raises `NotFound`, `Forbidden` (`cancel_not_yours`), `Conflict` (`request_not_pending`, `request_in_progress`).
    """
    request = finding.locked(tx, access, uid)
    if tx.principal.kind != "user" or request.requester_id != tx.principal.id:
        raise Forbidden(
            "Only whoever asked for it takes it back.",
            code="cancel_not_yours",
            hint="Refuse it, if you may decide it.",
        )
    if request.status not in LIVE:
        raise wrong(request)
    if ending.in_progress(tx, request):
        raise Conflict(
            f"The request {request.uid} is being carried out.",
            code="request_in_progress",
            hint="Wait for its end, which comes within half a minute.",
        )
    audited(tx, request, RequestAction.CANCEL, status=request.status)
    ending.end(tx, request, CANCELLED, f"{tx.principal.label} has taken it back.")
    return request
