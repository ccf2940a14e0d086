"""How long values of a request stay, by how the request stands (contract: broker §3.6)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import update

from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.broker.wraps.model import Wrap
from quarterdeck.kernel.db import Tx


def created(tx: Tx, request: Request) -> timedelta:
    """How long a value lasts that is submitted now."""
    return timedelta(seconds=_workflow(tx, request).wrap_ttl_created_seconds)


def delivered(tx: Tx, request: Request) -> timedelta:
    """How long a value lasts that an agent delivers now."""
    return timedelta(seconds=_workflow(tx, request).wrap_ttl_approved_seconds)


def approved(tx: Tx, request: Request) -> None:
    """The request was approved, or its job waits again: what waits for the agent lasts as long as that."""
    until = tx.now + timedelta(seconds=_workflow(tx, request).wrap_ttl_approved_seconds)
    _reset(tx, request, min(until, request.expires_at) if request.expires_at is not None else until)


def claimed(tx: Tx, request: Request) -> None:
    """An agent has the job: it fetches soon, or not at all."""
    _reset(tx, request, tx.now + timedelta(seconds=_workflow(tx, request).wrap_ttl_claimed_seconds))


def _reset(tx: Tx, request: Request, until: datetime) -> None:
    """Consumed and lapsed ones stay as they are."""
    waiting = (
        Wrap.request_id == request.id,
        Wrap.direction == "in",
        Wrap.consumed_at.is_(None),
        Wrap.sealed.is_not(None),
        Wrap.expires_at > tx.now,
    )
    tx.execute(update(Wrap).where(*waiting).values(expires_at=until))


def _workflow(tx: Tx, request: Request) -> Workflow:
    found = tx.get(Workflow, request.workflow_id)
    assert found is not None  # noqa: S101 - the foreign key keeps it
    return found
