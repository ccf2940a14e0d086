"""States, plans and what people say of them."""

from __future__ import annotations

import json

from sqlalchemy import select

from quarterdeck.identity.model import Organization
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import backend, contents, locks
from quarterdeck.kernel.db import Tx
from support import infra_rows as rows
from support.acts import Act, Stage, act
from surfaces.acts.infrastructure import spec

STATE = "/api/cli/configurations/{name}/state"
JOB = "/api/cli/jobs/{id}"


async def stands(stage: Stage, *, locked: bool = False) -> str:
    """A specification with two versions of its state, and maybe somebody who works on it."""
    uid = await spec(stage)

    def verb(tx: Tx) -> None:
        one = tx.one(select(Spec).where(Spec.uid == uid), what=uid)
        attempt = rows.begin(tx, rows.job(tx, one))
        locks.lock(tx, attempt, {"ID": "x"})
        for serial in (1, 2):
            state = rows.state(serial, uid[:8], [rows.resource("a")])
            backend.write(tx, attempt, "x", contents.sealed(tx.vault, tx.ids.uid(), contents.read(state)))
        if not locked:
            locks.unlock(tx, attempt, {"ID": "x"})
            rows.end(tx, attempt)

    await stage.write(verb)
    return uid


async def planned(stage: Stage) -> str:
    """A plan that somebody else has asked for."""
    uid = await spec(stage)

    def verb(tx: Tx) -> str:
        place = tx.one(select(Organization).where(Organization.ref == stage.organization), what=stage.organization)
        one = tx.one(select(Spec).where(Spec.uid == uid, Spec.organization_id == place.id), what=uid)
        job = rows.job(tx, one, "PLAN", owner_id=0, status="SUCCESS", completed_at=tx.now)
        rows.plan(tx, job)
        return job.uid

    made: str = await stage.write(verb)
    return made


@act(f"POST {STATE}/rollback")
async def roll_back(stage: Stage) -> Act:
    return Act({"name": await stands(stage)}, {"version": 1, "reason": "it broke"})


@act(f"POST {STATE}/unlock")
async def unlock(stage: Stage) -> Act:
    return Act({"name": await stands(stage, locked=True)}, {"reason": "it hung"})


@act(f"POST {STATE}/push")
async def push(stage: Stage) -> Act:
    uid = await stands(stage)
    return Act({"name": uid}, {"state": json.loads(rows.state(3, uid[:8])), "reason": "mended by hand"})


@act("POST /api/cli/configurations/{name}/drift")
async def look(stage: Stage) -> Act:
    return Act({"name": await stands(stage)})


@act(f"POST {JOB}/approve")
async def approve(stage: Stage) -> Act:
    return Act({"id": await planned(stage)}, {"comment": "as discussed"})


@act(f"POST {JOB}/reject")
async def reject(stage: Stage) -> Act:
    return Act({"id": await planned(stage)}, {"comment": "not today"})
