"""Log lines of deployments that an administrator's default takes away; by itself the program keeps them for ever."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quarterdeck.deploy.deployments.archiving import STREAM
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, Sweep, register

CHUNK = 500


def owned(tx: Tx, streams: list[str], sweep: Sweep) -> list[str]:
    """Those of the streams whose attempts belong to the share of a sweep."""
    refs = [stream.removeprefix(STREAM) for stream in streams]
    rows = tx.execute(select(Deployment.ref, Deployment.organization_id).where(Deployment.ref.in_(refs)))
    return [f"{STREAM}{ref}" for ref, organization_id in rows if organization_id in sweep.share]


async def _sweep(instance: Any, sweep: Sweep) -> int:
    streams = await instance.logs.older(STREAM, sweep.before)
    count = 0
    for start in range(0, len(streams), CHUNK):
        for stream in await instance.db.read(owned, streams[start : start + CHUNK], sweep):
            done = await instance.logs.prune(stream, before=sweep.before, dry_run=sweep.dry_run)
            count += done.lines
    return count


register(
    Category(
        "deployment-logs", "Log lines of deployments, where a default says so", None, governed="deployment-logs",
        sweep=_sweep,
    )
)  # fmt: skip
