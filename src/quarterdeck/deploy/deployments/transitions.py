"""The states of a deployment and the only way between them."""

from __future__ import annotations

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid

ACTIVE = ("created", "planning", "planned", "running", "cancel-requested")
TERMINAL = ("succeeded", "failed", "canceled", "rolled-back")
UNDONE = frozenset(TERMINAL) - {"succeeded"}
"""Ended without what was wanted: these are tried again."""

MOVES: dict[str, frozenset[str]] = {
    "created": frozenset({"planning", "running", "failed", "canceled", "cancel-requested"}),
    "planning": frozenset({"planned", "running", "failed", "canceled", "cancel-requested"}),
    "planned": frozenset({"running", "failed", "canceled", "cancel-requested"}),
    "running": frozenset({"succeeded", "failed", "rolled-back", "cancel-requested"}),
    # A cut-over that was already done when the request came stays done.
    "cancel-requested": frozenset({"canceled", "failed", "succeeded", "rolled-back"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "canceled": frozenset(),
    "rolled-back": frozenset(),
}

EVENTS = {
    "planning": "deployment.planning_started",
    "planned": "deployment.planned",
    "running": "deployment-started",
    "cancel-requested": "deployment.cancel_requested",
    "canceled": "deployment.canceled",
    "succeeded": "deployment-succeeded",
    "failed": "deployment-failed",
    "rolled-back": "deployment-failed",
}


def move(tx: Tx, deployment: Deployment, status: str, **data: object) -> None:
    """Assign a new status with its event. Staying where it is is no move; an illegal one is `invariant_violation`."""
    if deployment.status == status:
        return
    if status not in MOVES[deployment.status]:
        raise Invalid(
            f"The deployment {deployment.ref} is {deployment.status} and cannot become {status}.",
            code="invariant_violation",
        )
    deployment.status = status
    if status == "running" and deployment.started_at is None:
        deployment.started_at = tx.now
    if status in TERMINAL:
        deployment.finished_at = tx.now
    tx.flush()
    events.append(
        tx,
        f"deployment:{deployment.ref}",
        EVENTS[status],
        {"deploymentId": deployment.ref, "status": status, **data},
        organization_id=deployment.organization_id,
    )
