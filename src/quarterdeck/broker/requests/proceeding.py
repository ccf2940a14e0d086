"""What follows on approval: the time that is left, and the one job of the request."""

from __future__ import annotations

from datetime import timedelta

from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.requests.transitions import APPROVED, READ, move
from quarterdeck.broker.work import creating
from quarterdeck.broker.work.creating import Asked
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.broker.wraps import refreshing
from quarterdeck.kernel.db import Tx


def approved(tx: Tx, request: Request, workflow: Workflow, message: str) -> None:
    """Set an approved request off. It lasts as long as its workflow says, and so do its values."""
    life = timedelta(seconds=workflow.wrap_ttl_approved_seconds)
    move(tx, request, APPROVED, message, expires_at=tx.now + life)
    if request.kind == READ and workflow.grant_seconds and request.granted_by_id is None:
        request.granted_until = tx.now + timedelta(seconds=workflow.grant_seconds)
    refreshing.approved(tx, request)
    connection = tx.get(Connection, request.connection_id) if request.connection_id is not None else None
    creating.create(tx, Asked(request.kind, request.organization_id, request=request, connection=connection))
