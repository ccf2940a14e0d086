"""Going ahead in an emergency: at once, in front of everybody, and reviewed afterwards."""

from __future__ import annotations

from quarterdeck.broker.requests import proceeding
from quarterdeck.broker.requests.actions import RequestAction
from quarterdeck.broker.requests.happenings import audited, happened
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.identity import sessions
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, Invalid


def go_ahead(tx: Tx, request: Request, workflow: Workflow) -> None:
    """Approve a request by itself. Its workflow has to allow that, the caller to have signed in a moment ago in person
    and to say why. Raises `Forbidden` (`emergency_not_allowed`, `session_not_fresh`, `session_required`), `Invalid`.
    """
    if not workflow.break_glass:
        raise Forbidden(
            f"The workflow {workflow.name!r} knows no emergencies.",
            code="emergency_not_allowed",
            hint="Ask for approval.",
        )
    sessions.require_fresh(tx)
    if not request.justification:
        raise Invalid("An emergency needs a reason.", code="justification_required", field="justification")
    request.break_glass = True
    audited(tx, request, RequestAction.BREAK_GLASS, justification=request.justification)
    happened(tx, request, "emergency", f"{tx.principal.label} goes ahead without approval: {request.justification}")
    proceeding.approved(tx, request, workflow, f"{tx.principal.label} went ahead without approval.")
