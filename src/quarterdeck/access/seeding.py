"""Rows for what the catalogue knows: a number for each permission, a row for each built-in role."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.access.catalogue import CATALOGUE, ROLES
from quarterdeck.access.model import KnownPermission, Role
from quarterdeck.kernel.db import Tx


def seed(tx: Tx) -> None:
    """Add what is missing. Run at every start; what is gone from it keeps its row and grants nothing."""
    tx.lock("access:seeding")
    known = set(tx.scalars(select(KnownPermission.key)))
    for key in sorted(CATALOGUE.keys() - known):
        tx.add(KnownPermission(key=key))
    present = set(tx.scalars(select(Role.key).where(Role.organization_id.is_(None))))
    for key in sorted(ROLES - present):
        family, _, name = key.partition(":")
        tx.add(
            Role(
                uid=tx.ids.uid(),
                key=key,
                family=family,
                organization_id=None,
                name=name,
                description=None,
                created_at=tx.now,
                updated_at=tx.now,
                edited_at=None,
            )
        )
