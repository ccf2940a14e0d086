"""What can be done after an attempt: retry, redeploy, roll back; and why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import TERMINAL, UNDONE
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid

MOST_CANDIDATES = 20


@dataclass(slots=True)
class Readiness:
    """Reason codes of each way; an empty list means that it is open."""

    deployment: Deployment
    resource: Resource
    version: str
    retry: list[str]
    redeploy: list[str]
    rollback: list[str]
    candidates: list[Deployment] = field(default_factory=list)


def state_version(deployment: Deployment) -> str:
    """`<id>:<status>:<finishedAt>:<logCount>`; the last part counts recorded changes (contract: recovery)."""
    finished = wire_time(deployment.finished_at) if deployment.finished_at else ""
    return f"{deployment.ref}:{deployment.status}:{finished}:0"


def check_fresh(tx: Tx, deployment: Deployment, version: str | None) -> None:
    """Raise `deployment_recovery_state_stale` when the caller looked at another state of this attempt.

    The guard is a time (`readinessGeneratedAt`, when the readiness was read) or a state version.
    """
    if version is None:
        return
    if version.startswith("dep_"):
        stale = version != state_version(deployment)
    else:
        seen = _seen_at(version)
        newest = tx.first(
            select(Deployment)
            .where(Deployment.resource_id == deployment.resource_id)
            .order_by(Deployment.id.desc())
            .limit(1)
        )
        changes = [deployment.finished_at or deployment.started_at or deployment.created_at]
        if newest is not None and newest.id != deployment.id:
            changes.append(newest.created_at)
        stale = any(seen < wire_time(changed) for changed in changes)
    if stale:
        raise Conflict(
            f"{deployment.ref} has changed since its readiness was read.",
            code="deployment_recovery_state_stale",
            hint="Read recovery-readiness again.",
        )


def _seen_at(version: str) -> str:
    """The time that a caller names, in the spelling and the precision of ours."""
    try:
        moment = datetime.fromisoformat(version)
        return wire_time(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
    except ValueError:
        raise Invalid(
            f"{version[:60]!r} is no time at which readiness was read.",
            hint="Send generatedAt as readiness gave it.",
            field="readinessGeneratedAt",
        ) from None


def candidate_reasons(current: Deployment, candidate: Deployment) -> list[str]:
    """Why an attempt cannot be given back; empty when it can."""
    reasons = []
    if candidate.status != "succeeded":
        reasons.append("rollback-candidate-not-successful")
    if candidate.resource_id != current.resource_id or candidate.server_id != current.server_id:
        reasons.append("rollback-candidate-target-mismatch")
    if candidate.artifact is None:
        reasons.append("runtime-artifact-missing")
    elif not candidate.artifact_retained:
        reasons.append("rollback-candidate-expired")
    return reasons


def assess(tx: Tx, deployment: Deployment, limit: int = MOST_CANDIDATES) -> Readiness:
    """What is open after this attempt. Candidates are the newest first, without what serves now."""
    resource = tx.get(Resource, deployment.resource_id)
    assert resource is not None  # noqa: S101 - the foreign key says so
    ended = [] if deployment.status in TERMINAL else ["attempt-not-terminal"]
    retry = list(ended)
    if not ended and deployment.status not in UNDONE:
        retry.append("attempt-status-not-recoverable")
    redeploy = list(ended)
    if resource.source is None or resource.lifecycle != "active":
        redeploy.append("resource-profile-invalid")
    found = tx.scalars(
        select(Deployment)
        .where(
            Deployment.resource_id == deployment.resource_id,
            Deployment.server_id == deployment.server_id,
            Deployment.status == "succeeded",
            Deployment.artifact_retained.is_(True),
            Deployment.id != (resource.serving_id or 0),
        )
        .order_by(Deployment.id.desc())
        .limit(limit)
    )
    candidates = [row for row in found if not candidate_reasons(deployment, row)]
    rollback = list(ended)
    if not candidates:
        rollback.append("runtime-artifact-missing")
    return Readiness(deployment, resource, state_version(deployment), retry, redeploy, rollback, candidates)
