"""What of wraps is audited (contract: broker §7): names, lengths and keyed hashes, never a value."""

from __future__ import annotations

from quarterdeck.broker import acting
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.wraps.model import Wrap
from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import Outcome
from quarterdeck.kernel.db import Tx


class WrapAction(audit.Action):
    CREATED = "wrap.create"
    RETRIEVED = "wrap.retrieve"
    BLANKED = "wrap.blank"


def note(
    tx: Tx, wrap: Wrap, request: Request, action: WrapAction, outcome: Outcome = "success", **detail: object
) -> None:
    with acting.about(tx, request.uid):
        audit.record(
            tx,
            action,
            resource_type="wrap",
            resource_id=wrap.uid,
            organization_id=request.organization_id,
            outcome=outcome,
            aggregate_id=request.uid,
            detail={"key_name": wrap.key_name, "direction": wrap.direction, **detail},
        )
