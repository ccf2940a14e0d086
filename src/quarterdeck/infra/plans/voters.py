"""Whose word counts: that of people who may agree to plans now, whatever they might when they said it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from quarterdeck.access import grants, snapshot
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx

APPROVE = "infra:plans.approve"


def entitled(tx: Tx, users: Collection[int], organization_id: int) -> frozenset[int]:
    """Those of these users (row ids) who are active, and may agree to plans in the whole organization. Read from what
    is granted as it stands in this unit: a snapshot that is kept may be of the moment before.
    """
    if not users:
        return frozenset()
    roles = snapshot.carried(tx)[0].get(APPROVE, frozenset())
    query = select(User.id).where(
        User.id.in_(users), User.active.is_(True), User.id.in_(grants.holding(organization_id, roles))
    )
    return frozenset(tx.execute(query).scalars())
