"""What happens to workflows: one audit event and one domain event for each change."""

from __future__ import annotations

from quarterdeck.broker.workflows import versions
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx

STREAM = "broker-workflow:"


class WorkflowAction(audit.Action):
    CREATED = "workflow.created"
    CHANGED = "workflow.changed"
    DELETED = "workflow.deleted"


def happened(tx: Tx, workflow: Workflow, action: WorkflowAction, **detail: object) -> None:
    """Also makes what was compiled of the organization's rules outdated."""
    tx.flush()
    versions.renew(tx, workflow.organization_id)
    said = {"name": workflow.name, **detail}
    audit.record(
        tx,
        action,
        resource_type="workflow",
        resource_id=workflow.uid,
        organization_id=workflow.organization_id,
        detail=said,
    )
    events.append(
        tx,
        f"{STREAM}{workflow.uid}",
        f"broker-{str(action).replace('.', '-')}",
        {"workflowId": workflow.uid, **said},
        organization_id=workflow.organization_id,
    )
