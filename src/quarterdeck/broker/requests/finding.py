"""Finding requests: who may see one, and nobody else changing it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, or_, select

from quarterdeck.access import Access
from quarterdeck.access.filters import Columns, visible
from quarterdeck.access.places import Place
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.work import holding
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.workspace.model import Project

REQUEST, APPROVE = "broker:secret.request", "broker:secret.approve"


def place(tx: Tx, request: Request) -> Place:
    """What narrowed grants are held against."""
    project = tx.get(Project, request.project_id) if request.project_id is not None else None
    return where(
        request.organization_id,
        project.uid if project is not None else None,
        request.environment_name,
        request.provider_type,
        request.secret_ref,
    )


def where(
    organization_id: int, project_uid: str | None, environment: str | None, provider_type: str, secret_ref: str
) -> Place:
    said: Mapping[str, str | None] = {
        "project_id": project_uid,
        "environment": environment,
        "provider_type": provider_type,
        "secret_ref": secret_ref,
    }
    return Place(organization_id, about={fact: value for fact, value in said.items() if value is not None})


def seen(tx: Tx, access: Access) -> ColumnElement[bool]:
    """The requests that the caller may see: their own, and those that they may decide."""
    project = select(Project.uid).where(Project.id == Request.project_id).scalar_subquery()
    columns = Columns(
        Request.organization_id,
        about={
            "project_id": project,
            "environment": Request.environment_name,
            "provider_type": Request.provider_type,
            "secret_ref": Request.secret_ref,
        },
    )
    mine = (Request.organization_id == tx.principal.acts_in) & (Request.requester_id == tx.principal.id)
    return or_(mine, visible(access, tx.principal, APPROVE, columns))


def find(tx: Tx, access: Access, uid: str) -> Request:
    """A request that the caller may see. Raises `NotFound` (`request_not_found`)."""
    found = tx.first(select(Request).where(Request.uid == uid.lower(), seen(tx, access)))
    if found is None:
        raise missing(uid)
    return found


def locked(tx: Tx, access: Access, uid: str) -> Request:
    """`find` for a command: nobody else changes it until the unit ends."""
    return held(tx, find(tx, access, uid).id)


def held(tx: Tx, request_id: int) -> Request:
    """A request by its row id, read again once nobody else can change it, its job with it: that one's lock comes first
    (`work.holding`). Raises `NotFound`.
    """
    seen = tx.get(Request, request_id)
    if seen is not None:
        holding.of_request(tx, seen)
    query = select(Request).where(Request.id == request_id).with_for_update()
    found = tx.first(query.execution_options(populate_existing=True))
    if found is None:
        raise missing(str(request_id))
    return found


def missing(uid: str) -> NotFound:
    return NotFound(
        f"There is no request {uid[:60]}.", code="request_not_found", hint="List the requests that you may see."
    )
