"""What happens to requests: an audit event, joined to its request by the correlation, and a domain event."""

from __future__ import annotations

from quarterdeck.broker.requests.actions import RequestAction
from quarterdeck.broker.requests.model import Request
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.audit.model import Outcome
from quarterdeck.kernel.db import Tx

STREAM = "secret-request:"
CHANGED = "secret-requests"
"""The topic that says: a request has changed."""


def stream(uid: str) -> str:
    return f"{STREAM}{uid}"


def audited(tx: Tx, request: Request, action: RequestAction, *, outcome: Outcome = "success", **detail: object) -> None:
    """Nothing in `detail` may be a value. What is None is left out."""
    audit.record(
        tx,
        action,
        resource_type="request",
        resource_id=request.uid,
        organization_id=request.organization_id,
        outcome=outcome,
        detail={word: value for word, value in detail.items() if value is not None},
        correlation_id=request.uid,
    )


def happened(tx: Tx, request: Request, word: str, message: str, **data: object) -> None:
    """Append `secret-request-<word>`. What is None is left out."""
    told = {
        "message": message[:2000],
        "kind": request.kind,
        "status": request.status,
        "actor": tx.principal.label if tx.principal.kind == "user" else None,
        **data,
    }
    events.append(
        tx,
        stream(request.uid),
        f"secret-request-{word}",
        {name: value for name, value in told.items() if value is not None},
        organization_id=request.organization_id,
    )
    tx.publish(CHANGED, request.uid)
