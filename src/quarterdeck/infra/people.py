"""Who owns what, as programs are told it."""

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
