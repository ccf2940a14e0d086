"""What of notifications, webhooks and bots is audited."""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx


class NotifyAction(audit.Action):
    CHOICES_CHANGED = "notification-choices.changed"
    READ = "notification.read"
    ALL_READ = "notification.all-read"
    HOOK_CREATED = "webhook.created"
    HOOK_CHANGED = "webhook.changed"
    HOOK_DELETED = "webhook.deleted"
    HOOK_TESTED = "webhook.tested"
    HOOK_DISABLED = "webhook.disabled"
    BOT_CREATED = "bot.created"
    BOT_CHANGED = "bot.changed"
    BOT_DELETED = "bot.deleted"
    BOUND = "bot.bound"
    UNBOUND = "bot.unbound"
    PLATFORM_BOUND = "user.platform-bound"


def note(
    tx: Tx, action: NotifyAction, kind: str, thing_id: int, organization_id: int, detail: Mapping[str, object]
) -> None:
    """The audit event and the domain event of a change of a webhook or a bot."""
    audit.record(
        tx,
        action,
        resource_type=kind,
        resource_id=str(thing_id),
        organization_id=organization_id,
        detail=dict(detail),
    )
    told = {"botId" if kind == "bot" else "id": thing_id, **detail}
    events.append(tx, f"{kind}:{thing_id}", action.replace(".", "-"), told, organization_id=organization_id)
