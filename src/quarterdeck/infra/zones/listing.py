"""Zones with the specs in them, read in as few questions as it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from quarterdeck.infra import people
from quarterdeck.infra.specs.brief import BRIEF
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.zones.model import Zone
from quarterdeck.infra.zones.zones import find
from quarterdeck.kernel.db import Tx
from quarterdeck.workspace.model import Project

SHOWN = 200
"""Specs of one zone that a list shows, the newest; `spec_count` says how many there are."""
ALTOGETHER = 5000


@dataclass(frozen=True, slots=True)
class Listed:
    """`owner` is the uid of whoever made it, empty where they are no more."""

    zone: Zone
    project: Project
    owner: str
    spec_count: int
    specs: tuple[Spec, ...]


def page(tx: Tx, limit: int, before: str | None = None) -> tuple[list[Listed], bool]:
    """Zones of the current organization, newest first, behind that of the uid `before`; and whether there are more."""
    query = select(Zone).where(Zone.organization_id == tx.principal.acts_in)
    if before:
        query = query.where(Zone.id < find(tx, before).id)
    zones = list(tx.scalars(query.order_by(Zone.id.desc()).limit(limit + 1)))
    return described(tx, zones[:limit]), len(zones) > limit


def search(tx: Tx, words: str, limit: int) -> list[tuple[str, str]]:
    """Uid and name of those whose name has the words, newest first."""
    query = (
        select(Zone.uid, Project.name)
        .join(Project, Project.id == Zone.project_id)
        .where(Zone.organization_id == tx.principal.acts_in, Project.name.icontains(words.strip(), autoescape=True))
    )
    return [(row.uid, row.name) for row in tx.execute(query.order_by(Zone.id.desc()).limit(limit))]


def described(tx: Tx, zones: Sequence[Zone]) -> list[Listed]:
    ids = [zone.id for zone in zones]
    projects = {
        one.id: one for one in tx.scalars(select(Project).where(Project.id.in_([zone.project_id for zone in zones])))
    }
    owners = people.uids(tx, [zone.owner_id for zone in zones])
    counted = select(Spec.zone_id, func.count()).where(Spec.zone_id.in_(ids)).group_by(Spec.zone_id)
    numbers = {row[0]: int(row[1]) for row in tx.execute(counted)}
    inside: dict[int, list[Spec]] = {zone_id: [] for zone_id in ids}
    few = [zone_id for zone_id in ids if numbers.get(zone_id, 0) <= SHOWN]
    brief = select(Spec).options(BRIEF)
    for spec in tx.scalars(brief.where(Spec.zone_id.in_(few)).order_by(Spec.id.desc()).limit(ALTOGETHER)):
        inside[spec.zone_id or 0].append(spec)
    left = ALTOGETHER - sum(map(len, inside.values()))
    for zone_id in (one for one in ids if one not in few):
        newest = brief.where(Spec.zone_id == zone_id).order_by(Spec.id.desc()).limit(min(SHOWN, left))
        inside[zone_id] = list(tx.scalars(newest)) if left > 0 else []
        left -= len(inside[zone_id])
    return [
        Listed(
            zone,
            projects[zone.project_id],
            owners.get(zone.owner_id, ""),
            numbers.get(zone.id, 0),
            tuple(inside[zone.id]),
        )
        for zone in zones
    ]


def names(tx: Tx, ids: Sequence[int | None]) -> dict[int, tuple[str, str]]:
    """Row id to uid and name, of zones that there are."""
    wanted = {one for one in ids if one is not None}
    query = select(Zone.id, Zone.uid, Project.name).join(Project, Project.id == Zone.project_id)
    return {row.id: (row.uid, row.name) for row in tx.execute(query.where(Zone.id.in_(wanted)))} if wanted else {}
