"""What of the tasks surface's own things is audited."""

from __future__ import annotations

from quarterdeck.kernel import audit


class TasksAction(audit.Action):
    SETTINGS_CHANGED = "task-settings.changed"
    CREATED = "task.created"
    CANCELLED = "task.cancelled"
    RETRIED = "task.retried"
    ANSWERED = "task.answered"
    MESSAGED = "task.messaged"
