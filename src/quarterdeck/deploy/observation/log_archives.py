"""Lines of a runtime that somebody keeps beyond their time: a copy, which only a pruning takes away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, delete, func, select

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.observation.model import LogArchive
from quarterdeck.deploy.observation.runtime_logs import Window
from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.retention import Category, Sweep, register
from quarterdeck.workspace.names import check_reason
from quarterdeck.workspace.projects import organization_of


class LogArchiveAction(audit.Action):
    CREATED = "log-archive.created"
    PRUNED = "log-archive.pruned"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which archives are meant, by wire ids; empty fields leave the choice open."""

    resource: str | None = None
    deployment: str | None = None
    server: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """An archive with the wire ids of what it is about."""

    row: LogArchive
    resource: str
    server: str | None


@dataclass(slots=True)
class Pruned:
    matched: int = 0
    resources: set[int] = field(default_factory=set)


def create(tx: Tx, window: Window, lines: Sequence[dict[str, Any]], reason: str | None) -> Kept:
    """Keep lines as they are answered now; masked as they were stored."""
    resource = resources.find(tx, window.resource)
    deployment = None
    if window.deployment is not None:
        deployment = tx.first(select(Deployment).where(Deployment.ref == window.deployment))
    row = tx.add(
        LogArchive(
            uid=tx.ids.uid(),
            ref=tx.ids.ref("rla"),
            organization_id=resource.organization_id,
            resource_id=resource.id,
            project_id=resource.project_id,
            server_id=deployment.server_id if deployment else None,
            deployment_ref=window.deployment,
            service=window.service,
            runtime_kind=window.runtime_kind,
            reason=check_reason(reason),
            captured_at=tx.now,
            line_count=len(lines),
            content=msgspec.json.encode(lines).decode(),
        )
    )
    tx.flush()
    audit.record(
        tx,
        LogArchiveAction.CREATED,
        resource_type="log-archive",
        resource_id=row.ref,
        organization_id=row.organization_id,
        aggregate_id=resource.ref,
        detail={"resourceId": resource.ref, "lines": len(lines), "reason": row.reason},
    )
    return _named(tx, [row])[0]


def find(tx: Tx, ref: str) -> Kept:
    """Raises `NotFound`, for another organization's too."""
    row = tx.first(select(LogArchive).where(LogArchive.ref == ref, LogArchive.organization_id == organization_of(tx)))
    if row is None:
        raise NotFound(f"There is no log archive {ref[:60]}.", hint="List the log archives; it may have been pruned.")
    return _named(tx, [row])[0]


def newest(tx: Tx, chosen: Chosen, limit: int, before: int | None) -> tuple[list[Kept], int | None]:
    """A page, newest first, and where the next one begins."""
    query = select(LogArchive).where(*_meant(tx, chosen)).order_by(LogArchive.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(LogArchive.id < before)
    rows = list(tx.scalars(query))
    return _named(tx, rows[:limit]), rows[limit - 1].id if len(rows) > limit else None


def prune(tx: Tx, chosen: Chosen, before: datetime, *, dry_run: bool) -> Pruned:
    """Remove archives captured before an instant (those at it stay), or only say how many those are."""
    meant = (*_meant(tx, chosen), LogArchive.captured_at < before)
    found = tx.execute(
        select(LogArchive.resource_id, func.count()).where(*meant).group_by(LogArchive.resource_id)
    ).all()
    pruned = Pruned(sum(row[1] for row in found), {row[0] for row in found})
    if pruned.matched and not dry_run:
        tx.execute(delete(LogArchive).where(*meant))
        audit.record(
            tx,
            LogArchiveAction.PRUNED,
            resource_type="log-archive",
            resource_id="*",
            detail={"before": before, "count": pruned.matched, "resources": len(pruned.resources)},
        )
    return pruned


def old(tx: Tx, sweep: Sweep) -> int:
    """What a sweep of housekeeping takes, or would take."""
    share, meant = sweep.share, [LogArchive.captured_at < sweep.before]
    if share.organization_id is not None:
        meant.append(LogArchive.organization_id == share.organization_id)
    elif share.without:
        meant.append(LogArchive.organization_id.not_in(share.without))
    count = int(tx.execute(select(func.count()).select_from(LogArchive).where(*meant)).scalar_one())
    if count and not sweep.dry_run:
        tx.execute(delete(LogArchive).where(*meant))
    return count


async def _sweep(instance: Any, sweep: Sweep) -> int:
    return int(await (instance.db.read if sweep.dry_run else instance.db.write)(old, sweep))


register(
    Category(
        "log-archives", "Kept lines of runtimes, where a default says so", None,
        governed="resource-runtime-log-archives", sweep=_sweep,
    )
)  # fmt: skip


def _meant(tx: Tx, chosen: Chosen) -> list[ColumnElement[bool]]:
    meant: list[ColumnElement[bool]] = [LogArchive.organization_id == organization_of(tx)]
    if chosen.resource is not None:
        one = select(Resource.id).where(Resource.ref == chosen.resource)
        meant.append(LogArchive.resource_id == one.scalar_subquery())
    if chosen.server is not None:
        place = select(Server.id).where(Server.ref == chosen.server)
        meant.append(LogArchive.server_id == place.scalar_subquery())
    if chosen.deployment is not None:
        meant.append(LogArchive.deployment_ref == chosen.deployment)
    if chosen.service is not None:
        meant.append(LogArchive.service == chosen.service)
    return meant


def _named(tx: Tx, rows: Sequence[LogArchive]) -> list[Kept]:
    owners = select(Resource.id, Resource.ref).where(Resource.id.in_({row.resource_id for row in rows}))
    places = select(Server.id, Server.ref).where(Server.id.in_({row.server_id for row in rows}))
    resources_by_id = {row.id: row.ref for row in tx.execute(owners)}
    servers_by_id = {row.id: row.ref for row in tx.execute(places)}
    return [Kept(row, resources_by_id[row.resource_id], servers_by_id.get(row.server_id or 0)) for row in rows]
