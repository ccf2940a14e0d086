"""The audit trail as its page shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from quarterdeck.console.domain.ledger import subject_of
from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.ledger import AuditAsked, AuditList, AuditRow
from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import AuditEvent, Filter, Outcome
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.workspace.projects import organization_of

OUTCOMES: dict[str, Outcome] = {"success": "success", "failure": "failure", "denied": "denied"}


def wanted(tx: Tx, asked: AuditAsked) -> Filter:
    """What is asked, of the organization of whoever asks. Days are those of the viewer's zone, both included."""
    return Filter(
        organization_id=organization_of(tx),
        starting=asked.action or None,
        actor_label=asked.actor or None,
        outcome=OUTCOMES.get(asked.outcome),
        since=_midnight(asked.since, asked),
        until=_midnight(asked.until, asked, after=1),
        text=asked.text or None,
    )


def _midnight(day: date | None, asked: AuditAsked, *, after: int = 0) -> datetime | None:
    if day is None or day.year in {1, 9999}:
        return None  # beyond every event
    return datetime.combine(day + timedelta(days=after), time(), asked.zone or UTC).astimezone(UTC)


async def page(db: Database, asked: AuditAsked, before: str, limit: int) -> AuditList:
    """Newest first; `before` is where the page before ended."""
    meant = await db.read(wanted, asked)
    found = await audit.find(db, meant, limit, audit.position(before) if before else None)
    facets: audit.Facets = await db.read(audit.facets, meant.organization_id)
    sealed = await db.read(audit.total, Filter(organization_id=meant.organization_id))
    return AuditList(
        rows=await db.read(rows, found.events),
        older=audit.cursor_of(found.rest),
        actions=tuple(facets.actions),
        actors=tuple(facets.actors),
        chain=f"{sealed:,} events. qd audit verify proves that none was changed." if sealed else "",
    )


def rows(tx: Tx, events: list[AuditEvent]) -> tuple[AuditRow, ...]:
    return tuple(row(tx, event) for event in events)


def recent(tx: Tx, limit: int) -> tuple[AuditRow, ...]:
    """The newest events of the caller's organization."""
    return rows(tx, audit.look(tx, Filter(organization_id=organization_of(tx)), limit).events)


def row(tx: Tx, event: AuditEvent) -> AuditRow:
    name, address = subject_of(tx, f"{event.resource_type}:{event.resource_id}")
    facts = [Fact(key, _short(value)) for key, value in event.detail.items() if value not in (None, "", [], {})]
    facts.append(Fact("Request", event.request_id, code=True))
    return AuditRow(
        event.ref,
        event.at,
        event.actor_label or event.actor_kind,
        event.action,
        name,
        address,
        event.outcome,
        event.address or "",
        tuple(facts),
    )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"


async def everything(db: Database, asked: AuditAsked) -> AsyncIterator[list[AuditEvent]]:
    """Whatever matches, in parts."""
    meant = await db.read(wanted, asked)
    async for part in audit.stream(db, meant):
        yield part
