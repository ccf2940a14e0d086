"""The audit trail as the administrators of tasks read it."""

from __future__ import annotations

from msgspec import UNSET

from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import AuditEvent
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.shared.auditing import Words, moment, organization_of
from quarterdeck.surfaces.tasks.wire import audit as wire

WORDS = Words(
    {
        "session.signed-in": "auth.login",
        "session.sign-in-failed": "auth.login_failed",
        "session.signed-out": "auth.logout",
        "session.refresh-reused": "auth.refresh_reuse",
        "personal-token.created": "token.create",
        "personal-token.revoked": "token.revoke",
        "user.created": "developer.create",
        "user.changed": "developer.update",
        "task.created": "task.create",
        "task.cancelled": "task.cancel",
        "task.retried": "task.retry",
        "task.answered": "task.confirm",
        "task.messaged": "task.message",
        "worker.drained": "machine.drain",
        "worker.undrained": "machine.undrain",
        "worker.revoked": "machine.decommission",
        "project.created": "project.create",
        "task-project.created": "project.create",
        "task-project.changed": "project.update",
        "task-project.deleted": "project.delete",
        "task-project.git-token-set": "project.set_git_token",
        "task-project.git-token-removed": "project.remove_git_token",
        "task-project.member-added": "member.add",
        "task-project.member-removed": "member.remove",
    }
)


def item(event: AuditEvent) -> wire.AuditLog:
    stamp = wire_time(event.at)
    return wire.AuditLog(
        id=event.id,
        actor_id=event.actor_id if event.actor_kind == "user" and event.actor_id else None,
        actor_name=event.actor_label,
        actor=event.actor_label,
        action=WORDS.told(event.action),
        target_type=event.resource_type,
        target_id=event.resource_id,
        target=f"{event.resource_type}:{event.resource_id}",
        outcome=event.outcome,
        detail=event.detail,
        ip=event.address,
        created_at=stamp,
        timestamp=stamp,
    )


def wanted(call: Call, query: wire.AuditLogsQuery) -> audit.Filter:
    by_person = query.actor_id is not UNSET
    return audit.Filter(
        organization_id=organization_of(call.principal),
        actions=None if query.action is UNSET else WORDS.actions(query.action),
        actor_kind="user" if by_person else None,
        actor_id=None if query.actor_id is UNSET else query.actor_id,
        resource_type=None if query.target_type is UNSET else query.target_type,
        resource_id=None if query.target_id is UNSET else query.target_id,
        since=None if query.since is UNSET else moment(query.since, "from"),
        until=None if query.until is UNSET else moment(query.until, "to", end=True),
        text=None if query.q is UNSET else query.q,
    )


@route("GET", "/api/admin/audit-logs", permission="tasks:audit.read", errors=((400, "validation_error"),))
async def index(call: Call, db: Database, query: wire.AuditLogsQuery) -> wire.AuditLogs:
    """What was done in the organization, newest first."""
    meant = wanted(call, query)
    before = None if query.cursor is UNSET else audit.position(query.cursor)
    found = await audit.find(db, meant, query.limit, before)
    return wire.AuditLogs(
        items=[item(event) for event in found.events],
        next_cursor=audit.cursor_of(found.rest),
        total=await call.read(audit.total, meant),
    )
