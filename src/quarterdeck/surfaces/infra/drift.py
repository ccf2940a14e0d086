"""Whether what stands is still what was applied."""

from __future__ import annotations

from quarterdeck.infra.plans import drift as looks
from quarterdeck.infra.plans import failing
from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.infra.configurations import ONE, UNKNOWN
from quarterdeck.surfaces.infra.job_shapes import shape
from quarterdeck.surfaces.infra.plan_shapes import changes
from quarterdeck.surfaces.infra.shapes import at
from quarterdeck.surfaces.infra.wire import plans as wire

DRIFT = f"{ONE}/drift"


@route("GET", DRIFT, permission="infra:specs.view", errors=UNKNOWN)
async def show(call: Call) -> wire.DriftShown:
    """What the last look at a configuration found, and when the next one is due."""
    return await call.read(lambda tx: told(tx, specs.meant(tx, call.path["name"])))


@route(
    "POST",
    DRIFT,
    permission="infra:jobs.plan",
    status=201,
    errors=(*UNKNOWN, (409, "drift_not_now"), (409, "infra_too_many_jobs")),
)
async def look(call: Call) -> wire.DriftAsked:
    """Look now, whenever the next look is due."""

    def verb(tx: Tx) -> wire.DriftAsked:
        return wire.DriftAsked(job=shape(tx, looks.look_now(tx, specs.meant(tx, call.path["name"]))))

    return await call.write(verb)


def told(tx: Tx, spec: Spec) -> wire.DriftShown:
    kept, failed = spec.drift, failing.newest(tx, spec)
    return wire.DriftShown(
        drift=None
        if not kept
        else wire.Drift(
            drifted=kept.get("drifted") is True,
            at=str(kept.get("at")),
            job_id=kept.get("job"),
            changes=changes(kept.get("changes") or ()),
            left_out=int(kept.get("left_out") or 0),
        ),
        failing=None
        if failed is None
        else wire.FailedLook(
            job_id=failed.uid, at=at(failed.completed_at), code=failed.error_code, message=failed.error_message
        ),
        minutes=spec.drift_minutes,
        due_at=at(spec.drift_due_at),
        checked_at=at(spec.drift_checked_at),
    )
