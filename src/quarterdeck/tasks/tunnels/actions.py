"""What of tunnels is audited."""

from __future__ import annotations

from quarterdeck.kernel import audit


class TunnelAction(audit.Action):
    STARTED = "task-tunnel.started"
    STOPPED = "task-tunnel.stopped"
