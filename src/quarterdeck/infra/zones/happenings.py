"""What happens to zones: one audit event and one domain event for each change."""

from __future__ import annotations

from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx

STREAM = "infra-zone:"


class ZoneAction(audit.Action):
    CREATED = "infra-zone.created"
    CHANGED = "infra-zone.changed"
    DELETED = "infra-zone.deleted"


def audited(tx: Tx, zone: Zone, action: ZoneAction, **detail: object) -> None:
    audit.record(
        tx,
        action,
        resource_type="infra-zone",
        resource_id=zone.uid,
        organization_id=zone.organization_id,
        detail=detail,
    )


def happened(tx: Tx, zone: Zone, word: str, **data: object) -> None:
    events.append(tx, f"{STREAM}{zone.uid}", word, {"zoneId": zone.uid, **data}, organization_id=zone.organization_id)
