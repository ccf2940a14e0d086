"""Whether others may count on a service, from what its container looks like."""

from __future__ import annotations

from quarterdeck.deploy.stacks.values import Condition
from quarterdeck.fleet.docker.containers import State

READY = "ready"
WAIT = "wait"


def verdict(state: State | None, asked: Condition, *, may_end: bool) -> str:
    """`ready`, `wait`, or what is wrong, in words that go on behind the service's name. `asked` is what others wait
    for; `may_end` says that the service is well when it has ended without an error.
    """
    if state is None:
        return "was removed by somebody else"
    if not state.running and not state.restarting and state.status != "created":
        well = state.exit_code == 0 and (may_end or asked == "service_completed_successfully")
        if well and asked != "service_healthy":
            return READY
        if state.oom_killed:
            return "ran out of memory"
        return f"ended with exit code {state.exit_code}" + (f" ({state.error})" if state.error else "")
    if not state.running or asked == "service_completed_successfully":
        return WAIT
    if asked == "service_started":
        return READY
    if state.health is None:
        return "has no health check, and another service waits until it is healthy"
    return {"healthy": READY, "unhealthy": "is unhealthy"}.get(state.health.status, WAIT)
