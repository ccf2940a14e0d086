"""Clearing on servers behind SSH that was given up because the server was away for too long: asked for again daily."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from quarterdeck.deploy.deployments.following import RETIRE, follow_up
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import TERMINAL
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.servers.servers import LOCAL
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, register

MOST = 500


def ask_again(tx: Tx, before: datetime) -> int:
    """Ask for the clearing of attempts that ended before an instant, have left something behind SSH, and that nobody is
    at work on. Answers how many.
    """
    serving = select(Resource.serving_id).where(Resource.serving_id.is_not(None))
    rows = tx.scalars(
        select(Deployment)
        .join(Server, Server.id == Deployment.server_id)
        .where(
            Server.provider != LOCAL,
            Server.lifecycle == "active",
            Server.uninstalling_at.is_(None),
            Deployment.retired_at.is_(None),
            Deployment.status.in_(TERMINAL),
            Deployment.started_at.is_not(None),
            Deployment.finished_at < before,
            Deployment.id.not_in(serving),
        )
        .order_by(Deployment.id)
        .limit(MOST)
    )
    waiting = jobs.list_jobs(tx, jobs.Filter(kind=RETIRE, states=tuple(jobs.LIVE), limit=1_000_000))
    busy = {job.subject for job in waiting}
    asked = [row for row in rows if f"deployment:{row.ref}" not in busy]
    for row in asked:
        follow_up(tx, row, "retire" if row.status == "succeeded" else "clean")
    return len(asked)


async def _again(instance: Any, before: datetime) -> int:
    return int(await instance.db.write(ask_again, before))


register(
    Category("clearing", "What could not be cleared away on servers that were out of reach", timedelta(days=1), _again)
)
