"""What of plans is audited."""

from __future__ import annotations

from quarterdeck.kernel import audit


class PlanAction(audit.Action):
    APPROVED = "infra-plan.approved"
    REJECTED = "infra-plan.rejected"
    DESTRUCTION_APPROVED = "infra-destruction.approved"
    DESTRUCTION_REJECTED = "infra-destruction.rejected"
