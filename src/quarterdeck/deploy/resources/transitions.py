"""The states of a resource and of an attempt to stop, start or restart what serves, and the only ways between them."""

from __future__ import annotations

from typing import Literal

from quarterdeck.deploy.resources.model import Resource, RuntimeControl
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid

FIRST = "accepted"
UNDER_WAY = ("accepted", "running")
TERMINAL = ("succeeded", "failed")

MOVES: dict[str, frozenset[str]] = {
    # What is canceled before a worker had it has failed.
    "accepted": frozenset({"running", "failed"}),
    "running": frozenset({"succeeded", "failed"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
}

LIFECYCLE_MOVES: dict[str, frozenset[str]] = {
    "active": frozenset({"archived"}),
    "archived": frozenset({"deleted"}),
    "deleted": frozenset(),
}

TOWARDS = {"stop": "stopping", "start": "starting", "restart": "restarting"}
DONE = {"stop": "stopped", "start": "running", "restart": "running"}
PHASES = {"stop": ("stop",), "start": ("start",), "restart": ("stop", "start")}


def close(tx: Tx, resource: Resource, lifecycle: str) -> None:
    """Take a resource one step further out of use; there is no way back. Skipping one is `invariant_violation`."""
    if lifecycle not in LIFECYCLE_MOVES[resource.lifecycle]:
        raise Invalid(
            f"The resource {resource.name} is {resource.lifecycle} and cannot become {lifecycle}.",
            code="invariant_violation",
        )
    resource.lifecycle = lifecycle
    if lifecycle == "archived":
        resource.archived_at = tx.now
    else:
        resource.deleted_at, resource.live_slug = tx.now, None


def want(resource: Resource, wanted: Literal["running", "stopped"]) -> None:
    """Say what the runtime of a resource should be: what was stopped on purpose is not started again."""
    resource.wanted = wanted


def serve(resource: Resource, deployment_id: int | None) -> int | None:
    """Say whose runtime answers from now on, or that none does. Answers the deployment that did so before."""
    before, resource.serving_id = resource.serving_id, deployment_id
    return before


def begin(tx: Tx, resource: Resource, attempt: RuntimeControl) -> None:
    """The first status of an attempt that is about to be added, with its event."""
    attempt.status = FIRST
    attempt.runtime_state = TOWARDS[attempt.operation]
    attempt.phases = [{"phase": phase, "status": "pending"} for phase in PHASES[attempt.operation]]
    _tell(tx, resource, attempt)


def move(tx: Tx, resource: Resource, attempt: RuntimeControl, status: str, *, error_code: str | None = None) -> None:
    """Assign a new status with what follows from it, and its event. Staying where it is is no move (a worker may take
    an attempt up that another has lost); an illegal one is `invariant_violation`.
    """
    if attempt.status == status:
        return
    if status not in MOVES[attempt.status]:
        raise Invalid(
            f"The attempt {attempt.ref} is {attempt.status} and cannot become {status}.", code="invariant_violation"
        )
    attempt.status = status
    if status in TERMINAL:
        attempt.error_code = error_code
        attempt.runtime_state = DONE[attempt.operation] if status == "succeeded" else "unknown"
        attempt.completed_at = tx.now
    attempt.phases = _phases(attempt)
    tx.flush()
    _tell(tx, resource, attempt)


def _phases(attempt: RuntimeControl) -> list[dict[str, object]]:
    """A worker tells of the end alone: until then the first phase stands for the whole."""
    first, *rest = attempt.phases
    if attempt.status == "running":
        return [{**first, "status": "running"}, *rest]
    error = {"errorCode": attempt.error_code} if attempt.error_code else {}
    return [{**phase, "status": attempt.status, **error} for phase in attempt.phases]


def _tell(tx: Tx, resource: Resource, attempt: RuntimeControl) -> None:
    events.append(
        tx,
        f"resource:{resource.ref}",
        "resource-runtime-control",
        {
            "resourceId": resource.ref,
            "runtimeControlAttemptId": attempt.ref,
            "operation": attempt.operation,
            "status": attempt.status,
        },
        organization_id=resource.organization_id,
    )
