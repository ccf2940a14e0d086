"""The runner that somebody would have chosen for them. It is a preselection: no job is pinned by it."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.infra.runners import listing
from quarterdeck.infra.runners.actions import RunnerAction, note
from quarterdeck.infra.runners.listing import Seen
from quarterdeck.infra.runners.model import DefaultRunner
from quarterdeck.kernel.db import Tx


def choose(tx: Tx, uid: str) -> Seen:
    """Make it the caller's in their current organization, instead of the one of before. Raises `NotFound`."""
    seen = listing.find(tx, uid)
    place = tx.principal.acts_in
    tx.lock(f"infra-default-runner:{tx.principal.id}:{place}")
    mine = select(DefaultRunner).where(DefaultRunner.user_id == tx.principal.id, DefaultRunner.organization_id == place)
    row = tx.first(mine)
    if row is not None:
        row.worker_id = seen.worker.id
    else:
        tx.add(
            DefaultRunner(uid=tx.ids.uid(), user_id=tx.principal.id, organization_id=place, worker_id=seen.worker.id)
        )
    tx.flush()
    note(tx, seen.worker, RunnerAction.CHOSEN)
    return listing.find(tx, uid)
