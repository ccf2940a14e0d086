"""Which runners somebody sees, and may pin a job to: those of their organization, and the cloud-hosted ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, or_, select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.fleet.workers.roster import has
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.runners.model import DefaultRunner, Release, Runner
from quarterdeck.infra.runners.standing import CLOUD_HOSTED, DRIFT, INFRA
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound

MOST = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """A runner as somebody sees it. `runner` is None for a worker that has only just been enrolled."""

    worker: Worker
    runner: Runner | None
    is_default: bool

    @property
    def mode(self) -> str:
        return "self-hosted" if self.runner is None else self.runner.mode

    @property
    def foreign(self) -> bool:
        """Whether it is a program that speaks the documented calls, rather than an enrolled worker."""
        return self.runner is not None and self.runner.token_hash is not None


def visible(tx: Tx, before: str | None = None, limit: int = MOST) -> list[Seen]:
    """The caller's default first, beside so many others, newest first; `before` is the id of the last one of the page
    before.
    """
    query = _seen(tx).order_by(Worker.id.desc()).limit(limit)
    first: list[Seen] = []
    if before is None:
        first = _made(tx.session.execute(_seen(tx).where(DefaultRunner.id.is_not(None))).all())
    else:
        query = query.where(Worker.id < select(Worker.id).where(Worker.uid == before.lower()).scalar_subquery())
    others = _made(tx.session.execute(query.where(DefaultRunner.id.is_(None))).all())
    return [*first, *others]


def find(tx: Tx, uid: str) -> Seen:
    """Raises `NotFound` (`runner_not_found`)."""
    found = _made(tx.session.execute(_seen(tx).where(Worker.uid == uid.lower())).all()) if len(uid) == 36 else []
    if not found:
        raise NotFound("Worker not found", code="runner_not_found", hint="See the list of runners.")
    return found[0]


def usable(tx: Tx, uid: str) -> Worker:
    """One that the caller may pin a job to. Raises `NotFound` (`runner_not_found`)."""
    return find(tx, uid).worker


def current_job(tx: Tx, worker: Worker) -> str | None:
    """The uid of the job that it has, the newest one where it has several."""
    asked = (
        select(InfraJob.uid)
        .where(InfraJob.worker_id == worker.id, InfraJob.completed_at.is_(None))
        .order_by(InfraJob.id.desc())
        .limit(1)
    )
    uid: str | None = tx.execute(asked).scalar()
    return uid


def current_jobs(tx: Tx, workers: Iterable[Worker]) -> dict[int, str]:
    """The same of some runners, by their row ids."""
    ids = [one.id for one in workers]
    asked = select(InfraJob.worker_id, InfraJob.uid).where(InfraJob.worker_id.in_(ids), InfraJob.completed_at.is_(None))
    return {number: uid for number, uid in tx.execute(asked.order_by(InfraJob.id)) if number is not None}


def identities_of(tx: Tx, found: Iterable[Seen]) -> dict[int, str]:
    """The uids of the cloud identities that some runners are bound to, by their rows."""
    ids = {one.runner.cloud_identity_id for one in found if one.runner is not None and one.runner.cloud_identity_id}
    rows = tx.execute(select(CloudIdentity.id, CloudIdentity.uid).where(CloudIdentity.id.in_(ids))).all()
    return {row[0]: row[1] for row in rows}


def release_of(tx: Tx, seen: Seen) -> Release | None:
    """The published version that it runs, if it is one."""
    if seen.worker.version is None:
        return None
    return tx.first(select(Release).where(Release.version == seen.worker.version))


def _seen(tx: Tx) -> Select[Worker, Runner, int]:
    mine = and_(
        DefaultRunner.worker_id == Worker.id,
        DefaultRunner.user_id == (tx.principal.id if tx.principal.kind == "user" else 0),
        DefaultRunner.organization_id == tx.principal.organization_id,
    )
    return (
        select(Worker, Runner, DefaultRunner.id)
        .outerjoin(Runner, Runner.worker_id == Worker.id)
        .outerjoin(DefaultRunner, mine)
        .where(Worker.revoked_at.is_(None), _within_reach(tx))
    )


def _within_reach(tx: Tx) -> ColumnElement[bool]:
    own = and_(Worker.organization_id == tx.principal.organization_id, or_(has(INFRA), has(DRIFT)))
    return or_(own, Runner.mode == CLOUD_HOSTED)


def _made(rows: Iterable[tuple[Worker, Runner | None, int | None]]) -> list[Seen]:
    return [Seen(worker, runner, default is not None) for worker, runner, default in rows]
