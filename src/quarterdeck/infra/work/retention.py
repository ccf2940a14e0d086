"""How long ended infrastructure jobs and their lines stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import aliased

from quarterdeck.infra.work.happenings import STREAM, stream
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, lasting, register, spare

LINES, JOBS = timedelta(days=30), timedelta(days=180)
CHUNK = 200


def over(tx: Tx, before: datetime, after: int) -> list[tuple[int, str]]:
    """Rows and uids of jobs that ended before an instant, in order. The plan of a live job stays."""
    other = aliased(InfraJob)
    needed = exists().where(other.plan_job_id == InfraJob.id, other.completed_at.is_(None))
    query = (
        select(InfraJob.id, InfraJob.uid)
        .where(InfraJob.completed_at < before, InfraJob.id > after, ~needed)
        .order_by(InfraJob.id)
        .limit(CHUNK)
    )
    return [(row.id, row.uid) for row in tx.execute(query)]


def forget(tx: Tx, job_id: int, uid: str) -> bool:
    """Remove an ended job with its plan, what was said of it, and its events."""
    gone = tx.execute(delete(InfraJob).where(InfraJob.id == job_id, InfraJob.completed_at.is_not(None)))
    events.erase(tx, stream(uid))
    return bool(gone.rowcount)  # type: ignore[attr-defined]  # a DELETE has one


async def _prune(instance: Any, before: datetime) -> int:
    count = 0
    for name in await instance.logs.older(STREAM, before):
        count += (await instance.logs.prune(name, before=before)).lines
    return count


async def _forget(instance: Any, before: datetime) -> int:
    count = after = 0
    while found := await instance.db.read(over, before, after):
        after = found[-1][0]
        for job_id, uid in found:
            if await instance.db.write(forget, job_id, uid):
                await instance.logs.forget(stream(uid))
                count += 1
    return count


def _there(tx: Tx, streams: Sequence[str]) -> list[str]:
    """Numbers of lines are ids of the wire: a program that follows a job holds one."""
    uids = [one.removeprefix(STREAM) for one in streams]
    found = set(tx.execute(select(InfraJob.uid).where(InfraJob.uid.in_(uids))).scalars())
    return [one for one in streams if one.removeprefix(STREAM) in found]


spare(STREAM)
lasting(STREAM, _there)
register(Category("infra-job-lines", "Log lines of infrastructure jobs", LINES, _prune))
register(Category("infra-jobs", "Infrastructure jobs that have ended", JOBS, _forget))
