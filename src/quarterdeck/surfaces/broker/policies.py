"""Policies, and what they would do (contract: broker §1.8 and §5.1).

Who may write which rule depends on the rule: `broker:policy.edit` any, `broker:policy.author` some of a project.
"""

from __future__ import annotations

from msgspec import UNSET

from quarterdeck.access import Access
from quarterdeck.broker.policies import listing, policies, trying
from quarterdeck.broker.workflows import seeding
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.roles import FAMILY
from quarterdeck.surfaces.broker.wire import policies as wire
from quarterdeck.surfaces.broker.wire.tenancy import BrokerPageQuery
from quarterdeck.surfaces.shared.values import given

ONE = "/api/v1/policies/{policy_id}"
HIDDEN = {"policy_id": "try"}
UNKNOWN = ((400, "id_malformed"), (404, "policy_not_found"))
WRONG = (
    (400, "direct_reveal_in_production"), (400, "priority_reserved"), (400, "project_unknown"),
    (400, "selector_key_unknown"), (400, "selector_malformed"), (400, "validation_error"), (400, "workflow_unknown"),
    (403, "policy_beyond_author"), (403, "product_auth_forbidden"),
)  # fmt: skip


@route(
    "POST",
    "/api/v1/policies",
    permission="authenticated",
    narrowed=FAMILY,
    status=201,
    errors=((400, "id_malformed"), *WRONG, (409, "policy_limit"), (409, "project_archived")),
)
async def create(call: Call, body: wire.PolicyBody, access: Access) -> wire.Policy:
    """Make a rule."""
    wanted, project = draft(body), given(body.project_id)
    uid = shapes.uid(project, "project_id") if project else None
    return shown(await call.write(lambda tx: listing.listed(tx, policies.create(tx, access, wanted, uid))))


@route("GET", "/api/v1/policies", permission="authenticated", narrowed=FAMILY, errors=UNKNOWN)
async def index(call: Call, db: Database, query: BrokerPageQuery) -> list[wire.Policy]:
    """Rules, the highest priority first, then the oldest."""
    after = shapes.after(given(query.after))
    found = await seeding.reading(db, call.principal.acts_in, listing.page, query.limit, after)
    return [shown(one) for one in found]


@route(
    "POST",
    "/api/v1/policies/try",
    permission="authenticated",
    narrowed=FAMILY,
    errors=(
        (400, "environment_unknown"), (400, "id_malformed"), (400, "project_unknown"), (400, "validation_error"),
    ),
)  # fmt: skip
async def would_happen(call: Call, body: wire.PolicyQuestion, db: Database) -> wire.PolicyAnswer:
    """Which workflow a request would take, and why. Nothing is made."""
    project, environment = given(body.project_id), given(body.environment)
    uid = shapes.uid(project, "project_id") if project else None
    asked = trying.Question(uid, environment or None, body.provider_type, body.secret_ref, body.operation)
    return answered(await seeding.reading(db, call.principal.acts_in, trying.answer, asked))


@route("GET", ONE, permission="authenticated", narrowed=FAMILY, shadowed=HIDDEN, errors=UNKNOWN)
async def show(call: Call, policy_id: str) -> wire.Policy:
    """One rule."""
    uid = shapes.uid(policy_id, "policy id")
    return shown(await call.read(lambda tx: listing.listed(tx, policies.find(tx, uid))))


@route(
    "PUT",
    ONE,
    permission="authenticated",
    narrowed=FAMILY,
    shadowed=HIDDEN,
    status=204,
    errors=(*UNKNOWN, *WRONG),
)
async def change(call: Call, policy_id: str, body: wire.PolicyBody, access: Access) -> None:
    """Replace a rule. Whose it is stays."""
    uid, wanted, project = shapes.uid(policy_id, "policy id"), draft(body), given(body.project_id)
    await call.write(policies.change, access, uid, wanted, shapes.uid(project, "project_id") if project else None)


@route(
    "DELETE",
    ONE,
    permission="authenticated",
    narrowed=FAMILY,
    shadowed=HIDDEN,
    status=204,
    errors=(*UNKNOWN, (403, "policy_beyond_author"), (403, "product_auth_forbidden"), (409, "policy_is_built_in")),
)
async def delete(call: Call, policy_id: str, access: Access) -> None:
    """Delete a rule."""
    await call.write(policies.delete, access, shapes.uid(policy_id, "policy id"))


def draft(body: wire.PolicyBody) -> policies.Draft:
    name, workflow = given(body.name), given(body.workflow_id)
    if not name or not name.strip() or not workflow:
        field = "workflow_id" if name and name.strip() else "name"
        raise Invalid("name and workflow_id are required", hint="Send both.", field=field)
    return policies.Draft(
        name=name,
        selector=given(body.selector) or {},
        workflow_uid=shapes.uid(workflow, "workflow_id"),
        priority=given(body.priority) or 0,
        enabled=bool(given(body.enabled)),
        direct_reveal=bool(given(body.direct_reveal_allowed)),
    )


def shown(one: listing.Listed) -> wire.Policy:
    policy = one.policy
    return wire.Policy(
        id=policy.uid,
        name=policy.name,
        selector=dict(policy.selector),
        workflow_id=one.workflow_uid,
        priority=policy.priority,
        enabled=policy.enabled,
        is_system=True if policy.is_system else UNSET,
        direct_reveal_allowed=True if policy.direct_reveal else UNSET,
        project_id=one.project_uid or UNSET,
        created_at=shapes.at(policy.created_at),
        updated_at=shapes.at(policy.updated_at),
    )


def answered(trial: trying.Trial) -> wire.PolicyAnswer:
    taken = trial.taken
    return wire.PolicyAnswer(
        workflow_id=trial.workflow_uid,
        workflow_name=trial.workflow_name,
        policy_id=taken.uid if taken else UNSET,
        policy_name=taken.name if taken else UNSET,
        production=trial.production,
        direct_reveal_allowed=trial.direct_reveal,
        direct_reveal_refused=trial.direct_reveal_refused,
        explanation=trial.explanation["sentence"],
        rules=[
            wire.LookedAt(
                policy_id=one.rule.uid,
                policy_name=one.rule.name,
                priority=one.rule.priority,
                scope="platform" if one.rule.project_id is None else "project",
                selector=dict(one.rule.selector),
                workflow_id=one.rule.workflow_uid,
                outcome=one.outcome,
                reason=one.reason,
            )
            for one in trial.looked
        ],
    )
