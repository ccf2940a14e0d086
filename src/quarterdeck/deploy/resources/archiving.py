"""Taking a resource out of use: it is archived for good, and what it ran is taken away once it is stopped."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.deploy.deployments.following import CHANGED, follow_up
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources.model import Resource, RuntimeControl
from quarterdeck.deploy.resources.resources import ResourceAction, locked, note
from quarterdeck.deploy.resources.transitions import UNDER_WAY, close, serve
from quarterdeck.kernel.db import Tx
from quarterdeck.workspace.names import check_reason


def archive(tx: Tx, ref: str, reason: str | None = None) -> Resource:
    """Archive; repeating it is a success without a second event. What runs goes on; what is stopped is taken away."""
    resource = locked(tx, ref)
    reason = check_reason(reason)
    if resource.lifecycle == "active":
        close(tx, resource, "archived")
        note(tx, resource, ResourceAction.ARCHIVED, "resource-archived", {"reason": reason})
        if resource.wanted == "stopped" and not _stopping(tx, resource):
            put_away(tx, resource)
    return resource


def put_away(tx: Tx, resource: Resource) -> None:
    """Nothing of an archived resource is ever started again: remove its stopped runtime, its route and what was kept
    for rollbacks.
    """
    serving = serve(resource, None)
    kept = Deployment.artifact_retained.is_(True)
    rows = tx.scalars(
        select(Deployment).where(Deployment.resource_id == resource.id, kept | (Deployment.id == serving))
    )
    for row in list(rows):
        row.artifact_retained = False
        follow_up(tx, row, "clean" if row.id == serving else "forget")
    tx.flush()
    tx.publish(CHANGED)


def _stopping(tx: Tx, resource: Resource) -> bool:
    """Whether a stop is still under way: its end takes away what it has stopped."""
    mine = select(RuntimeControl).where(RuntimeControl.resource_id == resource.id, RuntimeControl.status.in_(UNDER_WAY))
    return tx.first(mine) is not None
