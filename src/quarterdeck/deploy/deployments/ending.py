"""The end of an attempt: what it means for the attempt, its resource and what served before."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from quarterdeck.deploy.deployments import admission
from quarterdeck.deploy.deployments.following import CHANGED, follow_up
from quarterdeck.deploy.deployments.model import Deployment, Phase
from quarterdeck.deploy.deployments.ordering import resource_of
from quarterdeck.deploy.deployments.placement import Placement
from quarterdeck.deploy.deployments.transitions import TERMINAL, move
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.resources.transitions import serve, want
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx

FAILED_MESSAGE = "The deployment failed."


def finished(tx: Tx, placement: Placement, deployment: Deployment, outcome: jobs.Outcome) -> None:
    """Close the attempt in the transaction that completes its job, and set the follow-up work."""
    resource = resource_of(tx, deployment)
    deployment.next_try_at = None
    touched = tx.first(select(Phase).where(Phase.deployment_id == deployment.id).limit(1)) is not None
    if outcome.state == "succeeded" and deployment.status not in TERMINAL:
        _succeeded(tx, placement, deployment, resource, outcome)
    else:
        if deployment.status not in TERMINAL:
            if outcome.state == "canceled":
                if deployment.status == "running":
                    move(tx, deployment, "cancel-requested")
                move(tx, deployment, "canceled", reason=outcome.error_message or "")
            else:
                _failed(tx, deployment, outcome)
        _close_phases(tx, deployment, "failed")
        if touched and resource.serving_id != deployment.id:
            follow_up(tx, deployment, "clean")
    canceled = deployment.status == "canceled"  # somebody wanted it so: no failure
    audit.record(
        tx,
        admission.DeploymentAction.CANCELED if canceled else admission.DeploymentAction.FINISHED,
        resource_type="deployment",
        resource_id=deployment.ref,
        organization_id=deployment.organization_id,
        aggregate_id=resource.ref,
        outcome="success" if canceled or deployment.status == "succeeded" else "failure",
        detail={"status": deployment.status, "errorCode": deployment.error_code},
    )


def _succeeded(tx: Tx, placement: Placement, deployment: Deployment, resource: Resource, outcome: jobs.Outcome) -> None:
    if deployment.status != "running" and deployment.status != "cancel-requested":  # noqa: PLR1714 - two different reasons
        move(tx, deployment, "running")
    result = msgspec.json.decode(outcome.result) if outcome.result else {}
    if isinstance(result, dict) and result.get("runtime"):
        deployment.runtime = {**(deployment.runtime or {}), **result["runtime"]}
    deployment.artifact_retained = deployment.artifact is not None
    _close_phases(tx, deployment, "succeeded")
    move(tx, deployment, "succeeded")
    want(resource, "running")
    resource.destination_id = deployment.destination_id  # it is placed where it serves
    _name_services(resource, deployment)
    before = serve(resource, deployment.id)
    replaced = tx.get(Deployment, before) if before else None
    tx.flush()
    tx.publish(CHANGED)
    if replaced is not None and replaced.id != deployment.id:
        follow_up(tx, replaced, "retire")
    retained = list(
        tx.scalars(
            select(Deployment)
            .where(Deployment.resource_id == resource.id, Deployment.artifact_retained.is_(True))
            .order_by(Deployment.id.desc())
        )
    )
    for row in retained[placement.retained + 1 :]:
        row.artifact_retained = False
        follow_up(tx, row, "forget")
    tx.flush()


def _name_services(resource: Resource, deployment: Deployment) -> None:
    """A stack has the services that run for it; what was said about them before stays."""
    runtime = deployment.runtime or {}
    if resource.kind != "compose-stack" or "services" not in runtime:
        return
    said = {str(one["name"]): one for one in resource.services}
    target = runtime.get("target")
    names = [*([str(target)] if target else []), *(str(one["service"]) for one in runtime["services"])]
    resource.services = [
        said.get(name, {"name": name, "kind": "web" if name == target else "service"}) for name in names
    ]


def _failed(tx: Tx, deployment: Deployment, outcome: jobs.Outcome) -> None:
    last = _last(tx, deployment)
    deployment.error_code = outcome.error_code or "deployment_failed"
    message, _, hint = (outcome.error_message or FAILED_MESSAGE).partition("\n")
    deployment.error_message, deployment.error_hint = message, hint or None
    deployment.error_phase = last.phase if last else "detect"
    if last is not None and last.phase == "cut-over" and last.status != "skipped":
        if deployment.status in {"planning", "planned"}:
            move(tx, deployment, "running")
        move(
            tx,
            deployment,
            "rolled-back",
            errorCode=deployment.error_code,
            phase=deployment.error_phase,
            message=message,
        )
    else:
        move(tx, deployment, "failed", errorCode=deployment.error_code, phase=deployment.error_phase, message=message)


def _last(tx: Tx, deployment: Deployment) -> Phase | None:
    """The phase that it ended in: one that was not carried to its end, else the last one that was recorded."""
    of = select(Phase).where(Phase.deployment_id == deployment.id)
    unfinished = tx.first(of.where(Phase.status.in_(("running", "failed"))).order_by(Phase.id.desc()))
    return unfinished or tx.first(of.order_by(Phase.started_at.desc(), Phase.id.desc()))


def _close_phases(tx: Tx, deployment: Deployment, status: str) -> None:
    """A phase whose end was not recorded any more ends with the attempt."""
    for phase in tx.scalars(select(Phase).where(Phase.deployment_id == deployment.id, Phase.status == "running")):
        phase.status, phase.finished_at = status, tx.now
    tx.flush()
