"""What of roles and grants is audited."""

from __future__ import annotations

from quarterdeck.kernel import audit


class AccessAction(audit.Action):
    ROLE_CREATED = "role.created"
    ROLE_CHANGED = "role.changed"
    ROLE_DELETED = "role.deleted"
    GRANTED = "role.granted"
    TAKEN = "role.taken"
    RULE_ADDED = "access.rule-added"
    RULE_REMOVED = "access.rule-removed"
