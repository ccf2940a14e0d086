"""Machines: enrolment tokens, how a machine registers and comes back, what is decided about it."""

from __future__ import annotations

import uuid

from quarterdeck.kernel.db import Tx
from support.acts import Act, Person, Stage, act
from support.enrolled import Enrolled, enrolled
from surfaces.acts import making


async def machine(stage: Stage, *, draining: bool = False) -> Enrolled:
    """One of the organization that was heard a moment ago."""
    here = await making.home(stage)

    def verb(tx: Tx) -> Enrolled:
        tokens, name = stage.deck.instance.worker_tokens, stage.name("machine")
        made = enrolled(tx, ["tasks"], organization_id=here, tokens=tokens, name=name)
        made.worker.last_seen_at = tx.now
        made.worker.drain_requested_at = tx.now if draining else None
        return made

    found: Enrolled = await stage.write(verb)
    return found


async def token(stage: Stage) -> dict[str, str]:
    found: dict[str, str] = await stage.ok("POST", "/api/admin/worker-tokens", {"label": stage.name("token")})
    return found


@act("POST /api/admin/worker-tokens")
async def create(stage: Stage) -> Act:
    return Act(body={"label": stage.name("token"), "expiresInHours": 24})


@act("POST /api/admin/worker-tokens/{id}/revoke")
async def revoke(stage: Stage) -> Act:
    return Act({"id": str((await token(stage))["id"])})


@act("POST /api/workers/register")
async def register(stage: Stage) -> Act:
    name = stage.name("machine")
    said = {"token": (await token(stage))["token"], "machineId": str(uuid.uuid4()), "name": name}
    return Act(body={**said, "capabilities": ["claude"], "maxSlots": 2}, nobody=True, known={"name": name})


@act("POST /api/workers/refresh-token")
async def refresh(stage: Stage) -> Act:
    made = await machine(stage)
    return Act(by=Person(made.id, made.uid, made.worker.name, made.access.reveal()))


@act("POST /api/workers/recover")
async def recover(stage: Stage) -> Act:
    made = await machine(stage)
    body = {"machineId": made.uid, "recoverySecret": made.recovery.reveal()}
    return Act(body=body, nobody=True, known={"name": made.worker.name})


@act("POST /api/web/machines/{id}/drain")
async def drain(stage: Stage) -> Act:
    return Act({"id": (await machine(stage)).uid}, {"reason": "a new disk"})


@act("POST /api/web/machines/{id}/undrain")
async def undrain(stage: Stage) -> Act:
    return Act({"id": (await machine(stage, draining=True)).uid})


@act("PUT /api/admin/machines/{id}")
async def change(stage: Stage) -> Act:
    return Act({"id": (await machine(stage)).uid}, {"name": stage.name("machine"), "maxSlots": 3})


@act("DELETE /api/admin/machines/{id}")
async def decommission(stage: Stage) -> Act:
    return Act({"id": (await machine(stage)).uid})
