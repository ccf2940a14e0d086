"""Who owns what, as programs are told it, and as people read it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx


def uids(tx: Tx, ids: Collection[int]) -> dict[int, str]:
    """Row id to uid, of users that there are."""
    if not ids:
        return {}
    return {row.id: row.uid for row in tx.execute(select(User.id, User.uid).where(User.id.in_(set(ids))))}


def names(tx: Tx, ids: Collection[int | None]) -> dict[int | None, str]:
    """Row id to the name that people read, of users that there are."""
    wanted = {one for one in ids if one}
    if not wanted:
        return {}
    found = tx.execute(select(User.id, User.display_name, User.username).where(User.id.in_(wanted)))
    return {row.id: row.display_name or row.username for row in found}
