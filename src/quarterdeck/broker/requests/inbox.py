"""What requests want of somebody: a decision, a look at an emergency, a value to be fetched."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from quarterdeck.access import Access
from quarterdeck.broker.requests import judging
from quarterdeck.broker.requests.finding import seen
from quarterdeck.broker.requests.model import Request, Vote
from quarterdeck.broker.requests.transitions import PENDING
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.broker.workflows.steps import steps
from quarterdeck.broker.wraps.model import Wrap
from quarterdeck.broker.wraps.taking import RETRIEVABLE
from quarterdeck.kernel.db import Tx

MOST = 100


def to_decide(tx: Tx, access: Access, most: int = MOST) -> list[Request]:
    """Those that the caller may decide in the step that is asked now, and has said nothing of; the newest first."""
    said = select(Vote.id).where(
        Vote.request_id == Request.id, Vote.revision == Request.revision, Vote.approver_id == tx.principal.id
    )
    query = (
        select(Request)
        .where(seen(tx, access), Request.status == PENDING, Request.expires_at > tx.now, ~said.exists())
        .order_by(Request.id.desc())
        .limit(min(most, MOST))
    )
    return [one for one in tx.scalars(query) if decides(tx, access, one)]


def decides(tx: Tx, access: Access, request: Request) -> bool:
    """Whether the step that is asked now is the caller's to decide."""
    workflow = tx.get(Workflow, request.workflow_id)
    if workflow is None or tx.principal.kind != "user":
        return False
    asked = steps(workflow)
    current = judging.progress(tx, access, request, workflow).current if len(asked) > 1 else 0
    return judging.may(tx, access, tx.principal.id, request, asked[current], workflow)


def to_review(tx: Tx, access: Access, most: int = MOST) -> Sequence[Request]:
    """What others did in an emergency, nobody has looked at, and the caller may look at; the longest waiting first."""
    query = (
        select(Request)
        .where(
            seen(tx, access),
            Request.requester_id != tx.principal.id,
            Request.break_glass,
            Request.reviewed_at.is_(None),
        )
        .order_by(Request.id)
        .limit(min(most, MOST))
    )
    return list(tx.scalars(query))


def to_fetch(tx: Tx, most: int = MOST) -> list[tuple[Request, int]]:
    """The caller's own reads whose values wait to be fetched, and how many of them do."""
    waits = (Wrap.direction == "out", Wrap.consumed_at.is_(None), Wrap.sealed.is_not(None), Wrap.expires_at > tx.now)
    query = (
        select(Request, func.count())
        .join(Wrap, Wrap.request_id == Request.id)
        .where(
            Request.organization_id == tx.principal.acts_in,
            Request.requester_id == tx.principal.id,
            Request.status.in_(RETRIEVABLE),
            *waits,
        )
        .group_by(Request.id)
        .order_by(Request.id.desc())
        .limit(min(most, MOST))
    )
    return [(row[0], int(row[1])) for row in tx.session.execute(query)]
