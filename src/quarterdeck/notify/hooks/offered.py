"""Which domain events other programs may be told of, and by which name."""

from __future__ import annotations

from collections.abc import Iterable

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.text import several

OFFERED: dict[str, str] = {
    "deployment-requested": "deployment.requested",
    "deployment-started": "deployment.started",
    "deployment-succeeded": "deployment.succeeded",
    "deployment-failed": "deployment.failed",
    "deployment.canceled": "deployment.canceled",
    "task-created": "task.created",
    "task-assigned": "task.assigned",
    "task-started": "task.started",
    "task-suspended": "task.suspended",
    "task-resumed": "task.resumed",
    "task-requeued": "task.requeued",
    "task-retried": "task.retried",
    "task-completed": "task.completed",
    "task-failed": "task.failed",
    "task-cancelled": "task.cancelled",
    "task-gate-opened": "task.gate_opened",
    "task-gate-closed": "task.gate_closed",
    "worker-enrolled": "machine.enrolled",
    "worker-online": "machine.online",
    "worker-offline": "machine.offline",
    "worker-drained": "machine.drained",
    "worker-undrained": "machine.undrained",
    "worker-degraded": "machine.degraded",
    "worker-revoked": "machine.decommissioned",
}
"""Type of the domain event to the name that a webhook knows it by. What is not here is nobody's business outside."""
NAMES = tuple(sorted(OFFERED.values()))
GROUPS = tuple(sorted({name.split(".")[0] for name in NAMES}))
PING = "ping"
"""The name of a test, which every webhook gets when it is asked for."""


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
    group = f"{name.split('.', maxsplit=1)[0]}.*"
    return any(one in {"*", name, group} for one in patterns)
