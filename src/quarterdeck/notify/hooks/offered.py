"""Which domain events other programs may be told of, and by which name."""

from __future__ import annotations

from collections.abc import Iterable

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.events import Event
from quarterdeck.kernel.text import several

OFFERED: dict[str, str] = {
    "deployment-requested": "deployment.requested",
    "deployment-started": "deployment.started",
    "deployment-succeeded": "deployment.succeeded",
    "deployment-failed": "deployment.failed",
    "deployment.canceled": "deployment.canceled",
    "infra-zone-created": "zone.created",
    "infra-zone-changed": "zone.changed",
    "infra-zone-deleted": "zone.deleted",
    "infra-spec-created": "specification.created",
    "infra-spec-changed": "specification.changed",
    "infra-spec-deleted": "specification.deleted",
    "infra-spec-status-changed": "specification.status_changed",
    "confirm_requested": "task.confirm_requested",
    "confirm_resolved": "task.confirm_resolved",
    "mr_created": "task.merge_request_created",
    "worker-enrolled": "machine.enrolled",
    "worker-drained": "machine.drained",
    "worker-undrained": "machine.undrained",
    "worker-offline": "machine.offline",
    "worker-agent-degraded": "machine.agent_degraded",
    "worker-agent-recovered": "machine.agent_recovered",
    "worker-decommissioned": "machine.decommissioned",
    **{
        f"infra-job-{word}": f"infrastructure.job_{word.replace('-', '_')}"
        for word in (
            "queued",
            "claimed",
            "processing",
            "success",
            "failed",
            "cancelled",
            "stalled",
            "approval-requested",
            "approved",
            "rejected",
        )
    },
    "infra-drift-began": "infrastructure.drift_began",
    "infra-drift-ended": "infrastructure.drift_ended",
    "infra-drift-look-failing": "infrastructure.drift_look_failing",
    "infra-drift-look-recovered": "infrastructure.drift_look_recovered",
}
"""Type of the domain event to the name that a webhook knows it by. What is not here is nobody's business outside."""
MOVED = "status_change"
"""The one type for every move of a task; `to` says which state it is in now (contract: tasks §3.4)."""
STATES = ("queued", "assigned", "running", "suspended", "completed", "failed", "cancelled")
TYPES = frozenset({*OFFERED, MOVED})
NAMES = tuple(sorted([*OFFERED.values(), *(f"task.{state}" for state in STATES)]))
GROUPS = tuple(sorted({name.partition(".")[0] for name in NAMES}))
PING = "ping"
"""The name of a test, which every webhook gets when it is asked for."""


def named(event: Event) -> str | None:
    """The name of an event outside; None for one that is not offered."""
    if event.type == MOVED:
        state = event.data.get("to")
        return f"task.{state}" if event.stream.startswith("task:") and state in STATES else None
    return OFFERED.get(event.type)


def checked(patterns: Iterable[str]) -> list[str]:
    """Names, groups such as `task.*`, or `*`; each once, in order. Raises `Invalid` (`webhook_event_unknown`)."""
    wanted = list(dict.fromkeys(patterns))
    known = {"*", *NAMES, *(f"{group}.*" for group in GROUPS)}
    unknown = [one for one in wanted if one not in known]
    if unknown or not wanted:
        raise Invalid(
            f"There is no event {several(unknown)}." if unknown else "A webhook needs events.",
            code="webhook_event_unknown",
            hint=f"Use *, {', '.join(f'{group}.*' for group in GROUPS)}, or one of {', '.join(NAMES)}.",
            field="events",
        )
    return wanted


def matches(patterns: Iterable[str], name: str) -> bool:
    group = f"{name.partition('.')[0]}.*"
    return any(one in {"*", name, group} for one in patterns)
