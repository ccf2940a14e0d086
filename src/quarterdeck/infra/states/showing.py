"""Who and what rows speak of by their numbers, as people know them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from quarterdeck.identity.model import User
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx


def jobs(tx: Tx, ids: Iterable[int | None]) -> dict[int | None, str]:
    """Row id to uid, of the jobs that are still there."""
    wanted = {one for one in ids if one is not None}
    rows = tx.execute(select(InfraJob.id, InfraJob.uid).where(InfraJob.id.in_(wanted))) if wanted else ()
    return {row[0]: row[1] for row in rows}


def people(tx: Tx, ids: Iterable[int | None]) -> dict[int | None, tuple[str, str]]:
    """Row id to uid and name, of the people who are still there."""
    wanted = {one for one in ids if one is not None}
    rows = tx.execute(select(User.id, User.uid, User.username).where(User.id.in_(wanted))) if wanted else ()
    return {row[0]: (row[1], row[2]) for row in rows}
