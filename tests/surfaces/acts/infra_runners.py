"""Runners of infrastructure jobs: how they come to be, and what is decided about them."""

from __future__ import annotations

from sqlalchemy import update as update_of

from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.runners import releases
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import CANCELLED
from quarterdeck.kernel.db import Tx
from support.acts import Act, Stage, act
from surfaces.acts import making


async def runner(stage: Stage) -> str:
    body = {"name": stage.name("runner"), "mode": "self-hosted"}
    found: str = (await stage.ok("POST", "/api/cli/workers", body))["worker_id"]
    return found


async def identity(stage: Stage) -> str:
    """One of AWS that was verified."""
    here = await making.home(stage)

    def verb(tx: Tx) -> str:
        made = tx.add(
            CloudIdentity(
                uid=tx.ids.uid(),
                organization_id=here,
                owner_id=stage.owner.id,
                provider="aws",
                name=stage.name("cloud"),
                credentials={"role_arn": "arn:aws:iam::123456789012:role/deck", "account_id": "123456789012"},
                cached_resources={},
                verified_at=tx.now,
                created_at=tx.now,
            )
        )
        return made.uid

    found: str = await stage.write(verb)
    return found


@act("POST /api/cli/workers")
async def register(stage: Stage) -> Act:
    return Act(body={"name": stage.name("runner"), "mode": "self-hosted"})


@act("DELETE /api/cli/workers/{id}")
async def remove(stage: Stage) -> Act:
    return Act({"id": await runner(stage)})


@act("POST /api/cli/workers/{id}/drain")
async def drain(stage: Stage) -> Act:
    return Act({"id": await runner(stage)}, {"draining": True, "reason": "new disk"})


@act("POST /api/cli/workers/{id}/default")
async def choose(stage: Stage) -> Act:
    return Act({"id": await runner(stage)})


@act("POST /api/cli/workers/enrolment-tokens")
async def mint(stage: Stage) -> Act:
    return Act(body={"label": stage.name("token"), "expires_in_hours": 2})


@act("POST /api/workers/bootstrap")
async def bootstrap(stage: Stage) -> Act:
    made = await stage.ok("POST", "/api/cli/workers/enrolment-tokens", {"label": stage.name("token")})
    name = stage.name("runner")
    return Act(body={"token": made["token"], "name": name}, nobody=True, known={"name": name})


@act("POST /api/cli/workers/deploy")
async def deploy(stage: Stage) -> Act:
    body = {"name": stage.name("runner"), "cloud_identity_id": await identity(stage), "region": "eu-west-1"}
    return Act(body=body)


@act("POST /api/cli/workers/{id}/update")
async def update(stage: Stage) -> Act:
    made = await stage.ok("POST", "/api/cli/workers/deploy", (await deploy(stage)).body)

    def verb(tx: Tx) -> None:
        over = {"status": CANCELLED, "completed_at": tx.now}
        tx.execute(update_of(InfraJob).where(InfraJob.uid == made["job"]["id"]).values(over))
        if releases.newest(tx) is None:
            releases.publish(tx, releases.Published(version="9.9.9"))

    await stage.write(verb)
    return Act({"id": made["runner"]["id"]}, {})
