"""Agreeing to plans and destructions, or refusing them."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.infra.plans import approvals
from quarterdeck.infra.plans.approvals import Decision
from quarterdeck.infra.work import reading
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.infra.jobs import MISSING
from quarterdeck.surfaces.infra.plan_shapes import APPROVE, said
from quarterdeck.surfaces.infra.wire import plans as wire
from quarterdeck.surfaces.shared.values import given

REFUSED = (
    MISSING, (403, "approval_own"), (409, "approval_given"), (409, "approval_not_asked"), (409, "plan_applied"),
    (409, "plan_outdated"), (409, "plan_rejected"), (409, "plan_state_moved"),
)  # fmt: skip


@route("POST", "/api/cli/jobs/{id}/approve", permission=APPROVE, errors=REFUSED)
async def approve(call: Call, body: wire.Say, access: Access) -> wire.Approvals:
    """Agree to the plan of a job, or to a destruction that waits for it."""
    return await _say(call, access, "approved", body)


@route("POST", "/api/cli/jobs/{id}/reject", permission=APPROVE, errors=REFUSED)
async def reject(call: Call, body: wire.Say, access: Access) -> wire.Approvals:
    """Say no: the plan is applied never, the destruction is cancelled."""
    return await _say(call, access, "rejected", body)


async def _say(call: Call, access: Access, decision: Decision, body: wire.Say) -> wire.Approvals:
    def verb(tx: Tx) -> wire.Approvals:
        job = reading.find(tx, call.path["id"])
        approvals.say(tx, job, decision, given(body.comment))
        return said(tx, access, job)

    return await call.write(verb)
