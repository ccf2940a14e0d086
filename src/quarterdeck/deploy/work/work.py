"""Work attempts: which there are, what each is about, and what a person may do with one.

The ledger is the source. A caller sees the jobs of the own organization; members of the organization that every
installation starts with see the installation's own jobs (housekeeping) too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.work import away, waiting
from quarterdeck.deploy.work.waiting import Waiting
from quarterdeck.fleet.servers.model import Server
from quarterdeck.identity.machine import Machine
from quarterdeck.kernel import jobs
from quarterdeck.kernel.clock import instant
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.workspace.projects import organization_of

FEW = 2_000
"""Up to so many deployments their jobs are found by subject; where there are more, the newest jobs are looked through,
which then hold enough of them.
"""
CHUNK = 500
PRUNE_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A job with what its room says of it, and why it does not run yet where it waits."""

    job: jobs.Job
    about: jobs.About
    waiting: Waiting | None
    updated_at: datetime

    @property
    def kind(self) -> jobs.WorkKind:
        return jobs.kinds.work(self.job.kind).kind

    @property
    def title(self) -> str:
        return jobs.kinds.title(self.job.kind)

    @property
    def may_cancel(self) -> bool:
        return jobs.may_cancel(self.job)

    @property
    def may_retry(self) -> bool:
        return self.job.state in {"failed", "retry-scheduled"} and bool(self.job.retriable)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which work to list; empty fields leave the choice open. Ids are wire ids."""

    kind: jobs.WorkKind | None = None
    status: str | None = None
    resource: str | None = None
    server: str | None = None
    deployment: str | None = None


def scope(tx: Tx) -> tuple[int, bool]:
    """The caller's organization, and whether the installation's own jobs are its too."""
    organization_id = organization_of(tx)
    return organization_id, Machine.belongs_to(tx, organization_id)


def find(tx: Tx, ref: str) -> jobs.Job:
    """The job behind a work id (`wrk_…`). Raises `operator_work_not_found`, also for another organization's."""
    missing = NotFound(
        f"There is no work {ref[:60]}.",
        code="operator_work_not_found",
        hint="It may have been pruned. qd work ls lists what there is.",
    )
    try:
        job = jobs.get(tx, jobs.work_ref_id(ref))
    except (ValueError, NotFound):
        raise missing from None
    organization_id, with_own = scope(tx)
    if job.organization_id != organization_id and not (with_own and job.organization_id is None):
        raise missing
    if job.kind in jobs.kinds.unlisted():
        raise missing
    return job


def seen(tx: Tx, found: Sequence[jobs.Job], seats: Sequence[jobs.Seat], *, whole: bool = False) -> list[Seen]:
    """The jobs with what is known of them; `whole` also counts who stands in line before each."""
    told = jobs.kinds.about(tx, found)
    places = jobs.places(tx, [job.id for job in found if not job.ended])
    reasons = waiting.reasons(tx, found, places, seats, whole=whole) | away.reasons(tx, found, told, places)
    reasons |= away.in_line(tx, reasons)
    return [Seen(job, told[job.id], reasons.get(job.id), instant(_updated(job, places.get(job.id)))) for job in found]


def _updated(job: jobs.Job, place: jobs.Place | None) -> int:
    if job.finished_us is not None:
        return job.finished_us
    touched = place.touched_us if place is not None else None
    return max(job.created_us, job.started_us or 0, touched or 0, job.cancel_us or 0)


