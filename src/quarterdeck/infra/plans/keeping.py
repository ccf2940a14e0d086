"""What an attempt tells of its plan, and the saved plan that it hands in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from quarterdeck.infra.artefacts.artefacts import Artefacts, Kept
from quarterdeck.infra.execution import reviewing
from quarterdeck.infra.plans import drift, plans, summary
from quarterdeck.infra.plans.model import Plan
from quarterdeck.infra.states.credentials import Attempt
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, NotFound

PLAN = "PLAN"


def keep(tx: Tx, job: InfraJob, report: Mapping[str, Any], fence: int, reviewed: str | None = None) -> Plan:
    """Keep what the attempt `fence` of a job tells of its plan; told again, it takes the place of what was told.
    `reviewed` is the digest of what people read of it, where that is not made of its counts and changes as they are.
    Raises `Conflict` (`plan_artefact_differs`) where it speaks of another saved plan than the one that it has handed
    in.
    """
    plan = plans.made(tx, job)
    told = summary.checksum(report.get("sha256"))
    handed_in = plan.artefact_sha256 if plan.fence == fence else None
    if told is not None and handed_in is not None and told != handed_in:
        raise Conflict(
            "The plan that is reported is not the one that was uploaded.",
            code="plan_artefact_differs",
            hint="Upload the file that was made, then report it.",
        )
    if plan.fence != fence:
        plan.artefact_key = plan.artefact_sha256 = plan.artefact_size = None
        plan.fence = fence
    plan.reviewed = reviewed or reviewing.digest(_object(report.get("summary")), _list(report.get("changes")), "plan")
    plan.summary = summary.counts(report.get("summary"))
    plan.changes, cut = summary.changes(report.get("changes"))
    plan.drift = summary.changes(report.get("drift"))[0][: drift.MOST_CHANGES]
    if cut or report.get("truncated") is True:
        plan.summary = {**plan.summary, "truncated": True}
    plan.cost = summary.cost(report.get("cost"))
    plan.state_serial, plan.state_lineage = _basis(job, report)
    tx.flush()
    if job.read_only:
        drift.keep(tx, job, report)
    return plan


def _object(said: Any) -> Mapping[str, Any]:
    return said if isinstance(said, Mapping) else {}


def _list(said: Any) -> list[Any]:
    return said if isinstance(said, list) else []


def _basis(job: InfraJob, report: Mapping[str, Any]) -> tuple[int | None, str | None]:
    """What the runner read from the saved plan; one that says nothing of it had the state as it was when the job was
    claimed.
    """
    return summary.basis(report) if "serial" in report else (job.state_serial, job.state_lineage)


async def take_in(
    db: Database, artefacts: Artefacts, who: Callable[[Tx], Attempt], pieces: AsyncIterator[bytes]
) -> Kept:
    """Keep the saved plan that an attempt hands in. `who` says in each unit whose attempt it is, and raises where it is
    over: only what the attempt that holds the job has handed in is ever applied. Nothing is left of what is refused.

    Raises what `who` and `Artefacts.take` raise, and `Forbidden` (`plan_not_asked`) for a job that makes no plan.
    """
    job = await db.read(lambda tx: _taking(who(tx)).uid)
    kept = await artefacts.take(db.ids, job, pieces)
    try:
        before = await db.write(lambda tx: taken(tx, who(tx), kept))
    except BaseException:
        await artefacts.delete(kept.key)
        raise
    if before is not None:
        await artefacts.delete(before)
    return kept


def _taking(attempt: Attempt) -> InfraJob:
    if attempt.job.job_type != PLAN:
        raise Forbidden(
            f"A {attempt.job.job_type} job makes no plan that is kept.",
            code="plan_not_asked",
            hint="Plans are made by PLAN jobs.",
        )
    return attempt.job


def taken(tx: Tx, attempt: Attempt, kept: Kept) -> str | None:
    """Note what an attempt has handed in. Answers the key that nobody needs any more. Another plan than the one that
    was told of is told of anew.
    """
    plan = plans.made(tx, _taking(attempt))
    before = plan.artefact_key
    if plan.fence != attempt.fence or (plan.artefact_sha256 or kept.sha256) != kept.sha256:
        plan.summary, plan.changes, plan.drift, plan.cost, plan.reviewed = {}, [], [], None, None
    plan.artefact_key, plan.artefact_sha256, plan.artefact_size = kept
    plan.fence = attempt.fence
    tx.flush()
    return before


def readable(tx: Tx, attempt: Attempt, plan_job: str) -> Kept:
    """The saved plan of the PLAN job of that uid, for an attempt that made it or has to apply it. Raises `NotFound`
    (`artefact_missing`) for any other, and where there is none.
    """
    job = attempt.job if attempt.job.uid == plan_job else _applied_by(tx, attempt, plan_job)
    plan = plans.of(tx, job) if job is not None else None
    found = handed_in(plan) if plan is not None else None
    if found is None:
        raise NotFound("Plan artifact not found", code="artefact_missing", hint="Plan again.")
    return found


def _applied_by(tx: Tx, attempt: Attempt, plan_job: str) -> InfraJob | None:
    found = tx.get(InfraJob, attempt.job.plan_job_id) if attempt.job.plan_job_id is not None else None
    return found if found is not None and found.uid == plan_job else None


def handed_in(plan: Plan) -> Kept | None:
    """Where the saved plan lies, and what it has to be."""
    if plan.artefact_key is None or plan.artefact_sha256 is None or plan.artefact_size is None:
        return None
    return Kept(plan.artefact_key, plan.artefact_sha256, plan.artefact_size)
