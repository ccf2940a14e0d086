"""Reading infrastructure jobs: one, lists of them, and who may cancel one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import defer

from quarterdeck.access import Access
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.holding import missing
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import STATUSES
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden

CANCEL_ANY = "infra:jobs.cancel-any"
LONGEST_ID = 64
MOST_NAMED = 500


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs of the caller's organization, newest first; with `worker_id` those that a worker has or had, whosever.
    `status` is one of `STATUSES`, in any case; any other word finds none. `words` are looked for in the names of the
    organization's specs, of which the newest `MOST_NAMED` that have them count.
    """

    status: str | None = None
    zone_uid: str | None = None
    spec_uid: str | None = None
    job_type: str | None = None
    words: str = ""
    mine: bool = False
    worker_id: int | None = None
    limit: int = 20
    offset: int = 0


def find(tx: Tx, uid: str) -> InfraJob:
    """A job of the caller's organization. Raises `NotFound` (`infra_job_not_found`) for any other."""
    where = (InfraJob.uid == uid.lower()[:LONGEST_ID], InfraJob.organization_id == tx.principal.organization_id)
    job = tx.first(select(InfraJob).where(*where))
    if job is None:
        raise missing(uid)
    return job


def anybodys(tx: Tx, uid: str) -> InfraJob | None:
    """A job of whichever organization: for a runner, which is asked next whether it holds it."""
    return tx.first(select(InfraJob).where(InfraJob.uid == uid.lower()[:LONGEST_ID]))


def page(tx: Tx, wanted: Filter) -> tuple[list[InfraJob], int]:
    """A page and how many there are on all pages."""
    if wanted.status is not None and wanted.status.upper() not in STATUSES:
        return [], 0
    found = queries(tx, wanted)
    if found is None:
        return [], 0
    counting, listing = found
    total = int(tx.execute(counting).scalar_one())
    return list(tx.scalars(listing)), total


def queries(tx: Tx, wanted: Filter) -> tuple[Select[int], Select[InfraJob]] | None:
    """What counts the jobs and what lists a page of them; None where no spec has the words."""
    words = wanted.words.strip()
    named = _named(tx, wanted, words) if words else None
    if named is not None and not named:
        return None
    counting = _where(tx, wanted, named, select(func.count(InfraJob.id)))
    listing = _where(tx, wanted, named, select(InfraJob)).order_by(InfraJob.id.desc())
    return counting, listing.offset(wanted.offset).limit(wanted.limit)


def _named(tx: Tx, wanted: Filter, words: str) -> list[int]:
    """Row ids of specs whose names have the words: the organization's, or those of whomever a runner works for."""
    query = select(Spec.id).where(Spec.project_name.icontains(words, autoescape=True))
    if wanted.worker_id is None:
        query = query.where(Spec.organization_id == tx.principal.organization_id)
    return list(tx.execute(query.order_by(Spec.id.desc()).limit(MOST_NAMED)).scalars())


def _where(tx: Tx, wanted: Filter, named: Sequence[int] | None, query: Select[Any]) -> Select[Any]:
    if named is not None:  # they are the organization's: asked for beside, it would lead past the index of specs
        query = query.where(InfraJob.spec_id.in_(named))
    if wanted.worker_id is not None:
        found = query.where(InfraJob.worker_id == wanted.worker_id)
    elif named is not None:
        found = query
    else:
        found = query.where(InfraJob.organization_id == tx.principal.organization_id)
    if wanted.status is not None:
        found = found.where(InfraJob.status == wanted.status.upper())
    if wanted.job_type is not None:
        found = found.where(InfraJob.job_type == wanted.job_type)
    if wanted.zone_uid is not None:
        zone = select(Zone.id).where(Zone.uid == wanted.zone_uid.lower()[:LONGEST_ID])
        found = found.where(InfraJob.zone_id.in_(zone))
    if wanted.spec_uid is not None:
        spec = select(Spec.id).where(Spec.uid == wanted.spec_uid.lower()[:LONGEST_ID])
        found = found.where(InfraJob.spec_id.in_(spec))
    if wanted.mine:
        found = found.where(InfraJob.owner_id == tx.principal.id)
    return found


def living(tx: Tx, organization_id: int, owner_id: int | None = None) -> int:
    """How many jobs of an organization have not ended; with an owner, how many of that person's."""
    where = [InfraJob.organization_id == organization_id, InfraJob.completed_at.is_(None)]
    if owner_id is not None:
        where.append(InfraJob.owner_id == owner_id)
    return int(tx.execute(select(func.count(InfraJob.id)).where(*where)).scalar_one())


def under_way(tx: Tx, most: int) -> list[InfraJob]:
    """Those of the caller's organization that have not ended, newest first."""
    here = (InfraJob.organization_id == tx.principal.acts_in, InfraJob.completed_at.is_(None))
    query = select(InfraJob).options(defer(InfraJob.execution_metadata)).where(*here)
    return list(tx.scalars(query.order_by(InfraJob.id.desc()).limit(most)))


def of_spec(tx: Tx, spec: Spec, most: int) -> list[InfraJob]:
    """The newest of a specification."""
    mine = select(InfraJob).options(defer(InfraJob.execution_metadata)).where(InfraJob.spec_id == spec.id)
    return list(tx.scalars(mine.order_by(InfraJob.id.desc()).limit(most)))


def of_worker(tx: Tx, worker_id: int, most: int) -> list[InfraJob]:
    """The newest of the caller's organization that a worker has or had."""
    here = (InfraJob.worker_id == worker_id, InfraJob.organization_id == tx.principal.acts_in)
    query = select(InfraJob).options(defer(InfraJob.execution_metadata)).where(*here)
    return list(tx.scalars(query.order_by(InfraJob.id.desc()).limit(most)))


def applying(tx: Tx, plan_job: InfraJob) -> Sequence[InfraJob]:
    """Jobs that apply the plan of a job, or have."""
    return list(tx.scalars(select(InfraJob).where(InfraJob.plan_job_id == plan_job.id).order_by(InfraJob.id).limit(50)))


def taken_by(tx: Tx, plan_job: InfraJob) -> InfraJob | None:
    """The job that applies the plan of a job, or waits to."""
    return next((one for one in applying(tx, plan_job) if one.completed_at is None), None)


def require_canceller(tx: Tx, access: Access, job: InfraJob) -> None:
    """Raise `Forbidden` (`infra_job_not_yours`) unless the caller asked for it or may cancel anybody's."""
    if tx.principal.kind == "user" and tx.principal.id == job.owner_id:
        return
    access.load(tx)
    if not access.decide(tx.principal, CANCEL_ANY).allowed:
        raise Forbidden(
            f"The job {job.uid} is somebody else's.",
            code="infra_job_not_yours",
            hint="Ask whoever asked for it, or an administrator.",
            permission=CANCEL_ANY,
        )
