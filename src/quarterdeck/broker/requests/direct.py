"""Reading without approval where a policy lets one, never in production (contract: broker §4.4)."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.access.places import Place
from quarterdeck.broker.policies.resolving import Resolution
from quarterdeck.broker.requests import proceeding
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.requests.transitions import READ
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden

DIRECT = "broker:secret.reveal.direct"


def go_ahead(tx: Tx, access: Access, request: Request, found: Resolution, about: Place) -> None:
    """Raises `Forbidden` (the permission is missing, `production_needs_approval`, `direct_not_allowed`)."""
    access.require(tx.principal, DIRECT, about)
    if request.production:
        raise Forbidden(
            "Nothing of production is read without approval, whatever a policy says.",
            code="production_needs_approval",
            hint="Ask without `direct`.",
        )
    if request.kind != READ or not found.direct_reveal:
        raise Forbidden(
            "No policy lets this be read without approval.", code="direct_not_allowed", hint="Ask without `direct`."
        )
    proceeding.approved(tx, request, found.workflow, "A policy lets it be read without approval.")
