"""What of infrastructure stands in the way of deleting a project, and what goes along with it."""

from __future__ import annotations

from sqlalchemy import func, select

from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.zones import zones
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel.db import Tx


class InfraBlockers:
    """A `kernel.protocols.DeletionBlocker`: specs in its zone stand in the way, the zone itself goes along."""

    def blockers(self, tx: Tx, kind: str, row_id: int) -> list[tuple[str, int]]:
        if kind != "project":
            return []
        query = select(func.count()).select_from(Spec).join(Zone, Zone.id == Spec.zone_id)
        number = int(tx.execute(query.where(Zone.project_id == row_id)).scalar_one())
        return [("infrastructure-spec", number)] if number else []

    def forget(self, tx: Tx, kind: str, row_id: int) -> None:
        if kind != "project":
            return
        zone = tx.first(select(Zone).where(Zone.project_id == row_id))
        if zone is not None:
            zones.remove(tx, zone)
