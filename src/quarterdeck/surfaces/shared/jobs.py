"""`GET /api/jobs`, which runbooks and infrastructure share: who asks decides whose jobs are listed.

Programs that came in by `/api/auth/cli/…` are infrastructure's, and know of nothing else, as are runners, which are
shown the jobs that they have or had; anybody else may say `surface`.
Jobs of runbooks there are none yet (docs/reference/not-yet.md): their page is empty.
"""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.infra.work import reading
from quarterdeck.infra.work.types import canonical
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.infra.job_shapes import shapes
from quarterdeck.surfaces.infra.wire import jobs as wire
from quarterdeck.surfaces.shared.values import given

INFRA, RUNBOOKS = "infra:jobs.view", "runbooks:jobs.view_own"


def of_infrastructure(call: Call, surface: str | None) -> bool:
    """Tokens of programs are JWTs (`surfaces.infra.device_login`), which no other credential is."""
    if surface is not None:
        return surface == "infra"
    scheme, _, presented = call.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and presented.strip().count(".") == 2


@route(
    "GET",
    "/api/jobs",
    permission="authenticated",
    narrowed="*",
    callers=("runner", "people"),
    errors=((403, "product_auth_forbidden"),),
)
async def listed(call: Call, query: wire.JobsQuery, access: Access) -> wire.Jobs:
    """Jobs of infrastructure, or of runbooks, newest first."""
    runner = call.principal.kind == "runner"
    infra = runner or of_infrastructure(call, given(query.surface))
    limit = min(query.limit, wire.MOST)

    def verb(tx: Tx) -> wire.Jobs:
        if not runner:
            access.load(tx)
            access.require(tx.principal, INFRA if infra else RUNBOOKS)
        if not infra:
            return wire.Jobs(jobs=[], total=0, limit=limit, offset=query.offset)
        job_type = given(query.job_type)
        wanted = reading.Filter(
            status=given(query.status) or None,
            zone_uid=given(query.zone_id) or given(query.vineyard_id) or None,
            spec_uid=given(query.configuration_id) or given(query.spec_id) or None,
            job_type=canonical(job_type.upper()) if job_type else None,
            words=query.q,
            mine=query.mine,
            worker_id=tx.principal.id if runner else None,
            limit=limit,
            offset=query.offset,
        )
        found, total = reading.page(tx, wanted)
        return wire.Jobs(jobs=shapes(tx, found, listed=True), total=total, limit=limit, offset=query.offset)

    return await call.read(verb)
