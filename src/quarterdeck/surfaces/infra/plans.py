"""What a plan would change, and whether it may be applied now."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.infra.plans import plans
from quarterdeck.infra.work import reading
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.infra.jobs import MISSING
from quarterdeck.surfaces.infra.plan_shapes import shown
from quarterdeck.surfaces.infra.wire import plans as wire

VIEW = "infra:specs.view"
PLANNING = frozenset({"PLAN", "DESTROY"})


@route("GET", "/api/cli/jobs/{id}/plan", permission=VIEW, errors=(MISSING, (404, "plan_not_found")))
async def show(call: Call, access: Access) -> wire.PlanShown:
    """What the plan of a job would change, who has agreed to it, and whether it may be applied now."""

    def verb(tx: Tx) -> wire.PlanShown:
        job = reading.find(tx, call.path["id"])
        if job.job_type not in PLANNING and plans.of(tx, job) is None:
            raise NotFound(
                f"The {job.job_type} job {job.uid} has no plan of its own.",
                code="plan_not_found",
                hint="Look at the plan that it applies.",
            )
        return shown(tx, access, job)

    return await call.read(verb)
