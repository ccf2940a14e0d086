"""How those who act are known outside: rows have numbers, everybody else says ids."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from quarterdeck.kernel.db import Identified, Tx


def uids(tx: Tx, kind: type[Identified], numbers: Collection[int]) -> dict[int, str]:
    """The ids of rows (people, workers) by their numbers, of those that there are."""
    if not numbers:
        return {}
    return {row.id: row.uid for row in tx.execute(select(kind.id, kind.uid).where(kind.id.in_(numbers)))}


def number(tx: Tx, kind: type[Identified], uid: str) -> int | None:
    found = tx.execute(select(kind.id).where(kind.uid == uid.lower())).scalar()
    return None if found is None else int(found)
