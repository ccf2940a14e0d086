"""Requests as this surface tells them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from quarterdeck.access import Access
from quarterdeck.broker.requests import judging
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.requests.naming import people, uids
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel.db import Tx
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.wire import requests as wire
from quarterdeck.workspace.model import Project


def shown(tx: Tx, requests: Sequence[Request]) -> list[wire.Request]:
    """Many at the cost of a few statements."""
    who = people(tx, {one.requester_id for one in requests})
    projects = uids(tx, Project, {one.project_id for one in requests if one.project_id is not None})
    workflows = uids(tx, Workflow, {one.workflow_id for one in requests})
    carried = uids(tx, BrokerJob, {one.job_id for one in requests if one.job_id is not None})
    told = []
    for one in requests:
        uid, name = who.get(one.requester_id, (str(one.requester_id), ""))
        project = projects.get(one.project_id) if one.project_id is not None else None
        scope = wire.Scope(project_id=project or UNSET, environment=one.environment_name or UNSET)
        told.append(
            wire.Request(
                id=one.uid,
                requester_id=uid,
                requester_display=name or UNSET,
                type=one.kind,  # type: ignore[arg-type]  # one of the kinds
                justification=one.justification,
                status=one.status,  # type: ignore[arg-type]  # one of the statuses
                workflow_id=workflows.get(one.workflow_id, UNSET),
                target_provider_type=one.provider_type,
                target_provider_config=one.provider_config or UNSET,
                target_secret_ref=one.secret_ref,
                target_keys=list(one.keys) or UNSET,
                target_scope=scope if project or one.environment_name else UNSET,
                job_id=carried.get(one.job_id, UNSET) if one.job_id is not None else UNSET,
                reject_reason=one.reject_reason or UNSET,
                on_behalf=one.on_behalf or UNSET,
                revision=one.revision,
                expires_at=shapes.at(one.expires_at) if one.expires_at is not None else UNSET,
                granted_until=shapes.at(one.granted_until) if one.granted_until is not None else UNSET,
                recipient_key=one.recipient_key or UNSET,
                emergency=True if one.break_glass else UNSET,
                reviewed_at=shapes.at(one.reviewed_at) if one.reviewed_at is not None else UNSET,
                review_comment=one.review_comment or UNSET,
                error_code=one.error_code or UNSET,
                error_message=one.error_message or UNSET,
                created_at=shapes.at(one.created_at),
                updated_at=shapes.at(one.updated_at),
            )
        )
    return told


def whole(tx: Tx, access: Access, request: Request) -> wire.Request:
    """One, with what was said of it and how far its approval has come."""
    told = shown(tx, [request])[0]
    workflow = tx.get(Workflow, request.workflow_id)
    assert workflow is not None  # noqa: S101 - a foreign key holds it
    said = judging.votes(tx, request)
    who = people(tx, {one.approver_id for one in said})
    if said:
        told.approvals = [
            wire.Approval(
                id=one.uid,
                approver_id=who.get(one.approver_id, (str(one.approver_id), ""))[0],
                approver_display=who.get(one.approver_id, ("", ""))[1] or UNSET,
                decision=one.decision,  # type: ignore[arg-type]  # one of both
                comment=one.comment or UNSET,
                created_at=shapes.at(one.created_at),
                step=one.step,
                counts=one.revision == request.revision,
            )
            for one in said
        ]
    told.steps = [
        wire.Step(name=one.step.name, required=max(1, one.step.approvers), given=len(one.given), done=one.done)
        for one in judging.progress(tx, access, request, workflow).stands
    ]
    told.explanation = request.explanation or UNSET
    return told