def newest(tx: Tx, wanted: Wanted, limit: int, seats: Sequence[jobs.Seat]) -> list[Seen]:
    """The newest `limit` that are wanted."""
    if wanted.status is not None and wanted.status not in set(jobs.State):
        return []
    organization_id, with_own = scope(tx)
    unlisted = jobs.kinds.unlisted()
    given: dict[str, Any] = {"organization_id": organization_id, "with_own": with_own, "other_kinds": unlisted}
    if wanted.status is not None:
        given["states"] = (jobs.State(wanted.status),)
    if wanted.kind == "system":
        named = tuple(kind for kind in _words() if kind != "system")
        given["other_kinds"] = (*unlisted, *jobs.kinds.of_work(*named))
    elif wanted.kind is not None:
        given["kinds"] = tuple(kind for kind in jobs.kinds.of_work(wanted.kind) if kind not in unlisted)
        if not given["kinds"]:
            return []
    if wanted.deployment is not None:
        given["subject"] = f"deployment:{wanted.deployment}"
    links = {"resourceId": wanted.resource, "serverId": wanted.server}
    asked = {name: ref for name, ref in links.items() if ref is not None}
    if wanted.deployment is None and asked:
        subjects = _subjects(tx, organization_id, wanted)
        if subjects is not None:
            given["subjects"] = subjects
    return seen(tx, _matching(tx, given, asked, limit), seats)


def _words() -> tuple[jobs.WorkKind, ...]:
    from typing import get_args

    return get_args(jobs.WorkKind)


def _matching(tx: Tx, given: dict[str, Any], asked: dict[str, str], limit: int) -> list[jobs.Job]:
    if not asked:
        return jobs.list(tx, jobs.Filter(**given, limit=limit))
    found: list[jobs.Job] = []
    before, size = None, limit if "subjects" in given else CHUNK
    while len(found) < limit:
        page = jobs.list(tx, jobs.Filter(**given, before=before, limit=size))
        told = jobs.kinds.about(tx, page)
        found += [job for job in page if all(told[job.id].links.get(name) == ref for name, ref in asked.items())]
        if len(page) < size:
            break
        before = page[-1].id
    return found[:limit]


def _subjects(tx: Tx, organization_id: int, wanted: Wanted) -> tuple[str, ...] | None:
    """What the wanted work can be about; None when that is too much to name."""
    deployments = select(Deployment.ref, Resource.ref).join(Resource, Resource.id == Deployment.resource_id)
    subjects: list[str] = []
    if wanted.resource is not None:
        resource = tx.first(
            select(Resource).where(Resource.ref == wanted.resource, Resource.organization_id == organization_id)
        )
        subjects.append(f"resource:{wanted.resource}")
        deployments = deployments.where(Deployment.resource_id == (resource.id if resource else 0))
    else:
        server = tx.first(select(Server).where(Server.ref == wanted.server, Server.organization_id == organization_id))
        subjects.append(f"server:{wanted.server}")
        deployments = deployments.where(Deployment.server_id == (server.id if server else 0))
    rows = tx.execute(deployments.order_by(Deployment.id.desc()).limit(FEW + 1)).all()
    if len(rows) > FEW:
        return None
    subjects += [f"deployment:{row[0]}" for row in rows]
    subjects += sorted({f"resource:{row[1]}" for row in rows} - set(subjects))
    return tuple(subjects)


def mark_recovered(tx: Tx, ref: str, reason: str | None) -> jobs.Job:
    return jobs.mark_recovered(tx, find(tx, ref).id, reason)


def dead_letter(tx: Tx, ref: str, reason: str) -> jobs.Job:
    return jobs.dead_letter(tx, find(tx, ref).id, reason)


def cancel(tx: Tx, ref: str, reason: str) -> jobs.Job:
    """End work that waits. What runs is ended where it belongs: a deployment by its own cancel."""
    return jobs.cancel(tx, find(tx, ref).id, reason, only_waiting=True)


def retry(tx: Tx, ref: str, reason: str | None) -> jobs.Job:
    return jobs.retry(tx, find(tx, ref).id, reason)


def prunable(tx: Tx, before: datetime, states: Sequence[jobs.State]) -> dict[str, int]:
    organization_id, with_own = scope(tx)
    return jobs.prunable(tx, before, organization_id, with_own=with_own, states=states)


def prune(tx: Tx, before: datetime, states: Sequence[jobs.State]) -> dict[str, int]:
    """Delete one batch of ended work, the oldest first. Answers how much of each state it was."""
    organization_id, with_own = scope(tx)
    return jobs.prune(tx, before, organization_id, with_own=with_own, states=states, dry_run=False, limit=PRUNE_BATCH)
