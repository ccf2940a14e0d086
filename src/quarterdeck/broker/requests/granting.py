"""A read that was approved lets the same person read the same again for a while, without asking anybody."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.broker.requests import proceeding
from quarterdeck.broker.requests.actions import RequestAction
from quarterdeck.broker.requests.happenings import audited
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.requests.transitions import EXECUTED, READ
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel.db import Tx

LOOKED_AT = 50


def use(tx: Tx, request: Request, workflow: Workflow) -> bool:
    """Set a request off by a grant that covers it, if there is one and its workflow still gives any."""
    grant = covering(tx, request) if workflow.grant_seconds else None
    if grant is None:
        return False
    request.granted_by_id = grant.id
    audited(tx, request, RequestAction.GRANT, stands_on=grant.uid)
    proceeding.approved(tx, request, workflow, f"The request {grant.uid} was approved for a while; this is covered.")
    return True


def covering(tx: Tx, request: Request) -> Request | None:
    """An approved read of the same person, work, place, and of all the same keys, whose grant lasts."""
    query = (
        select(Request)
        .where(
            Request.organization_id == request.organization_id,
            Request.requester_id == request.requester_id,
            Request.kind == READ,
            Request.status == EXECUTED,
            Request.granted_until > tx.now,
            Request.provider_type == request.provider_type,
            Request.secret_ref == request.secret_ref,
            Request.workflow_id == request.workflow_id,
            Request.id != request.id,
        )
        .order_by(Request.id.desc())
        .limit(LOOKED_AT)
    )
    for grant in tx.scalars(query):
        same = (
            grant.connection_id == request.connection_id,
            grant.project_id == request.project_id,
            grant.environment_id == request.environment_id,
            grant.on_behalf == request.on_behalf,
            not grant.break_glass,
            not grant.keys or (bool(request.keys) and {*request.keys} <= {*grant.keys}),
        )
        if all(same):
            return grant
    return None
