"""What of the tasks surface's own things is audited."""

from __future__ import annotations

from quarterdeck.kernel import audit


class TasksAction(audit.Action):
    SETTINGS_CHANGED = "task-settings.changed"
    PROJECT_CREATED = "task-project.created"
    PROJECT_CHANGED = "task-project.changed"
    PROJECT_DELETED = "task-project.deleted"
    GIT_TOKEN_SET = "task-project.git-token-set"  # noqa: S105 - a word, no token
    GIT_TOKEN_REMOVED = "task-project.git-token-removed"  # noqa: S105
    MEMBER_ADDED = "task-project.member-added"
    MEMBER_REMOVED = "task-project.member-removed"
    CREATED = "task.created"
    CANCELLED = "task.cancelled"
    RETRIED = "task.retried"
    BUDGET_CHANGED = "task.budget-changed"
    ANSWERED = "task.answered"
    MESSAGED = "task.messaged"
