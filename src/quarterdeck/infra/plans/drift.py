"""Whether what stands is still what was applied: read-only looks, now and then, and what they found.

A look is a PLAN job of the configuration that was applied last, which changes and keeps nothing. It stands behind
people's jobs, makes way for them also while it runs, and is left out while a job of its specification lives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from quarterdeck.infra.plans import summary
from quarterdeck.infra.specs import specs, statuses
from quarterdeck.infra.specs.happenings import STREAM, happened
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import states
from quarterdeck.infra.work import holding
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import events, jobs
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.principal import SYSTEM
from quarterdeck.kernel.text import several
from quarterdeck.notify import tell

if TYPE_CHECKING:
    from quarterdeck.infra.work.asking import Asked

BEGAN, ENDED = "infra-drift-began", "infra-drift-ended"
NOTIFICATION = "infra_drift"
LATER = timedelta(minutes=10)
"""After how long a look that made way is asked for again."""
MOST = 50
"""Specifications that one look of the loop takes up."""
MOST_CHANGES = 200
NAMED = 5
DONE = frozenset({"deploy-done", "destroy-done"})


def due(tx: Tx) -> list[int]:
    """Row ids of specifications whose next look is due, the longest waiting first."""
    query = select(Spec.id).where(Spec.drift_due_at.is_not(None), Spec.drift_due_at <= tx.now)
    return list(tx.execute(query.order_by(Spec.drift_due_at).limit(MOST)).scalars())


def look_due(tx: Tx, spec_id: int) -> InfraJob | None:
    """Pass the due time of a specification on, and ask for a look where one makes sense. None where another server was
    faster, a job of it lives, or nothing stands.
    """
    found = tx.get(Spec, spec_id)
    if found is None:
        return None
    spec = _turned(tx, found)
    if spec.drift_due_at is None or spec.drift_due_at > tx.now:
        return None
    spec.drift_due_at = tx.now + timedelta(minutes=spec.drift_minutes) if spec.drift_minutes else None
    tx.flush()
    if why_not(tx, spec) is not None:
        return None
    before = tx.context
    tx.context = replace(before, principal=replace(SYSTEM, organization_id=spec.organization_id))
    try:
        return _ask(tx, spec)
    finally:
        tx.context = before


def put_off(tx: Tx, spec_id: int) -> None:
    """Pass the due time on where asking for the look failed."""
    spec = specs.locked(tx, spec_id)
    if spec.drift_due_at is not None and spec.drift_due_at <= tx.now:
        spec.drift_due_at = tx.now + timedelta(minutes=spec.drift_minutes) if spec.drift_minutes else None
        tx.flush()


def look_now(tx: Tx, spec: Spec) -> InfraJob:
    """The same because somebody wants it. Raises `Conflict` (`drift_not_now`) with why there is nothing to look at."""
    spec = _turned(tx, spec)
    why = why_not(tx, spec)
    if why is not None:
        raise Conflict(why, code="drift_not_now", hint="Look once something stands, and no job of it waits or runs.")
    return _ask(tx, spec)


def why_not(tx: Tx, spec: Spec) -> str | None:
    """What keeps a look from making sense."""
    if not states.holds_resources(tx, spec):
        return f"{spec.project_name} has no resources that could have drifted."
    lives = select(InfraJob.uid).where(InfraJob.spec_id == spec.id, InfraJob.completed_at.is_(None)).limit(1)
    other = tx.execute(lives).scalar()
    return f"The job {other} of {spec.project_name} waits or runs." if other is not None else None


def _turned(tx: Tx, spec: Spec) -> Spec:
    jobs.hold_turn(tx, holding.turn(spec_uid=spec.uid) or "")
    return specs.locked(tx, spec.id)


def _ask(tx: Tx, spec: Spec) -> InfraJob:
    from quarterdeck.infra.work import creating

    return creating.create(tx, _asked(spec))


def _asked(spec: Spec) -> Asked:
    from quarterdeck.infra.work.asking import Asked

    return Asked(job_type="PLAN", spec=spec, read_only=True)


def make_way(tx: Tx, spec: Spec) -> None:
    """End a look at a specification, one that runs too: what people ask for does not stand behind it longer than its
    runner takes to stop. Another one is due a while later. The caller holds the turn of its state, and nothing that is
    locked after it.
    """
    from quarterdeck.infra.work import cancelling

    living = select(InfraJob).where(
        InfraJob.spec_id == spec.id, InfraJob.read_only.is_(True), InfraJob.completed_at.is_(None)
    )
    ended = False
    for job in tx.hold(tx.scalars(living)):
        if holding.held(tx, job)[0].completed_at is None:  # else it has ended while this waited for its lock
            cancelling.cancel(tx, job, "It makes way for a job that somebody has asked for.", audited=False)
            ended = True
    if ended:
        found = specs.locked(tx, spec.id)
        later = tx.now + LATER
        found.drift_due_at = min(found.drift_due_at or later, later)
        tx.flush()


def keep(tx: Tx, job: InfraJob, report: Mapping[str, Any]) -> None:
    """What a look found. The unit holds the job."""
    spec = specs.locked(tx, job.spec_id) if job.spec_id is not None else None
    if spec is None:
        return
    found = _found(report, whole=job.configuration_hash == spec.applied_hash)
    drifted = bool(report.get("drifted")) or bool(found)
    before = _drifted(spec)
    spec.drift = {
        "drifted": drifted,
        "summary": summary.counts(report.get("summary")),
        "changes": found[:MOST_CHANGES],
        "left_out": max(len(found) - MOST_CHANGES, 0),
        "at": wire_time(tx.now),
        "job": job.uid,
    }
    spec.drift_checked_at = tx.now
    tx.flush()
    if drifted and not before:
        _began(tx, spec, job, [str(one["address"]) for one in found])
    elif before and not drifted:
        _ended(tx, spec, f"{spec.project_name} is again what was applied.")


def _found(report: Mapping[str, Any], *, whole: bool) -> list[dict[str, Any]]:
    """What the providers see changed; and, where the look was at the `whole` of what was applied, what an apply of that
    would still have to do: resources that the state has lost, or has otherwise.
    """
    seen, _ = summary.changes(report.get("drift"))
    left, _ = summary.changes(report.get("changes")) if whole else ([], False)
    addresses = {one["address"] for one in seen}
    both = [*seen, *(one for one in left if one["address"] not in addresses)]
    return [one for one in both if one["action"] in summary.CHANGING]


def settle(tx: Tx, event: events.Event) -> None:
    """The durable subscriber: what was applied or destroyed anew has not drifted. The next look says more."""
    if not event.stream.startswith(STREAM) or event.data.get("event") not in DONE:
        return
    found = tx.first(select(Spec).where(Spec.uid == event.stream.removeprefix(STREAM)))
    if found is None or found.drift is None:
        return
    spec = specs.locked(tx, found.id)
    if spec.drift_checked_at is not None and spec.drift_checked_at > event.at:
        return
    before = _drifted(spec)
    spec.drift = None
    tx.flush()
    if before:
        _ended(tx, spec, f"{spec.project_name} was applied anew.")


def _drifted(spec: Spec) -> bool:
    return bool(spec.drift and spec.drift.get("drifted"))


def _began(tx: Tx, spec: Spec, job: InfraJob, addresses: list[str]) -> None:
    what = several(addresses[:NAMED]) if addresses else "something"
    more = f" and {len(addresses) - NAMED} more" if len(addresses) > NAMED else ""
    said = f"Changed by somebody else: {what}{more}."
    happened(tx, spec, BEGAN, message=said, job=job.uid, resources=len(addresses))
    _tell(tx, spec, f"{spec.project_name} has drifted", said)


def _ended(tx: Tx, spec: Spec, said: str) -> None:
    happened(tx, spec, ENDED, message=said)
    _tell(tx, spec, f"{spec.project_name} has drifted no more", said)


def _tell(tx: Tx, spec: Spec, title: str, said: str) -> None:
    tell(
        tx,
        NOTIFICATION,
        [spec.owner_id],
        title,
        said,
        link=f"/console/infra/specs/{spec.uid}",
        organization_id=spec.organization_id,
        collapse_key=f"{NOTIFICATION}:{spec.uid}",
    )


assert DONE <= statuses.ENDS  # noqa: S101 - the words of the table of statuses
events.subscribe("infra-drift-settled", ("infra-spec-status-changed",), settle)
