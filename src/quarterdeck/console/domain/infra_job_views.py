"""Rows of infrastructure jobs as their pages show them, and the runners that they may be given to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quarterdeck.access import Access
from quarterdeck.console.views.infra import JOBS, PLANS, RUNNERS, SPECS, State, Waiting
from quarterdeck.console.views.infra_jobs import InfraJobRow, deed
from quarterdeck.infra import people
from quarterdeck.infra.plans import destroying
from quarterdeck.infra.runners import listing, standing
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.naming import Named, named
from quarterdeck.infra.work.transitions import LIVE, QUEUED
from quarterdeck.kernel.db import Tx

VIEW_RUNNERS = "infra:runners.view"
NOTED = 160


def state_of(job: InfraJob) -> State:
    """Narrowed by what a person should know beside it."""
    qualifier = None
    if job.status == QUEUED and job.ledger_id is None:
        qualifier = "approval"
    elif job.orphan_risk:
        qualifier = "orphan-risk"
    return ("infra-job", job.status.lower(), qualifier)


def rows(tx: Tx, some: Sequence[InfraJob]) -> tuple[InfraJobRow, ...]:
    names, called = named(tx, some), people.names(tx, [one.owner_id for one in some])
    return tuple(_row(job, names, called) for job in some)


def _row(job: InfraJob, names: Named, called: Mapping[int | None, str]) -> InfraJobRow:
    began, ended = job.started_at, job.completed_at
    return InfraJobRow(
        uid=job.uid,
        title=deed(job.job_type, read_only=job.read_only),
        job_type=job.job_type,
        state=state_of(job),
        about=about(job, names),
        runner=names.worker_names.get(job.worker_id or 0) or job.worker_name or "",
        by=called.get(job.owner_id, "") if job.owner_id else "the program itself",
        queued=job.created_at,
        started=began,
        seconds=(ended - began).total_seconds() if began and ended else None,
        note=_note(job),
    )


def about(job: InfraJob, names: Named) -> tuple[str, str | None]:
    """What a job is done to, by its name and its page."""
    spec = names.specs.get(job.spec_id or 0)
    if spec is not None:
        return names.spec_names.get(job.spec_id or 0, ""), f"{SPECS}/{spec}"
    runner = job.snapshot.get("worker_id")
    if isinstance(runner, str) and runner:
        return str(job.snapshot.get("worker_name") or "a runner"), f"{RUNNERS}/{runner}"
    identity = names.identities.get(job.cloud_identity_id or 0)
    if identity is not None:
        return "a cloud identity", f"/console/infra/clouds/{identity}"
    return str(job.snapshot.get("project_name") or "something that is gone"), None


def _note(job: InfraJob) -> str:
    if job.error_message:
        first = job.error_message.strip().partition("\n")[0]
        return first if len(first) <= NOTED else f"{first[: NOTED - 1]}…"
    return job.stage or "" if job.status in LIVE else ""


def page_of(job: InfraJob) -> str:
    """Where a job is read: a plan, and a destruction that waits to be allowed, as what it would do."""
    if (job.job_type == "PLAN" and job.status == "SUCCESS" and not job.read_only) or destroying.waits(job):
        return f"{PLANS}/{job.uid}"
    return f"{JOBS}/{job.uid}"


def waiting_rows(tx: Tx, some: Sequence[InfraJob]) -> tuple[Waiting, ...]:
    return tuple(
        Waiting(row.uid, row.title, page_of(job), row.state, row.queued, row.note)
        for job, row in zip(some, rows(tx, some), strict=True)
    )


def runner_choices(tx: Tx, access: Access) -> tuple[tuple[tuple[str, str], ...], str]:
    """Runners that a job may be pinned to, and the reader's default where that is there; none for who may not see
    them.
    """
    if not access.decide(tx.principal, VIEW_RUNNERS).allowed:
        return (), ""
    found = listing.visible(tx)
    default = next((one.worker.uid for one in found if one.is_default and _online(tx, one)), "")
    return tuple((one.worker.uid, f"{one.worker.name} ({_word(tx, one)})") for one in found), default


def _online(tx: Tx, one: listing.Seen) -> bool:
    return standing.status(one.worker, tx.now) == "ONLINE"


def _word(tx: Tx, one: listing.Seen) -> str:
    word = standing.status(one.worker, tx.now).lower()
    return f"{word}, takes looks for drift alone" if standing.looks_only(one.worker) else word
