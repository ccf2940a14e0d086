"""What of discovered secrets is audited."""

from __future__ import annotations

from quarterdeck.kernel import audit


class DiscoveryAction(audit.Action):
    UPSERT = "discovery.upsert"
