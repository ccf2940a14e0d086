"""The audit trail as runbooks show it: a list, what it can be narrowed to, exports."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar.response import Stream

from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import AuditEvent
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.runbooks.wire import audit as wire
from quarterdeck.surfaces.shared.auditing import Words, moment, note_export, organization_of, written

READ = "runbooks:system.audit_log"
COLUMNS = ("id", "timestamp", "username", "action", "resource", "details", "ip_address")
TYPES = {"csv": "text/csv", "json": "application/json"}
WORDS = Words(
    {
        "session.signed-in": "login",
        "user.second-factor-enabled": "mfa_enrolled",
        "user.second-factor-disabled": "mfa_disabled",
        "invitation.created": "user.invite",
        "user.deleted": "user.delete",
        "member.roles-changed": "user.roles.assign",
        "role.granted": "user.roles.assign",
        "role.taken": "user.roles.assign",
        "user.password-reset": "user.password_reset",
        "role.created": "role.create",
        "role.changed": "role.edit",
        "role.deleted": "role.delete",
        "audit.exported": "audit.export",
    }
)
PLACES = {"user": "users", "role": "roles", "service": "services", "instance": "instances"}


def resource(event: AuditEvent) -> str:
    if event.resource_type == "session":
        return "auth"
    return f"{PLACES.get(event.resource_type, event.resource_type)}/{event.resource_id}"


def entry(event: AuditEvent) -> wire.AuditEntry:
    stamp = event.at.isoformat()
    return wire.AuditEntry(
        id=event.id,
        user_id=event.actor_id if event.actor_kind == "user" and event.actor_id else None,
        username=event.actor_label,
        action=WORDS.told(event.action),
        resource=resource(event),
        details=event.detail or None,
        ip_address=event.address,
        created_at=stamp,
        timestamp=stamp,
    )


def line(event: AuditEvent) -> dict[str, Any]:
    """An event as a row of an export."""
    shown = msgspec.structs.asdict(entry(event))
    return {name: shown[name] for name in COLUMNS}


def wanted(call: Call, query: wire.Filters) -> audit.Filter:
    told: dict[str, Any] = {
        name: value for name in query.__struct_fields__ if isinstance(value := getattr(query, name), str | int)
    }
    by_person = "user_id" in told
    return audit.Filter(
        organization_id=organization_of(call.principal),
        actions=_actions(told.get("action"), told.get("action_prefix")),
        actor_kind="user" if by_person else None,
        actor_id=told.get("user_id"),
        actor_label=told.get("username"),
        since=moment(told["date_from"], "date_from") if "date_from" in told else None,
        until=moment(told["date_to"], "date_to", end=True) if "date_to" in told else None,
        text=told.get("search"),
    )


def _actions(word: str | None, prefix: str | None) -> tuple[str, ...] | None:
    by_word = None if word is None else WORDS.actions(word)
    by_prefix = None if prefix is None else WORDS.below(prefix)
    if by_word is None or by_prefix is None:
        return by_word if by_prefix is None else by_prefix
    return tuple(sorted({*by_word} & {*by_prefix}))


@route("GET", "/api/audit", permission=READ)
async def index(call: Call, db: Database, query: wire.AuditQuery) -> wire.AuditEntries:
    """What was done in the organization, newest first."""
    meant = wanted(call, query)
    found = await audit.find(db, meant, query.per_page, query.cursor if isinstance(query.cursor, int) else None)
    last = found.events[-1].id if found.events else None
    return wire.AuditEntries(
        entries=[entry(event) for event in found.events],
        total=await call.read(audit.total, meant),
        next_cursor=last if found.rest is None else found.rest,
        per_page=query.per_page,
    )


@route("GET", "/api/audit/filters", permission=READ)
async def filters(call: Call) -> wire.AuditFilters:
    """Who did something so far, and what was done: what the list can be narrowed to."""
    found: audit.Facets = await call.read(audit.facets, organization_of(call.principal))
    words = sorted({WORDS.told(action) for action in found.actions})
    return wire.AuditFilters(
        usernames=found.actors,
        action_categories=sorted({word.partition(".")[0] for word in words if "." in word}),
        actions=words,
    )


@route("GET", "/api/audit/export", permission=READ)
async def export(call: Call, db: Database, query: wire.AuditExportQuery) -> Stream:
    """The list as a file, CSV or JSON; that it was taken away is written down."""
    meant = wanted(call, query)
    asked = {name: value for name, value in msgspec.to_builtins(query).items() if name != "format"}

    def note(tx: Tx) -> None:
        note_export(tx, query.format, asked)

    await call.write(note)
    before = query.cursor if isinstance(query.cursor, int) else None
    parts = audit.stream(db, meant, query.limit, before)
    stamp = call.service("clock").now().strftime("%Y%m%d_%H%M%S")
    return Stream(
        written(parts, query.format, COLUMNS, line),
        media_type=TYPES[query.format],
        headers={"content-disposition": f'attachment; filename="audit_log_{stamp}.{query.format}"'},
    )
