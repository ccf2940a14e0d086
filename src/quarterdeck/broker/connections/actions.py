"""What happens to connections, audited."""

from __future__ import annotations

from quarterdeck.kernel import audit


class ConnectionAction(audit.Action):
    CREATED = "provider-connection.create"
    CHANGED = "provider-connection.change"
    DELETED = "provider-connection.delete"
