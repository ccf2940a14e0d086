"""What webhooks are sent: made from domain events, tried until it is taken, given up in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.identity.model import Organization
from quarterdeck.kernel import events, jobs
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.notify.actions import NotifyAction
from quarterdeck.notify.hooks import hooks, offered
from quarterdeck.notify.hooks.model import Delivery, Hook
from quarterdeck.notify.telling import tell

KIND = "webhook.deliver"
STATES = ("pending", "delivered", "failed", "dropped")
"""`failed`: never taken, and not tried any more. `dropped`: its webhook was disabled before it was sent."""
TRIES = 16
BACKOFF = 15
"""Seconds before the second try; each pause is twice the one before, as long as the ledger lets it grow."""
MANAGE = "tasks:hooks.manage"
PATIENCE = timedelta(hours=24)
"""A webhook that has taken nothing for so long is disabled."""


class Task(msgspec.Struct, frozen=True):
    delivery_id: int


def take(tx: Tx, event: events.Event) -> None:
    """The durable subscriber: one delivery for each webhook of the event's organization that wants it, once."""
    name = offered.named(event)
    if name is None or event.organization_id is None:
        return
    query = select(Hook).where(
        Hook.organization_id == event.organization_id, Hook.enabled.is_(True), Hook.created_at <= event.at
    )
    wanting = [row for row in tx.scalars(query.order_by(Hook.id)) if offered.matches(row.events, name)]
    if not wanting:
        return
    known = set(
        tx.execute(
            select(Delivery.hook_id).where(
                Delivery.event_id == event.id, Delivery.hook_id.in_([row.id for row in wanting])
            )
        ).scalars()
    )
    for row in wanting:
        if row.id not in known:
            _enqueue(tx, row, name, event.data, event)


def ping(tx: Tx, row: Hook) -> Delivery:
    """Send a test. Raises `Conflict` (`webhook_disabled`)."""
    if not row.enabled:
        raise Conflict("The webhook is disabled.", code="webhook_disabled", hint="Enable it first.")
    made = _enqueue(tx, row, offered.PING, {"message": "A test from Quarterdeck."}, None)
    hooks.note(tx, NotifyAction.HOOK_TESTED, row, {"delivery": made.uid})
    return made


def _enqueue(tx: Tx, row: Hook, name: str, data: Mapping[str, Any], event: events.Event | None) -> Delivery:
    uid = tx.ids.uid()
    place = tx.get(Organization, row.organization_id)
    body = {
        "id": uid,
        "event": name,
        "createdAt": wire_time(event.at if event is not None else tx.now),
        "organizationId": place.ref if place is not None else None,
        "subject": event.stream if event is not None else f"webhook:{row.id}",
        "data": dict(data),
    }
    made = tx.add(
        Delivery(
            uid=uid,
            hook_id=row.id,
            organization_id=row.organization_id,
            event_id=None if event is None else event.id,
            event=name,
            body=msgspec.json.encode(body).decode(),
            status="pending",
            attempts=0,
            created_at=tx.now,
        )
    )
    needs = frozenset({jobs.SERVER})
    jobs.enqueue(
        tx, jobs.Enqueue(KIND, Task(made.id), row.organization_id, capabilities=needs, max_attempts=TRIES,
                         subject=f"webhook:{row.id}")
    )  # fmt: skip
    return made


def noted(tx: Tx, delivery_id: int, status: int | None, error: str | None) -> None:
    """Keep how a try went: an answer's status, or why there was none. Taken is 200 to 299."""
    made = tx.get(Delivery, delivery_id)
    row = None if made is None else tx.get(Hook, made.hook_id)
    if made is None or row is None:
        return
    tx.lock(f"notify-hook:{row.id}")
    made.attempts, made.attempted_at = made.attempts + 1, tx.now
    made.response_status, made.error = status, None if error is None else error[:300]
    if status is not None and 200 <= status < 300:
        made.status, made.finished_at, row.failing_since = "delivered", tx.now, None
    elif row.failing_since is None:
        row.failing_since = tx.now
    tx.flush()


def dropped(tx: Tx, delivery_id: int) -> None:
    made = tx.get(Delivery, delivery_id)
    if made is not None:
        made.status, made.finished_at = "dropped", tx.now
        tx.flush()


def _finish(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
    """The last try has failed, or somebody has ended the job."""
    if outcome.state == "succeeded":
        return
    made = tx.get(Delivery, job.read(Task).delivery_id)
    if made is None or made.status != "pending":
        return
    made.status, made.finished_at = "failed", tx.now
    made.error = made.error or (outcome.error_message or outcome.state)[:300]
    row = tx.get(Hook, made.hook_id)
    tx.flush()
    if row is not None and outcome.state == "failed":
        _give_up(tx, row)


def _give_up(tx: Tx, row: Hook) -> None:
    """Disable a webhook that has taken nothing for long, and tell those who look after it."""
    if not row.enabled or row.failing_since is None or row.failing_since > tx.now - PATIENCE:
        return
    row.enabled, row.updated_at = False, tx.now
    row.disabled_reason = f"It has taken nothing since {wire_time(row.failing_since)}."
    tx.flush()
    hooks.note(tx, NotifyAction.HOOK_DISABLED, row, {"failingSince": wire_time(row.failing_since)})
    managers = grants.permitted(tx, row.organization_id, MANAGE)
    tell(
        tx,
        "webhook_disabled",
        managers,
        f"The webhook {row.name} was disabled",
        f"{row.disabled_reason} Mend what receives it, and enable it again.",
        organization_id=row.organization_id,
        collapse_key=f"webhook_disabled:{row.id}",
    )


def _describe(_tx: Tx, some: Sequence[jobs.Job]) -> Mapping[int, jobs.About]:
    return {job.id: jobs.About(job.kind, details={"delivery": job.read(Task).delivery_id}) for job in some}


jobs.kinds.register(
    jobs.JobKind(
        KIND,
        payload=Task,
        finish=_finish,
        lane="background",
        lease_seconds=60,
        backoff_seconds=BACKOFF,
        capabilities=frozenset({jobs.SERVER}),
        work=jobs.Work("system", "Webhook", _describe),
    )
)
events.subscribe("webhooks", offered.TYPES, take)
