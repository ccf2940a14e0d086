"""What of states is audited."""

from __future__ import annotations

from quarterdeck.kernel import audit


class StateAction(audit.Action):
    READ = "infra-state.read"
    COMPARED = "infra-state.compared"
    ROLLED_BACK = "infra-state.rolled-back"
    PUSHED = "infra-state.pushed"
    UNLOCKED = "infra-state.unlocked"
    LOCK_TAKEN_OVER = "infra-state.lock-taken-over"
