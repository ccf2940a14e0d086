"""What of infrastructure jobs is audited."""

from __future__ import annotations

from quarterdeck.kernel import audit


class InfraJobAction(audit.Action):
    CREATED = "infra-job.created"
    CANCELLED = "infra-job.cancelled"
    PINNED = "infra-job.pinned"
    ENDED = "infra-job.ended"
    STATE_READ = "infra-job.state-read"
    SAVED_PLAN_READ = "infra-job.saved-plan-read"
