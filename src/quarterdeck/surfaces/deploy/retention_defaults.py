"""How long things of a category stay: defaults of an organization and of the system."""

from __future__ import annotations

from typing import Any, get_args

from quarterdeck.identity.machine import Machine
from quarterdeck.identity.model import Organization
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, Invalid, NotFound
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.retention import defaults
from quarterdeck.kernel.retention.categories import categories
from quarterdeck.kernel.retention.defaults import SYSTEM, Wish
from quarterdeck.kernel.retention.model import RetentionDefault
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import present
from quarterdeck.surfaces.deploy.wire import retention_defaults as wire
from quarterdeck.surfaces.shared.values import given
from quarterdeck.workspace.projects import organization_of

ERRORS = ((400, "validation_error"), (404, "not_found"))


def item(row: RetentionDefault, organization: str) -> dict[str, Any]:
    kind = row.updated_by_kind if row.updated_by_kind in {"deploy-token", "user"} else "system"
    return present(
        schemaVersion="retention-defaults.policy/v1",
        id=row.ref,
        scope=row.scope,
        organizationId=None if row.owner == SYSTEM else organization,
        category=row.category,
        retentionDays=row.retention_days,
        dryRunSchedulingEnabled=row.dry_run,
        destructiveSchedulingEnabled=row.destructive,
        enabled=row.enabled,
        updatedAt=wire_time(row.updated_at),
        updatedByActorId=row.updated_by.replace("-", ""),
        updatedByActorKind=kind,
    )


def here(tx: Tx, named: str | None) -> Organization:
    """The caller's organization; `NotFound` when another one is named."""
    row = tx.get(Organization, organization_of(tx))
    assert row is not None  # noqa: S101 - who is signed in belongs to one
    if named is not None and named != row.ref:
        raise NotFound(
            f"There is no organization {named[:60]}, or you act in another.", hint="Switch to it, or leave it out."
        )
    return row


def for_all(tx: Tx, organization: Organization) -> int:
    """What holds for the whole installation is said in its first organization."""
    if not Machine.belongs_to(tx, organization.id):
        raise Forbidden(
            "Defaults of the system hold for every organization; only administrators of the first one set them.",
            code="operation_authorization_denied",
            hint="Set one with scope = organization.",
        )
    return SYSTEM


def own_choice() -> list[dict[str, Any]]:
    """How long the program keeps what nobody has said anything about, beside the contract; None is for ever."""
    governed = {one.governed: one.keep for one in categories() if one.governed is not None}
    return [
        {"category": name, "retentionDays": kept.days if (kept := governed.get(name)) is not None else None}
        for name in get_args(wire.Category)
    ]


@operation("retention-defaults.list", further=ERRORS)
async def newest(call: Call, query: wire.RetentionDefaultsListQuery) -> dict[str, Any]:
    def verb(tx: Tx) -> list[dict[str, Any]]:
        mine = here(tx, given(query.organization_id))
        owners = {"organization": [mine.id], "system": [SYSTEM], None: [mine.id, SYSTEM]}[given(query.scope)]
        found = defaults.listed(
            tx, owners, category=given(query.category), enabled_only=given(query.enabled_only) is True
        )
        return [item(row, mine.ref) for row in found]

    items = await call.read(verb)
    return {"schemaVersion": "retention-defaults.list/v1", "items": items, "ownChoice": own_choice()}


@operation("retention-defaults.configure", further=(*ERRORS, (403, "operation_authorization_denied")))
async def configure(call: Call, body: wire.RetentionDefaultsConfigureBody) -> dict[str, Any]:
    def verb(tx: Tx) -> str:
        mine = here(tx, given(body.organization_id))
        wish = Wish(
            category=body.category,
            owner=for_all(tx, mine) if body.scope == "system" else mine.id,
            retention_days=body.retention_days,
            dry_run=body.dry_run_scheduling_enabled,
            destructive=body.destructive_scheduling_enabled,
            enabled=body.enabled,
        )
        return defaults.configure(tx, given(body.policy_id), wish, organization_id=mine.id).ref

    return {"id": await call.write(verb)}


@operation("retention-defaults.show", further=ERRORS)
async def show(call: Call, category: str, query: wire.RetentionDefaultsShowQuery) -> dict[str, Any]:
    known = get_args(wire.Category)
    if category not in known:
        raise Invalid(f"{category[:60]!r} is no category.", hint=f"Give one of: {', '.join(known)}.", field="category")

    def verb(tx: Tx) -> dict[str, Any] | None:
        mine = here(tx, given(query.organization_id))
        found = defaults.find(tx, category, SYSTEM if query.scope == "system" else mine.id)
        return None if found is None else item(found, mine.ref)

    return {"schemaVersion": "retention-defaults.show/v1", "policy": await call.read(verb)}
