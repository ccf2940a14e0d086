"""Lines of jobs that worked on a server for its own sake, such as bringing its edge up: by the server's provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.logs import Logs
from quarterdeck.kernel.retention import Category, Sweep, lasting, lines_apart, register

STREAM = "server:"


class ProviderLinesAction(audit.Action):
    PRUNED = "server.provider-lines-pruned"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which lines a pruning is about; empty fields leave the choice open. `server` is a wire id."""

    server: str | None = None
    provider: str | None = None


@dataclass(slots=True)
class Place:
    organization_id: int | None = None
    provider: str = "unknown"


@dataclass(slots=True)
class Found:
    """Lines by provider."""

    lines: dict[str, int] = field(default_factory=dict)

    def add(self, provider: str, count: int) -> None:
        if count:
            self.lines[provider] = self.lines.get(provider, 0) + count

    @property
    def total(self) -> int:
        return sum(self.lines.values())


def places(tx: Tx, streams: list[str]) -> dict[str, Place]:
    """Whose each stream is; a server that is in no record any more belongs to nobody."""
    refs = [stream.removeprefix(STREAM) for stream in streams]
    rows = tx.execute(select(Server.ref, Server.organization_id, Server.provider).where(Server.ref.in_(refs)))
    known = {row[0]: Place(row[1], row[2]) for row in rows}
    return {stream: known.get(ref, Place()) for stream, ref in zip(streams, refs, strict=True)}


async def _cut(logs: Logs, before: datetime, chosen: dict[str, Place], *, dry_run: bool) -> Found:
    found = Found()
    for stream, place in chosen.items():
        found.add(place.provider, (await logs.prune(stream, before=before, dry_run=dry_run)).lines)
    return found


async def prune(db: Any, logs: Logs, before: datetime, chosen: Chosen, *, dry_run: bool) -> tuple[Found, Found]:
    """Remove lines from before an instant, of the caller's organization, or only count them. Answers what matched and
    what went.
    """

    def mine(tx: Tx, streams: list[str]) -> dict[str, Place]:
        organization_id = tx.principal.organization_id
        return {
            stream: place
            for stream, place in places(tx, streams).items()
            if organization_id is not None
            and place.organization_id == organization_id
            and chosen.server in {None, stream.removeprefix(STREAM)}
            and chosen.provider in {None, place.provider}
        }

    meant: dict[str, Place] = await db.read(mine, await logs.older(STREAM, before))
    matched = await _cut(logs, before, meant, dry_run=True)
    if dry_run or not matched.total:
        return matched, Found()
    await db.write(_note, before, chosen, matched)
    return matched, await _cut(logs, before, meant, dry_run=False)


def _note(tx: Tx, before: datetime, chosen: Chosen, matched: Found) -> None:
    """That lines go, kept before they do: lines lie in a store of their own."""
    detail = {"before": before, "serverId": chosen.server, "providerKey": chosen.provider, "lines": matched.lines}
    ref = chosen.server or "*"
    audit.record(tx, ProviderLinesAction.PRUNED, resource_type="server", resource_id=ref, detail=detail)
    organization_id = tx.principal.organization_id
    events.append(
        tx,
        f"servers:{organization_id}",
        "provider-lines-pruned",
        {"serverId": chosen.server, "lines": matched.total},
        organization_id=organization_id,
    )


async def _sweep(instance: Any, sweep: Sweep) -> int:
    """What housekeeping takes: the same lines, by the share of a sweep."""
    streams = await instance.logs.older(STREAM, sweep.before)
    known: dict[str, Place] = await instance.db.read(places, streams)
    meant = {stream: place for stream, place in known.items() if place.organization_id in sweep.share}
    return (await _cut(instance.logs, sweep.before, meant, dry_run=sweep.dry_run)).total


def _there(tx: Tx, streams: Sequence[str]) -> list[str]:
    refs = [stream.removeprefix(STREAM) for stream in streams]
    return [f"{STREAM}{ref}" for ref in tx.scalars(select(Server.ref).where(Server.ref.in_(refs)))]


lines_apart(STREAM)
lasting(STREAM, _there)
register(
    Category(
        "provider-lines",
        "Lines of jobs that worked on servers for their own sake",
        timedelta(days=14),
        governed="provider-job-logs",
        sweep=_sweep,
    )
)
