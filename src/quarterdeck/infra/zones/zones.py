"""Zones: a project's part in infrastructure, made, found, changed and deleted. The project itself is workspace's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from quarterdeck.access import Access
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.zones.happenings import ZoneAction, audited, happened
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.text import lines
from quarterdeck.workspace import projects as workspace
from quarterdeck.workspace.model import Project
from quarterdeck.workspace.names import check_name, slug

POLICY = "infra:zones.policy"
MOST_APPROVALS = 20
LONGEST_DESCRIPTION = 2000


def find(tx: Tx, uid: str) -> Zone:
    """A zone of the caller's current organization. Raises `NotFound` (`zone_not_found`)."""
    here = (Zone.organization_id == tx.principal.acts_in, Zone.uid == uid.lower())
    zone = tx.first(select(Zone).where(*here))
    if zone is None:
        raise NotFound("Zone not found", code="zone_not_found", hint="List the zones that you may see.")
    return zone


def of(tx: Tx, zone_id: int | None) -> Zone | None:
    """The zone of a row id; None where there is none any more."""
    return None if zone_id is None else tx.get(Zone, zone_id)


def whole(tx: Tx, zone: Zone) -> Project:
    """The project that it is a part of, which has its name."""
    project = tx.get(Project, zone.project_id)
    assert project is not None  # noqa: S101 - a foreign key holds it
    return project


def locked(tx: Tx, uid: str, *, shared: bool = False) -> tuple[Zone, Project]:
    """`find` for a command that changes it, with its project: nobody else changes either until the unit ends. `shared`
    for one that changes what is in it.
    """
    seen = find(tx, uid)
    project = workspace.locked(tx, whole(tx, seen).ref, shared=shared)
    tx.session.expire(seen)
    return find(tx, uid), project


def create(tx: Tx, name: str, description: str | None = None) -> Zone:
    """Make a zone, or give the project of that name its part, where it has none yet.

    Raises `Invalid`, and `Conflict` (`zone_name_taken`, `project_archived`).
    """
    name = check_name(name, "zone name")
    described = _described(description)
    uid = tx.ids.uid()
    project, adopted = _adopted(tx, name), True
    if project is None:
        project, adopted = workspace.create(tx, name, trail={"zoneId": uid}), False
    zone = tx.add(
        Zone(
            uid=uid,
            organization_id=tx.principal.acts_in,
            project_id=project.id,
            owner_id=tx.principal.id,
            description=described,
            approvals=0,
            destroy_approvals=0,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    if adopted:
        audited(tx, zone, ZoneAction.CREATED, name=project.name)
    happened(tx, zone, "infra-zone-created", name=project.name)
    return zone


def change(tx: Tx, access: Access, uid: str, values: Mapping[str, Any]) -> Zone:
    """Change what is given of `name`, `description`, `approvals` and `destroy_approvals`; the latter two are for those
    who have `infra:zones.policy`. Raises `Forbidden`, `Invalid`, `NotFound`, and `Conflict` as `create`.
    """
    zone, project = locked(tx, uid)
    workspace.check_active(project)
    columns: dict[str, Any] = {}
    if "description" in values:
        columns["description"] = _described(values["description"])
    for word in ("approvals", "destroy_approvals"):
        if word in values:
            columns[word] = _count(values[word], word)
    moved = {word: value for word, value in columns.items() if getattr(zone, word) != value}
    if moved.keys() & {"approvals", "destroy_approvals"}:
        access.require(tx.principal, POLICY)
    name = values.get("name")
    renamed = name is not None and check_name(str(name), "zone name") != project.name
    if renamed:
        _require_free(tx, str(name), project)
        workspace.rename(tx, project.ref, str(name))
    for word, value in moved.items():
        setattr(zone, word, value)
    if moved or renamed:
        zone.updated_at = tx.now
        tx.flush()
        told = {word: value for word, value in moved.items() if word != "description"}
        if moved:
            audited(tx, zone, ZoneAction.CHANGED, changed=sorted(moved), **told)
        happened(tx, zone, "infra-zone-changed", changed=sorted([*moved, *(["name"] if renamed else [])]), **told)
    return zone


def delete(tx: Tx, access: Access, uid: str) -> None:
    """Delete the part. Its specs stay, in no zone, and so does the project. A zone that asks for approvals is deleted
    by those alone who may say how many: without it nobody has to agree any more.
    """
    zone, project = locked(tx, uid)
    if zone.approvals or zone.destroy_approvals:
        access.require(tx.principal, POLICY)
    freed = len(tx.execute(update(Spec).where(Spec.zone_id == zone.id).values(zone_id=None).returning(Spec.id)).all())
    tx.session.expire_all()
    audited(tx, zone, ZoneAction.DELETED, name=project.name, freedSpecs=freed)
    happened(tx, zone, "infra-zone-deleted", name=project.name)
    remove(tx, zone)


def remove(tx: Tx, zone: Zone) -> None:
    """Take the part away; whoever calls has written why."""
    tx.session.delete(zone)
    tx.session.flush()


def _adopted(tx: Tx, name: str) -> Project | None:
    """The project of that name, locked, if there is one without a part. Raises `Conflict` for one that has its part."""
    found = workspace.find_by_slug(tx, slug(name, ""))
    if found is None:
        return None
    project = workspace.locked(tx, found.ref)
    if tx.first(select(Zone).where(Zone.project_id == project.id)) is not None:
        raise _taken(project.name)
    workspace.check_active(project)
    return project


def _require_free(tx: Tx, name: str, project: Project) -> None:
    other = workspace.find_by_slug(tx, slug(name, ""))
    if other is not None and other.id != project.id:
        raise _taken(other.name)


def _taken(name: str) -> Conflict:
    return Conflict(
        f"A zone or project with the name {name} exists already.",
        code="zone_name_taken",
        hint="Choose another name.",
        field="name",
    )


def _described(text: str | None) -> str | None:
    return lines(text, "description", LONGEST_DESCRIPTION) or None if text else None


def _count(value: Any, field: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_APPROVALS:
        raise Invalid(
            f"{field}: it is a number of people, 0 to {MOST_APPROVALS}.",
            hint="0 asks nobody.",
            field=field,
        )
    return value
