"""What a worker reports while it carries a deployment out: kept before its next effect."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import select

from quarterdeck.deploy.deployments.model import Deployment, Phase
from quarterdeck.deploy.deployments.transitions import TERMINAL, move
from quarterdeck.deploy.execution.absence import AWAY, BACK
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers import engines, servers, sightings
from quarterdeck.fleet.targets.login import HostKeyPin
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Unavailable

PHASES = ("detect", "plan", "package", "deploy", "verify", "cut-over")
IN_ENGINE = frozenset({"docker-container", "docker-compose-stack"})
BEFORE_EFFECTS = frozenset({"created", "planning", "planned"})
STEP = {"detect": 1, "plan": 2, "package": 3, "deploy": 4, "verify": 5, "cut-over": 5}
"""Numbers of the documented progress, which counts the cut-over as part of the verification."""
LABELS = {
    "detect": "Detect",
    "plan": "Plan",
    "package": "Package",
    "deploy": "Deploy",
    "verify": "Verify",
    "cut-over": "Cut over",
}


class PhaseReport(msgspec.Struct):
    """`running` stands before the effect of a phase, `succeeded | failed | skipped` after it. `data` is what a later
    execution of the same attempt needs to go on from here.
    """

    phase: str
    status: str
    detail: str | None = None
    data: dict[str, Any] | None = None


class EdgeReport(msgspec.Struct):
    """How the edge of the target was found."""

    http_port: int | None = None
    https_port: int | None = None
    error_code: str | None = None
    error_message: str | None = None


class HostKeyReport(msgspec.Struct):
    """The key that a server showed to somebody whom it let in, and who knew none."""

    fingerprint: str
    algorithm: str | None = None


class AwayReport(msgspec.Struct):
    """The server does not answer, and is tried again after so many seconds."""

    seconds: float
    code: str
    message: str


def record(tx: Tx, deployment_id: int, kind: str, data: Any) -> dict[str, Any]:
    """Keep one report. Answers the deployment's status, so that a worker sees a request to stop."""
    deployment = tx.get(Deployment, deployment_id)
    assert deployment is not None  # noqa: S101 - the job was enqueued with it
    if kind == "phase":
        _phase(tx, deployment, msgspec.convert(data, PhaseReport))
    elif kind == "edge":
        report = msgspec.convert(data, EdgeReport)
        error = (report.error_code, report.error_message or "") if report.error_code else None
        servers.observe_edge(
            tx, deployment.server_id, error=error, http_port=report.http_port, https_port=report.https_port
        )
    elif kind == "host-key":
        seen = msgspec.convert(data, HostKeyReport)
        access.keep_host_key(tx, deployment.server_id, HostKeyPin(seen.fingerprint, seen.algorithm))
    elif kind == AWAY:
        away = msgspec.convert(data, AwayReport)
        deployment.next_try_at = tx.now + timedelta(seconds=away.seconds)
        sightings.missed(tx, deployment.server_id, Unavailable(away.message, code=away.code))
    elif kind == BACK:
        deployment.next_try_at = None
        sightings.reached(tx, deployment.server_id)
    return {"status": deployment.status}


def _phase(tx: Tx, deployment: Deployment, report: PhaseReport) -> None:
    if deployment.status in TERMINAL or report.phase not in PHASES:
        return
    row = tx.first(select(Phase).where(Phase.deployment_id == deployment.id, Phase.phase == report.phase))
    if row is None:
        row = Phase(uid=tx.ids.uid(), deployment_id=deployment.id, phase=report.phase, started_at=tx.now, attempts=0)
    if report.status == "running":
        row.attempts += 1
        row.started_at, row.finished_at = tx.now, None
    else:
        row.finished_at = tx.now
    row.status = report.status
    row.detail = (report.detail or "")[:300] or row.detail
    tx.add(row)
    if report.data:
        _keep(deployment, report.phase, report.data)
        if report.phase == "plan" and report.data.get("execution_kind") in IN_ENGINE:
            engines.used(tx, deployment.server_id)
    if deployment.status != "cancel-requested":
        if report.phase == "detect" and report.status in {"running", "skipped"} and deployment.status == "created":
            move(tx, deployment, "planning")
        elif report.phase == "plan" and report.status in {"succeeded", "skipped"} and deployment.status == "planning":
            move(tx, deployment, "planned")
        elif report.phase == "package" and report.status == "running" and deployment.status in {"planning", "planned"}:
            move(tx, deployment, "running")
            _event(tx, deployment, "build-requested", report)
        elif report.phase == "deploy" and report.status == "running" and deployment.status in BEFORE_EFFECTS:
            move(tx, deployment, "running")  # what is given back is neither planned nor packaged
    _event(tx, deployment, "deployment-progress", report)


def _keep(deployment: Deployment, phase: str, data: dict[str, Any]) -> None:
    if phase == "detect":
        deployment.commit = data.get("commit") or deployment.commit
        deployment.commit_message = (data.get("message") or "")[:500] or deployment.commit_message
    elif phase == "plan":
        deployment.plan = data
    elif phase == "package":
        deployment.artifact = data
    elif phase in {"deploy", "cut-over"}:
        deployment.runtime = {**(deployment.runtime or {}), **data}


def _event(tx: Tx, deployment: Deployment, event: str, report: PhaseReport) -> None:
    events.append(
        tx,
        f"deployment:{deployment.ref}",
        event,
        {
            "deploymentId": deployment.ref,
            "status": deployment.status,
            "phase": report.phase,
            "phaseStatus": report.status,
            "step": STEP[report.phase],
            "summary": f"{LABELS[report.phase]}: {report.detail or report.status}",
        },
        organization_id=deployment.organization_id,
    )
