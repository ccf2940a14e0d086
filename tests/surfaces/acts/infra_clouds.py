"""Cloud identities: begun, connected, looked at again, taken away."""

from __future__ import annotations

from sqlalchemy import update

from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.kernel.db import Tx
from support.acts import Act, Stage, act
from surfaces.acts.infra_runners import identity
from surfaces.acts.infrastructure import zone

PROVIDER = "/api/cli/providers/{provider}"
AWS = {"provider": "aws"}


async def begun(stage: Stage) -> str:
    made: str = (await stage.ok("POST", PROVIDER.format(**AWS) + "/init", {"name": stage.name("cloud")}))["identity_id"]
    return made


def connection(uid: str) -> dict[str, object]:
    return {"identity_id": uid, "credentials": {"role_arn": "arn:aws:iam::123456789012:role/deck"}}


@act(f"POST {PROVIDER}/init")
async def begin(stage: Stage) -> Act:
    return Act(dict(AWS), {"name": stage.name("cloud")})


@act(f"POST {PROVIDER}/connect")
async def connect(stage: Stage) -> Act:
    return Act(dict(AWS), connection(await begun(stage)))


@act(f"POST {PROVIDER}/verify")
async def verify(stage: Stage) -> Act:
    uid = await begun(stage)
    job = (await stage.ok("POST", PROVIDER.format(**AWS) + "/connect", connection(uid)))["job_id"]

    def proved(tx: Tx) -> None:
        tx.execute(update(CloudIdentity).where(CloudIdentity.uid == uid).values(verified_at=tx.now))

    await stage.write(proved)
    return Act(dict(AWS), {"identity_id": uid, "job_id": job})


@act(f"POST {PROVIDER}/disconnect")
async def disconnect(stage: Stage) -> Act:
    uid = await identity(stage)
    return Act(dict(AWS), {"identity_id": uid}, known={"identity_id": uid})


@act("POST /api/cli/cloud-identities/{id}/refresh")
async def refresh(stage: Stage) -> Act:
    return Act({"id": await identity(stage)})


@act("PUT /api/cli/cloud-identities/{id}/zones")
async def bind(stage: Stage) -> Act:
    return Act({"id": await identity(stage)}, {"zone_ids": [await zone(stage)]})
