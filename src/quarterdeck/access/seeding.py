"""Rows for what the catalogue knows: a number for each permission, a row for each built-in role."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select

from quarterdeck.access.catalogue import CATALOGUE, ROLES
from quarterdeck.access.model import KnownPermission, Role
from quarterdeck.kernel.db import Tx


def seed(tx: Tx) -> None:
    """Add what is missing. Run at every start; what is gone from it keeps its row and grants nothing."""
    tx.lock("access:seeding")
    known = set(tx.scalars(select(KnownPermission.key)))
    if missing := sorted(CATALOGUE.keys() - known):
        tx.execute(insert(KnownPermission), [{"key": key} for key in missing])
    present = set(tx.scalars(select(Role.key).where(Role.organization_id.is_(None))))
    if unknown := sorted(ROLES - present):
        tx.execute(insert(Role), [_built_in(tx, key) for key in unknown])


def _built_in(tx: Tx, key: str) -> dict[str, Any]:
    family, _, name = key.partition(":")
    return {
        "uid": tx.ids.uid(),
        "key": key,
        "family": family,
        "organization_id": None,
        "name": name,
        "description": None,
        "created_at": tx.now,
        "updated_at": tx.now,
        "edited_at": None,
    }
