"""Ids of the wire and names of people, of many rows at once."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Identified, Tx


def people(tx: Tx, ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Row id to uid and the name that people read, of users that there are."""
    if not ids:
        return {}
    found = tx.execute(select(User.id, User.uid, User.display_name, User.username).where(User.id.in_(ids)))
    return {row.id: (row.uid, row.display_name or row.username) for row in found}


def uids(tx: Tx, model: type[Identified], ids: Collection[int]) -> dict[int, str]:
    """Row id to uid, of rows that there are."""
    if not ids:
        return {}
    return {row.id: row.uid for row in tx.execute(select(model.id, model.uid).where(model.id.in_(ids)))}
