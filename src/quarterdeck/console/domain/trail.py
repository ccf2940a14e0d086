"""The audit trail as its page shows it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from quarterdeck.console.domain.places import subject_of
from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.ledger import AuditAsked, AuditList, AuditRow, Chain
from quarterdeck.kernel import audit, verifying
from quarterdeck.kernel.audit import AuditEvent, Filter, Outcome
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.workspace.projects import organization_of

LONG = 200
KIND = re.compile(r"[a-z]+(-[a-z]+)*")
"""How kinds of resources are written; ids have a digit or an underscore."""
OUTCOMES: dict[str, Outcome] = {"success": "success", "failure": "failure", "denied": "denied"}


def wanted(tx: Tx, asked: AuditAsked) -> Filter:
    """What is asked, of the organization of whoever asks. Days are those of the viewer's zone, both included."""
    kind, ref = _resource(asked.resource)
    return Filter(
        organization_id=organization_of(tx),
        starting=asked.action or None,
        actor_label=asked.actor or None,
        outcome=OUTCOMES.get(asked.outcome),
        since=_midnight(asked.since, asked),
        until=_midnight(asked.until, asked, after=1),
        text=asked.text or None,
        resource_type=kind or None,
        resource_id=ref or None,
    )


def _resource(said: str) -> tuple[str, str]:
    """Kind and id of `project:prj_…`, `project` or `prj_…`."""
    kind, colon, ref = said.partition(":")
    if colon:
        return kind, ref
    return (said, "") if KIND.fullmatch(said) else ("", said)


def _midnight(day: date | None, asked: AuditAsked, *, after: int = 0) -> datetime | None:
    if day is None or day.year in {1, 9999}:
        return None  # beyond every event
    return datetime.combine(day + timedelta(days=after), time(), asked.zone or UTC).astimezone(UTC)


async def page(db: Database, asked: AuditAsked, before: str, limit: int) -> AuditList:
    """Newest first; `before` is where the page before ended."""
    meant = await db.read(wanted, asked)
    found = await audit.find(db, meant, limit, audit.position(before) if before else None)
    facets: audit.Facets = await db.read(audit.facets, meant.organization_id)
    return AuditList(
        rows=await db.read(rows, found.events),
        older=audit.cursor_of(found.rest),
        actions=tuple(facets.actions),
        actors=tuple(facets.actors),
        chain=await db.read(chain, meant.organization_id),
    )


def chain(tx: Tx, organization_id: int) -> Chain:
    stands = verifying.standing(tx, organization_id)
    proof = stands.proof
    return Chain(
        sealed=stands.position,
        last=stands.ref or "",
        proved=proof.position if proof else 0,
        proved_to=(proof.up_to or "") if proof else "",
        proved_at=stands.at,
        proved_by=proof.by if proof else "",
        found=(proof.first or "") if proof else "",
        running=stands.running,
    )


def rows(tx: Tx, events: list[AuditEvent]) -> tuple[AuditRow, ...]:
    return tuple(row(tx, event) for event in events)


def recent(tx: Tx, limit: int) -> tuple[AuditRow, ...]:
    """The newest events of the caller's organization."""
    return rows(tx, audit.look(tx, Filter(organization_id=organization_of(tx)), limit).events)


def row(tx: Tx, event: AuditEvent) -> AuditRow:
    name, address = subject_of(tx, f"{event.resource_type}:{event.resource_id}")
    facts = [Fact(labelled(key), said(value)) for key, value in event.detail.items() if value not in (None, "", [], {})]
    facts.append(Fact("Event", event.ref, code=True))
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
        f"{event.resource_type}:{event.resource_id}",
    )


def labelled(key: str) -> str:
    """`sessionsEnded` and `sessions_ended` as people read it: `Sessions ended`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", key).replace("_", " ").replace(".", " ")
    return words[:1].upper() + words[1:].lower()


def said(value: Any) -> str:
    """A fact in words: lists with commas, what is nested with its names, yes and no; at most 200 characters."""
    text = _said(value)
    return text if len(text) <= LONG else f"{text[: LONG - 1]}…"


def _said(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        parts = (f"{labelled(str(key)).lower()} {_said(one)}" for key, one in value.items() if one not in (None, ""))
        return "; ".join(parts) or "none"
    if isinstance(value, (list, tuple)):
        nested = any(isinstance(one, (Mapping, list, tuple)) for one in value)
        return ("; " if nested else ", ").join(_said(one) for one in value) or "none"
    return str(value)


async def everything(db: Database, asked: AuditAsked) -> AsyncIterator[list[AuditEvent]]:
    """Whatever matches, in parts."""
    meant = await db.read(wanted, asked)
    async for part in audit.stream(db, meant):
        yield part
