"""The audit trail as the broker tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity import actors
from quarterdeck.identity.model import User
from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import AuditEvent
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.broker.wire import audit as wire
from quarterdeck.surfaces.shared.auditing import Words, correlation, moment, organization_of, spellings

MOST, DEFAULT = 1_000, 100
AGENTS = ("worker", "runner", "agent")
WORDS = Words(
    {
        "argocd-endpoint.create": "argocd_endpoint.create",
        "argocd-endpoint.set-enabled": "argocd_endpoint.set_enabled",
        "argocd-endpoint.delete": "argocd_endpoint.delete",
        "argocd-endpoint.discover": "argocd_endpoint.discover",
        "request.gitops-observation-started": "request.gitops_observation_started",
        "request.gitops-observation-skipped": "request.gitops_observation_skipped",
        "request.gitops-observation-ended": "request.gitops_observation_ended",
        "session.signed-in": "auth.login",
        "session.sign-in-failed": "auth.login",
        "agent.public-key.set": "agent.public_key.set",
    }
)
NOBODY = -1


def actor(event: AuditEvent, uids: Mapping[tuple[type[Any], int], str]) -> str:
    if event.actor_kind == "system":
        return "system"
    if event.actor_id == 0:
        return "anonymous"
    model, word = (Worker, "agent") if event.actor_kind in AGENTS else (User, event.actor_kind)
    return f"{word}:{uids.get((model, event.actor_id), event.actor_id)}"


def resource(event: AuditEvent) -> str:
    return "auth:login" if WORDS.told(event.action) == "auth.login" else f"{event.resource_type}:{event.resource_id}"


def row(event: AuditEvent, uids: Mapping[tuple[type[Any], int], str]) -> wire.AuditEvent:
    return wire.AuditEvent(
        id=event.uid,
        actor=actor(event, uids),
        actor_display=event.actor_label,
        action=WORDS.told(event.action),
        resource=resource(event),
        status=event.outcome,
        correlation_id=correlation(event),
        metadata=event.detail or UNSET,
        occurred_at=event.at.isoformat().replace("+00:00", "Z"),
    )


def uids_of(tx: Tx, events: list[AuditEvent]) -> dict[tuple[type[Any], int], str]:
    """The ids by which actors are known outside."""
    found: dict[tuple[type[Any], int], str] = {}
    for model, kinds in ((User, ("user",)), (Worker, AGENTS)):
        numbers = {event.actor_id for event in events if event.actor_kind in kinds}
        found |= {(model, one): uid for one, uid in actors.uids(tx, model, numbers).items()}
    return found


def named(tx: Tx, text: str) -> dict[str, Any]:
    """An actor as a filter; somebody whom nobody knows has done nothing."""
    kind, _, uid = text.partition(":")
    if text == "system":
        return {"actor_kind": "system"}
    if text == "anonymous":
        return {"actor_kind": "user", "actor_id": 0}
    models: dict[str, type[Any]] = {"user": User, "agent": Worker}
    model = models.get(kind)
    known = None if model is None else actors.number(tx, model, uid)
    return {"actor_kind": "agent" if kind == "agent" else "user", "actor_id": NOBODY if known is None else known}


def wanted(tx: Tx, organization_id: int, query: wire.AuditEventsQuery) -> audit.Filter:
    kind, _, ref = ("", "", "") if query.resource is UNSET else query.resource.partition(":")
    actions = None if query.action is UNSET else WORDS.actions(query.action)
    if query.resource == "auth:login":
        kind = ref = ""
        meant = WORDS.actions("auth.login")
        actions = meant if actions is None else tuple(sorted({*meant} & {*actions}))
    return audit.Filter(
        organization_id=organization_id,
        actions=actions,
        resource_type=kind or None,
        resource_id=ref if kind else None,
        correlation_ids=() if query.correlation_id is UNSET else spellings(query.correlation_id),
        since=None if query.since is UNSET else moment(query.since, "since"),
        until=None if query.until is UNSET else moment(query.until, "until"),
        **({} if query.actor is UNSET else named(tx, query.actor)),
    )


@route("GET", "/api/v1/audit-events", permission="broker:audit.read", errors=((400, "validation_error"),))
async def index(call: Call, db: Database, query: wire.AuditEventsQuery) -> list[wire.AuditEvent]:
    """What was done in the organization, newest first."""
    meant = await call.read(wanted, organization_of(call.principal), query)
    found = await audit.find(db, meant, min(query.limit, MOST) or DEFAULT)
    uids = await call.read(uids_of, found.events)
    return [row(event, uids) for event in found.events]
