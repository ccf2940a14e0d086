"""What happens to connections, audited."""

from __future__ import annotations

from quarterdeck.kernel import audit


class ConnectionAction(audit.Action):
    CREATED = "provider_connection.create"
    CHANGED = "provider_connection.change"
    DELETED = "provider_connection.delete"
