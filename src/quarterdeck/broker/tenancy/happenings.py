"""What happens to a project's part: one audit event and one domain event for each change."""

from __future__ import annotations

from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.workspace.model import Project

STREAM = "broker-project:"


class BrokerProjectAction(audit.Action):
    ADOPTED = "broker-project.adopted"


def adopted(tx: Tx, project: Project) -> None:
    """A project that there was already, and that the broker has not known before."""
    audit.record(
        tx,
        BrokerProjectAction.ADOPTED,
        resource_type="project",
        resource_id=project.ref,
        organization_id=project.organization_id,
        detail={"name": project.name, "brokerProjectId": project.uid},
    )


def happened(tx: Tx, project: Project, word: str, **data: object) -> None:
    events.append(
        tx, f"{STREAM}{project.uid}", word, {"projectId": project.uid, **data}, organization_id=project.organization_id
    )
