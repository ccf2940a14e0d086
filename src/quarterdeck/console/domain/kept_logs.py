"""Lines of a runtime that somebody keeps: read for their pages, kept and deleted by their forms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from quarterdeck.console.domain import sources
from quarterdeck.console.domain.places import resource_at
from quarterdeck.console.ports import Place
from quarterdeck.console.views.deployments import LineView, LogView
from quarterdeck.console.views.resources import KeptRow
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.observation import log_archives, runtime_logs
from quarterdeck.deploy.observation.log_archives import Chosen, Kept
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.principal import Principal

MOST_LINES = 1000


class KeptLogs:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def kept_logs(self, who: Principal, place: Place, limit: int) -> tuple[KeptRow, ...]:
        def read(tx: Tx) -> tuple[KeptRow, ...]:
            chosen = Chosen(resource=resource_at(tx, place).resource.ref)
            found, _ = log_archives.newest(tx, chosen, limit, None)
            return _rows(tx, found)

        rows: tuple[KeptRow, ...] = await self.instance.db.read(read)
        return rows

    async def kept_log(self, who: Principal, place: Place, ref: str) -> tuple[KeptRow, LogView]:
        def read(tx: Tx) -> tuple[KeptRow, LogView]:
            resource, found = resource_at(tx, place).resource, log_archives.find(tx, ref)
            if found.resource != resource.ref:
                raise NotFound(f"{resource.name} has no kept lines {ref[:60]}.", hint="Look in its logs.")
            lines = json.loads(found.row.content)
            numbers = _numbers(tx, {str(one.get("deploymentId")) for one in lines})
            return _rows(tx, [found])[0], _log(ref, lines, numbers)

        view: tuple[KeptRow, LogView] = await self.instance.db.read(read)
        return view

    async def keep_log(self, who: Principal, place: Place, *, lines: str, service: str, reason: str) -> str:
        count = sources.whole(lines, "lines", "number of lines")
        if not 1 <= count <= MOST_LINES:
            raise Invalid(f"{count} lines cannot be kept at once.", hint=f"Keep 1 to {MOST_LINES}.", field="lines")

        def window(tx: Tx) -> runtime_logs.Window:
            return runtime_logs.window(tx, resource_at(tx, place).resource.ref, None, service or None, None)

        asked: runtime_logs.Window = await self.instance.db.read(window)
        found = await runtime_logs.tail(self.instance.logs, asked, count, None)
        told = [runtime_logs.told(asked, one) for one in found]
        kept: Kept = await self.instance.db.write(log_archives.create, asked, told, reason or None)
        return kept.row.ref

    async def old_kept_logs(self, who: Principal, place: Place, days: int) -> int:
        return await self._prune(place, days, dry_run=True)

    async def delete_kept_logs(self, who: Principal, place: Place, days: int, confirmation: str) -> int:
        if confirmation != place.resource:
            raise Invalid(
                "The name typed is not the name of the resource.", hint=f"Type {place.resource}.", field="confirmation"
            )
        return await self._prune(place, days, dry_run=False)

    async def _prune(self, place: Place, days: int, *, dry_run: bool) -> int:
        def prune(tx: Tx) -> int:
            chosen = Chosen(resource=resource_at(tx, place).resource.ref)
            return log_archives.prune(tx, chosen, tx.now - timedelta(days=days), dry_run=dry_run).matched

        db = self.instance.db
        matched: int = await (db.read(prune) if dry_run else db.write(prune))
        return matched


def _rows(tx: Tx, found: Sequence[Kept]) -> tuple[KeptRow, ...]:
    numbers = _numbers(tx, {one.row.deployment_ref or "" for one in found})
    places = select(Server.id, Server.name).where(Server.id.in_({one.row.server_id for one in found}))
    names = {row.id: row.name for row in tx.execute(places)}
    rows = []
    for one in found:
        row = one.row
        about = (numbers.get(row.deployment_ref or ""), row.service, names.get(row.server_id or 0))
        words = ", ".join(word for word in about if word)
        rows.append(KeptRow(row.ref, row.captured_at, row.line_count, row.reason or "", words))
    return tuple(rows)


def _numbers(tx: Tx, refs: set[str]) -> dict[str, str]:
    """`v7` by `dep_…`."""
    query = select(Deployment.ref, Deployment.number).where(Deployment.ref.in_(sorted(refs)))
    return {row.ref: f"v{row.number}" for row in tx.execute(query)}


def _log(ref: str, lines: list[dict[str, Any]], numbers: dict[str, str]) -> LogView:
    """The version that speaks stands on its first line."""
    shown, before = [], None
    for one in lines:
        speaks = numbers.get(str(one.get("deploymentId")))
        at = datetime.fromisoformat(one["timestamp"])
        shown.append(LineView(one["sequence"], at, one["message"], "info", speaks if speaks != before else None))
        before = speaks
    return LogView(f"kept:{ref}", tuple(shown), shown[-1].number if shown else 0, 0, ended=True)
