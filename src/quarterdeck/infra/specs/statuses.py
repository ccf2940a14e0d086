"""The states of a spec and the only way between them (contract: infra §4.2, with the mends of §3.2).

A spec stands somewhere (`DRAFT`, `ACTIVE`, `FAILED`, `DESTROYED`), or something is being done with it (`QUEUED`,
`PROVISIONING`, `DESTROYING`) and `before_status` says where it stands meanwhile: a plan gives that back, however it
ended, and so does a job that is withdrawn before it began.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import select

from quarterdeck.infra.specs.happenings import SpecAction, audited, happened
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx

DRAFT, ACTIVE, FAILED, DESTROYED = "DRAFT", "ACTIVE", "FAILED", "DESTROYED"
QUEUED, PROVISIONING, DESTROYING = "QUEUED", "PROVISIONING", "DESTROYING"
STANDING = (DRAFT, ACTIVE, FAILED, DESTROYED)
BUSY = (QUEUED, PROVISIONING, DESTROYING)
STATUSES = (*STANDING, *BUSY)

Event = Literal[
    "plan-asked", "plan-ended", "deploy-asked", "deploy-began", "deploy-done", "deploy-failed",
    "destroy-asked", "destroy-began", "destroy-done", "destroy-failed", "withdrawn", "interrupted",
]  # fmt: skip
SAME, BACK = "same", "back"
"""Where an event may lead beside a status: nowhere, or to where the spec stood before."""


def _row(standing: str, queued: str, provisioning: str, destroying: str) -> dict[str, str]:
    return {**dict.fromkeys(STANDING, standing), QUEUED: queued, PROVISIONING: provisioning, DESTROYING: destroying}


MOVES: dict[str, dict[str, str]] = {
    # What waits behind something that is being done does not show until that has ended.
    "plan-asked": _row(QUEUED, SAME, SAME, SAME),
    "plan-ended": _row(SAME, BACK, SAME, SAME),
    "deploy-asked": _row(QUEUED, SAME, SAME, SAME),
    "deploy-began": _row(PROVISIONING, PROVISIONING, PROVISIONING, PROVISIONING),
    "deploy-done": _row(ACTIVE, ACTIVE, ACTIVE, ACTIVE),
    "deploy-failed": _row(FAILED, FAILED, FAILED, FAILED),
    "destroy-asked": _row(DESTROYING, DESTROYING, SAME, SAME),
    "destroy-began": _row(DESTROYING, DESTROYING, DESTROYING, DESTROYING),
    "destroy-done": _row(DESTROYED, DESTROYED, DESTROYED, DESTROYED),
    "destroy-failed": _row(FAILED, FAILED, FAILED, FAILED),
    "withdrawn": _row(SAME, BACK, BACK, BACK),
    "interrupted": _row(FAILED, FAILED, FAILED, FAILED),
}
"""Event to status to where it leads. Every event may come in every status: jobs of one spec wait for each other, and
what they tell comes in the order in which they end."""
ENDS = frozenset(MOVES) - {"plan-asked", "deploy-asked", "deploy-began", "destroy-asked", "destroy-began"}
"""Events with which a job is over."""
TOLD = frozenset({"deploy-done", "deploy-failed", "destroy-done", "destroy-failed", "interrupted"})
"""Events that are told even where the status stays what it was."""
AUDITED = {"deploy-done": SpecAction.PROVISIONED, "destroy-done": SpecAction.DESTROYED}
"""Events that are audited under a name of their own; any other change of the status is one."""
INTERRUPTED = "A job was interrupted while it changed resources: some may be there that the state does not know."


def moved(status: str, before: str | None, event: str) -> tuple[str, str | None]:
    """Where an event leads from a status, and the new `before_status`. Pure; raises KeyError for what is no event."""
    target = MOVES[event][status]
    if target == SAME:
        return status, before
    if target == BACK:
        return before or DRAFT, None
    if target in STANDING:
        return target, None
    return target, before if status in BUSY else status


def apply(
    tx: Tx,
    spec: Spec,
    event: Event,
    *,
    job_id: int | None = None,
    reason: str | None = None,
    applied_hash: str | None = None,
) -> None:
    """Move a spec by what happened to a job of it.

    `job_id` is the row of the job that is over: with it, other jobs of the spec that wait or run keep it busy. `reason`
    says with `interrupted` what may be left over; `applied_hash` with `deploy-done` which configuration stands now.
    """
    from_status = spec.status
    status, before = moved(spec.status, spec.before_status, event)
    if event in ENDS and status in STANDING and job_id is not None:
        busy = _busy(tx, spec, job_id)
        status, before = (busy, status) if busy else (status, None)
    spec.status, spec.before_status = status, before
    if event == "interrupted":
        spec.orphan_risk = (reason or INTERRUPTED)[:2000]
    elif event in {"deploy-done", "destroy-done"}:
        # A whole run over the kept state has looked at everything that this state knows.
        spec.orphan_risk = None
        spec.applied_hash = (applied_hash or spec.applied_hash) if event == "deploy-done" else None
    if event == "destroy-done":
        spec.outputs = {}
    tx.flush()
    _audit(tx, spec, event, from_status)
    if from_status != status or event in TOLD:
        happened(tx, spec, "infra-spec-status-changed", event=event, **{"from": from_status, "to": status})


def _audit(tx: Tx, spec: Spec, event: Event, before: str) -> None:
    """Plans come and go, and change nothing of what a spec is. What a person does is told by that act alone."""
    action = AUDITED.get(event, SpecAction.STATUS_CHANGED)
    silent = tx.principal.kind == "user" or event in {"plan-asked", "plan-ended"}
    if event in AUDITED or (spec.status != before and not silent):
        audited(tx, spec, action, event=event, changes={"status": {"from": before, "to": spec.status}})


def _busy(tx: Tx, spec: Spec, job_id: int) -> str | None:
    """What the other jobs of a spec show of it; None without any. Looks for drift show nothing."""
    query = select(InfraJob.job_type, InfraJob.started_at).where(
        InfraJob.spec_id == spec.id,
        InfraJob.completed_at.is_(None),
        InfraJob.read_only.is_(False),
        InfraJob.id != job_id,
    )
    others = tx.execute(query).all()
    if any(one.job_type == "DEPLOY" and one.started_at is not None for one in others):
        return PROVISIONING
    if any(one.job_type == "DESTROY" for one in others):
        return DESTROYING
    return QUEUED if others else None
