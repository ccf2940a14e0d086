"""Which state the workflows and policies of an organization are in, and who may rely on it."""

from __future__ import annotations

from sqlalchemy import select, update

from quarterdeck.broker.workflows.model import RuleSet
from quarterdeck.kernel.db import Tx


def current(tx: Tx, organization_id: int) -> str | None:
    """The state as this unit sees it; None where nothing was laid down yet."""
    found = select(RuleSet.version).where(RuleSet.organization_id == organization_id)
    return tx.execute(found).scalar()


def renew(tx: Tx, organization_id: int) -> None:
    """Workflows or policies change in this unit. The state is drawn, not counted: that of a unit which is undone never
    comes again.
    """
    mine = update(RuleSet).where(RuleSet.organization_id == organization_id)
    tx.execute(mine.values(version=tx.ids.uid()))


def alone(tx: Tx, organization_id: int) -> None:
    """Nobody else changes workflows and policies, or sends a request by them, until the unit ends. Taken after the lock
    of a project, and before what is about a request.
    """
    tx.lock(_key(organization_id))


def relied_on(tx: Tx, organization_id: int) -> None:
    """Workflows and policies stay as they are until the unit ends."""
    tx.lock(_key(organization_id), shared=True)


def _key(organization_id: int) -> str:
    return f"broker-rules:{organization_id}"
