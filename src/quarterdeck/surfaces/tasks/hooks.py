"""Outgoing webhooks: routes of ours beside the contract, which says that people ask for them (contract: tasks §10)."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify.hooks import deliveries, hooks, offered
from quarterdeck.notify.hooks.model import Delivery, Hook
from quarterdeck.surfaces.shared.values import given
from quarterdeck.surfaces.tasks.shapes import at, cut, number, position
from quarterdeck.surfaces.tasks.wire import hooks as wire
from quarterdeck.surfaces.tasks.wire.lists import Paging
from quarterdeck.surfaces.tasks.wire.profile import Success

MANAGE = "tasks:hooks.manage"
WRONG = ((400, "validation_error"), (400, "address_not_allowed"), (400, "webhook_event_unknown"))
MISSING = (404, "webhook_not_found")


def _fields(row: Hook) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "url": row.url,
        "events": list(row.events),
        "enabled": row.enabled,
        "failing_since": at(row.failing_since),
        "disabled_reason": row.disabled_reason,
        "created_at": wire_time(row.created_at),
        "updated_at": wire_time(row.updated_at),
    }


def _delivery(row: Delivery) -> wire.Delivery:
    return wire.Delivery(
        id=row.uid,
        event=row.event,
        status=row.status,  # type: ignore[arg-type]  # one of the states
        attempts=row.attempts,
        response_status=row.response_status,
        error=row.error,
        created_at=wire_time(row.created_at),
        attempted_at=at(row.attempted_at),
        finished_at=at(row.finished_at),
    )


def _secret(value: Any) -> Secret[str] | None:
    return None if value is UNSET else Secret(value)


@route("GET", "/api/admin/hooks", permission=MANAGE)
async def index(call: Call, query: Paging) -> wire.Hooks:
    """The organization's webhooks, newest first, and the events that there are."""

    def verb(tx: Tx) -> wire.Hooks:
        found, total = hooks.page(tx, position(query), query.limit + 1)
        rows, cursor = cut(found, lambda row: row.id, query)
        items = [wire.Hook(**_fields(row)) for row in rows]
        return wire.Hooks(items=items, next_cursor=cursor, total=total, offered=list(offered.NAMES))

    return await call.read(verb)


@route("POST", "/api/admin/hooks", permission=MANAGE, status=201, errors=(*WRONG, (409, "too_many_webhooks")))
async def create(call: Call, body: wire.HookCreate) -> wire.NewHook:
    """Make a webhook; the secret of its signatures is shown this once."""
    wanted = given(body.events) or ["*"]

    def verb(tx: Tx) -> wire.NewHook:
        row, secret = hooks.create(tx, body.name, body.url, wanted, _secret(body.secret))
        return wire.NewHook(**_fields(row), secret=secret.reveal())

    return await call.write(verb)


@route("GET", "/api/admin/hooks/{id}", permission=MANAGE, errors=(MISSING,))
async def show(call: Call) -> wire.Hook:
    """One webhook, without its secret."""
    return await call.read(lambda tx: wire.Hook(**_fields(hooks.find(tx, number(call.path["id"])))))


@route("PUT", "/api/admin/hooks/{id}", permission=MANAGE, errors=(*WRONG, MISSING))
async def change(call: Call, body: wire.HookChange) -> wire.Hook:
    """Change what is given."""

    def verb(tx: Tx) -> wire.Hook:
        row = hooks.change(
            tx,
            hooks.find(tx, number(call.path["id"])),
            name=given(body.name),
            url=given(body.url),
            wanted=given(body.events),
            secret=_secret(body.secret),
            enabled=given(body.enabled),
        )
        return wire.Hook(**_fields(row))

    return await call.write(verb)


@route("DELETE", "/api/admin/hooks/{id}", permission=MANAGE, errors=(MISSING,))
async def remove(call: Call) -> Success:
    """Delete a webhook with what was sent to it."""
    await call.write(lambda tx: hooks.remove(tx, hooks.find(tx, number(call.path["id"]))))
    return Success()


@route(
    "POST",
    "/api/admin/hooks/{id}/test",
    permission=MANAGE,
    status=201,
    errors=(MISSING, (409, "webhook_disabled")),
)
async def test(call: Call) -> wire.Delivery:
    """Send a `ping`; its delivery tells how it went."""
    return await call.write(lambda tx: _delivery(deliveries.ping(tx, hooks.find(tx, number(call.path["id"])))))


@route("GET", "/api/admin/hooks/{id}/deliveries", permission=MANAGE, errors=(MISSING,))
async def sent(call: Call, query: Paging) -> wire.Deliveries:
    """What was sent to a webhook, newest first."""

    def verb(tx: Tx) -> wire.Deliveries:
        row = hooks.find(tx, number(call.path["id"]))
        found, total = hooks.sent(tx, row, position(query), query.limit + 1)
        rows, cursor = cut(found, lambda one: one.id, query)
        return wire.Deliveries(items=[_delivery(one) for one in rows], next_cursor=cursor, total=total)

    return await call.read(verb)
