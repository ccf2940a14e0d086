"""What happens to specs: one audit event for each change by somebody, and a domain event for each change at all."""

from __future__ import annotations

from quarterdeck.infra.specs.model import Spec
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx

STREAM = "infra-spec:"


class SpecAction(audit.Action):
    CREATED = "infra-spec.created"
    CHANGED = "infra-spec.changed"
    DELETED = "infra-spec.deleted"
    PROVISIONED = "infra-spec.provisioned"
    DESTROYED = "infra-spec.destroyed"
    STATUS_CHANGED = "infra-spec.status-changed"


def stream(spec: Spec) -> str:
    return f"{STREAM}{spec.uid}"


def audited(tx: Tx, spec: Spec, action: SpecAction, **detail: object) -> None:
    audit.record(
        tx,
        action,
        resource_type="infra-spec",
        resource_id=spec.uid,
        organization_id=spec.organization_id,
        detail={"projectName": spec.project_name, **detail},
    )


def happened(tx: Tx, spec: Spec, word: str, **data: object) -> None:
    told = {"specId": spec.uid, "projectName": spec.project_name, **data}
    events.append(tx, stream(spec), word, told, organization_id=spec.organization_id)
