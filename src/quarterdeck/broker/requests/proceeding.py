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
from quarterdeck.workspace.model import Project


def approved(tx: Tx, request: Request, workflow: Workflow, message: str) -> None:
    """Set an approved request off. It lasts as long as its workflow says, and so do its values."""
    life = timedelta(seconds=workflow.wrap_ttl_approved_seconds)
    move(tx, request, APPROVED, message, expires_at=tx.now + life)
    if request.kind == READ and workflow.grant_seconds and request.granted_by_id is None:
        request.granted_until = tx.now + timedelta(seconds=workflow.grant_seconds)
    refreshing.refresh(tx, request, life)
    connection = tx.get(Connection, request.connection_id) if request.connection_id is not None else None
    job = creating.create(
        tx,
        Asked(
            job_type=request.kind,
            organization_id=request.organization_id,
            request=request,
            connection=connection,
            agent_scope=scope(tx, request, connection),
            correlation_uid=request.uid,
        ),
    )
    request.job_id = job.id
    tx.flush()


def scope(tx: Tx, request: Request, connection: Connection | None) -> dict[str, str]:
    """Which agents may take its job: those whose scope covers what it is about, and that reach the connection."""
    project = tx.get(Project, request.project_id) if request.project_id is not None else None
    about = {
        "project_id": project.uid if project is not None else None,
        "environment": request.environment_name,
        "provider_type": request.provider_type,
    }
    reached = connection.agent_scope if connection is not None else {}
    return {**{word: value for word, value in about.items() if value}, **reached}
