"""What of notifications, webhooks and bots is audited."""

from __future__ import annotations

from quarterdeck.kernel import audit


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
