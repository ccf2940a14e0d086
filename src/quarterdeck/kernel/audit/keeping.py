"""What keeps events from being pruned, in the words of the database, and what keeping says of itself in the trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from quarterdeck.kernel import events
from quarterdeck.kernel.audit.action import Action
from quarterdeck.kernel.audit.record import record
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid

LONGEST_REASON = 2_000
LOCK = "audit-keeping"
"""Who places holds and archives waits for who prunes, and the other way round."""

HELD = """EXISTS (SELECT 1 FROM audit_holds h WHERE h.released_at IS NULL
  AND (h.organization_id IS NULL OR h.organization_id = e.organization_id)
  AND (h.aggregate_id IS NULL OR h.aggregate_id = e.aggregate_id)
  AND (h.action IS NULL OR h.action = e.action)
  AND (h.from_at IS NULL OR e.at >= h.from_at) AND (h.to_at IS NULL OR e.at < h.to_at))"""
RETAINED = "EXISTS (SELECT 1 FROM audit_retained r WHERE r.event_id = e.id)"


class KeepingAction(Action):
    HELD = "legal-hold.placed"
    RELEASED = "legal-hold.released"
    ARCHIVED = "audit-archive.created"
    ARCHIVES_PRUNED = "audit-archive.pruned"
    EXPORTED = "audit.exported"


def note(
    tx: Tx, action: KeepingAction, kind: str, ref: str, organization_id: int | None, detail: Mapping[str, Any]
) -> None:
    """The act in the trail, and as a domain event."""
    record(tx, action, resource_type=kind, resource_id=ref, organization_id=organization_id, detail=detail)
    events.append(
        tx,
        f"audit:{organization_id or 0}",
        str(action).replace(".", "-"),
        {"id": ref},
        organization_id=organization_id,
    )


def check_reason(reason: str, field: str = "reason") -> str:
    """A reason that says something. Raises `Invalid`."""
    told = reason.strip()
    if not told or len(told) > LONGEST_REASON:
        raise Invalid(
            "The reason is empty." if not told else f"The reason is longer than {LONGEST_REASON} characters.",
            hint="Say in a sentence why.",
            field=field,
        )
    return told


def check_span(since: datetime | None, until: datetime | None) -> None:
    """Raises `Invalid` for a span that ends before it begins."""
    if since is not None and until is not None and since >= until:
        raise Invalid("The span ends before it begins.", hint="Give a `from` that is before `to`.", field="to")
