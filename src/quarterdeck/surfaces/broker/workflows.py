"""Workflows (contract: broker §1.8 and §5.2)."""

from __future__ import annotations

from msgspec import UNSET

from quarterdeck.broker.workflows import seeding, workflows
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.roles import FAMILY
from quarterdeck.surfaces.broker.wire import workflows as wire
from quarterdeck.surfaces.broker.wire.tenancy import BrokerPageQuery
from quarterdeck.surfaces.shared.values import given

EDIT = "broker:workflow.edit"
ONE = "/api/v1/workflows/{workflow_id}"
UNKNOWN = ((400, "id_malformed"), (404, "workflow_not_found"))
WRONG = ((400, "role_unknown"), (400, "validation_error"))


@route(
    "POST",
    "/api/v1/workflows",
    permission=EDIT,
    status=201,
    errors=(
        (400, "id_malformed"), *WRONG, (409, "workflow_default_taken"), (409, "workflow_limit"),
        (409, "workflow_name_taken"),
    ),
)  # fmt: skip
async def create(call: Call, body: wire.WorkflowBody) -> wire.Workflow:
    """Make a workflow."""
    name = given(body.name)
    if not name or not name.strip():
        raise Invalid("name is required", hint="Send a name.", field="name")
    made = await call.write(workflows.create, name, draft(body), is_default=bool(given(body.is_default)))
    return shown(made)


@route("GET", "/api/v1/workflows", permission="authenticated", narrowed=FAMILY, errors=UNKNOWN)
async def index(call: Call, db: Database, query: BrokerPageQuery) -> list[wire.Workflow]:
    """Workflows by name."""
    after = shapes.after(given(query.after))
    found = await seeding.reading(db, call.principal.acts_in, workflows.page, query.limit, after)
    return [shown(one) for one in found]


@route("GET", ONE, permission="authenticated", narrowed=FAMILY, errors=UNKNOWN)
async def show(call: Call, workflow_id: str) -> wire.Workflow:
    """One workflow."""
    return shown(await call.read(workflows.find, shapes.uid(workflow_id, "workflow id")))


@route("PUT", ONE, permission=EDIT, status=204, errors=(*UNKNOWN, *WRONG, (409, "workflow_is_default")))
async def change(call: Call, workflow_id: str, body: wire.WorkflowBody) -> None:
    """Replace what a workflow asks for. Its name stays."""
    await call.write(workflows.change, shapes.uid(workflow_id, "workflow id"), draft(body))


@route(
    "DELETE",
    ONE,
    permission=EDIT,
    status=204,
    errors=(*UNKNOWN, (409, "workflow_in_use"), (409, "workflow_is_built_in")),
)
async def delete(call: Call, workflow_id: str) -> None:
    """Delete a workflow that no policy and no request uses."""
    await call.write(workflows.delete, shapes.uid(workflow_id, "workflow id"))


def draft(body: wire.WorkflowBody) -> workflows.Draft:
    role, steps = given(body.approver_role_id), given(body.steps)
    return workflows.Draft(
        description=given(body.description),
        min_approvers=given(body.min_approvers) or 0,
        approver_role_uid=shapes.uid(role, "approver_role_id") if role else None,
        wrap_ttl_created_seconds=given(body.wrap_ttl_created_seconds) or 0,
        wrap_ttl_approved_seconds=given(body.wrap_ttl_approved_seconds) or 0,
        wrap_ttl_claimed_seconds=given(body.wrap_ttl_claimed_seconds) or 0,
        request_ttl_seconds=given(body.request_ttl_seconds) or 0,
        require_justification=bool(given(body.require_justification)),
        allow_self_approval=bool(given(body.allow_self_approval)),
        notification_channels=given(body.notification_channels) or (),
        enabled=bool(given(body.enabled)),
        steps=None if steps is None else [step(one, index) for index, one in enumerate(steps)],
        grant_seconds=given(body.grant_seconds),
        break_glass=given(body.break_glass),
    )


def step(one: wire.WorkflowStep, index: int) -> dict[str, str | int | None]:
    role = given(one.role_id)
    uid = shapes.uid(role, f"steps[{index}].role_id") if role else None
    return {"name": one.name, "approvers": one.approvers, "role": uid}


def shown(one: Workflow) -> wire.Workflow:
    return wire.Workflow(
        id=one.uid,
        name=one.name,
        description=one.description or UNSET,
        min_approvers=one.min_approvers,
        approver_role_id=one.approver_role_uid or UNSET,
        wrap_ttl_created_seconds=one.wrap_ttl_created_seconds,
        wrap_ttl_approved_seconds=one.wrap_ttl_approved_seconds,
        wrap_ttl_claimed_seconds=one.wrap_ttl_claimed_seconds,
        request_ttl_seconds=one.request_ttl_seconds,
        require_justification=one.require_justification,
        allow_self_approval=one.allow_self_approval,
        notification_channels=list(one.notification_channels),
        is_default=True if one.is_default else UNSET,
        enabled=one.enabled,
        is_system=True if one.is_system else UNSET,
        steps=[
            wire.WorkflowStep(name=step["name"], approvers=step["approvers"], role_id=step["role"] or UNSET)
            for step in one.steps
        ],
        grant_seconds=one.grant_seconds,
        break_glass=one.break_glass,
        created_at=shapes.at(one.created_at),
        updated_at=shapes.at(one.updated_at),
    )
