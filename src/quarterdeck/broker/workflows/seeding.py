"""The workflow and the policy that every organization begins with (contract: broker §5.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import select

from quarterdeck.access.model import Role
from quarterdeck.broker.policies.model import Policy
from quarterdeck.broker.workflows import versions
from quarterdeck.broker.workflows.model import RuleSet, Workflow
from quarterdeck.kernel.db import Database, Tx

T = TypeVar("T")

STANDARD, MATCH_ALL = "standard", "match-all (system default)"
APPROVER = "broker:approver"
MINUTE, HOUR, DAY = 60, 3600, 24 * 3600


def lay(tx: Tx, organization_id: int) -> None:
    """Lay both down, once. They are part of the installation, as built-in roles are, and nobody's act."""
    if versions.current(tx, organization_id) is not None:
        return
    versions.alone(tx, organization_id)
    if versions.current(tx, organization_id) is not None:
        return
    approver = tx.execute(select(Role.uid).where(Role.key == APPROVER)).scalar()
    workflow = tx.add(
        Workflow(
            uid=tx.ids.uid(),
            organization_id=organization_id,
            name=STANDARD,
            description=None,
            min_approvers=1,
            approver_role_uid=approver,
            steps=[],
            wrap_ttl_created_seconds=7 * DAY,
            wrap_ttl_approved_seconds=HOUR,
            wrap_ttl_claimed_seconds=5 * MINUTE,
            request_ttl_seconds=14 * DAY,
            grant_seconds=0,
            require_justification=True,
            allow_self_approval=False,
            break_glass=False,
            notification_channels=[],
            is_default=True,
            is_system=True,
            enabled=True,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    tx.add(
        Policy(
            uid=tx.ids.uid(),
            organization_id=organization_id,
            name=MATCH_ALL,
            selector={},
            workflow_id=workflow.id,
            project_id=None,
            priority=0,
            direct_reveal=False,
            enabled=True,
            is_system=True,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    tx.add(RuleSet(uid=tx.ids.uid(), organization_id=organization_id, version=tx.ids.uid(), created_at=tx.now))


async def reading(db: Database, organization_id: int, verb: Callable[..., T], *args: Any) -> T:
    """`db.read` of a verb about workflows or policies, which are laid down first where an organization has none yet."""

    def unit(tx: Tx) -> tuple[bool, T | None]:
        laid = versions.current(tx, organization_id) is not None
        return laid, verb(tx, *args) if laid else None

    laid, found = await db.read(unit)
    if laid:
        return found  # type: ignore[return-value]
    await db.write(lay, organization_id)
    return await db.read(verb, *args)
