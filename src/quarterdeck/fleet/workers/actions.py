"""What of workers is audited."""

from __future__ import annotations

from quarterdeck.fleet.workers.model import EnrolmentToken, Worker
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx

CHANGED = "workers"
"""The bus topic on which it is said that something of a worker has changed; the payload is its uid."""


class WorkerAction(audit.Action):
    TOKEN_CREATED = "worker-token.created"  # noqa: S105 - a word
    TOKEN_REVOKED = "worker-token.revoked"  # noqa: S105 - a word
    ENROLLED = "worker.enrolled"
    REFRESHED = "worker.refreshed"
    RECOVERED = "worker.recovered"
    CHANGED = "worker.changed"
    DRAINED = "worker.drained"
    UNDRAINED = "worker.undrained"
    REVOKED = "worker.revoked"


def stream(worker: Worker) -> str:
    """The stream of events of a worker."""
    return f"worker:{worker.uid}"


def tell(tx: Tx, worker: Worker, what: str, **data: object) -> None:
    """The domain event of a change of a worker."""
    told = {"name": worker.name, **data}
    events.append(tx, stream(worker), what, told, organization_id=worker.organization_id)
    tx.publish(CHANGED, worker.uid)


def note(tx: Tx, worker: Worker, action: WorkerAction, **detail: object) -> None:
    """The audit event of a change of a worker."""
    audit.record(
        tx,
        action,
        resource_type="worker",
        resource_id=worker.uid,
        organization_id=worker.organization_id,
        detail={"name": worker.name, **detail},
    )


def note_token(tx: Tx, token: EnrolmentToken, action: WorkerAction, **detail: object) -> None:
    audit.record(
        tx,
        action,
        resource_type="worker-token",
        resource_id=str(token.id),
        organization_id=token.organization_id,
        detail={"label": token.label, **detail},
    )
    what = "worker-token-created" if action is WorkerAction.TOKEN_CREATED else "worker-token-revoked"
    events.append(tx, f"worker-token:{token.id}", what, {}, organization_id=token.organization_id)
