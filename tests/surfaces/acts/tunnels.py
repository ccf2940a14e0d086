"""Tunnels into workspaces. Nothing carries them: no worker runs."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.identity.model import Organization
from quarterdeck.kernel.db import Tx
from support import kept_workspaces as made
from support.acts import Act, Stage, act


async def task(stage: Stage) -> str:
    """A task of the owner's with a worktree on a worker."""
    name = stage.name("tasks")

    def verb(tx: Tx) -> str:
        where = tx.one(select(Organization).where(Organization.ref == stage.organization), what="organization")
        of = made.project(tx, where.id, name)
        return str(made.task(tx, of, stage.owner.id, made.worker(tx, where.id, name)).id)

    found: str = await stage.write(verb)
    return found


@act("POST /api/web/workspace-tunnel/{taskId}/start")
async def start(stage: Stage) -> Act:
    return Act({"taskId": await task(stage)}, {"kind": "cursor"})


@act("POST /api/web/workspace-tunnel/{taskId}/stop")
async def stop(stage: Stage) -> Act:
    of = await task(stage)
    await stage.ok("POST", f"/api/web/workspace-tunnel/{of}/start", {})
    return Act({"taskId": of}, {})
