"""Deployments as jobs: the work order at the claim, and what its end means for the resource."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select

from quarterdeck.deploy.deployments import admission
from quarterdeck.deploy.deployments.model import Deployment, Phase
from quarterdeck.deploy.deployments.placement import Placement
from quarterdeck.deploy.deployments.records import record
from quarterdeck.deploy.deployments.transitions import TERMINAL, move
from quarterdeck.deploy.execution.order import (
    DeploymentOrder,
    Retained,
    RouteOrder,
    RuntimeOrder,
    Serving,
    VariableValue,
)
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.logs import Logs

RETIRE = "deployment.retire"
FAILED_MESSAGE = "The deployment failed."


class DeploymentPayload(msgspec.Struct):
    """Row id of the deployment that a job is about."""

    deployment: int


class RetirePayload(msgspec.Struct):
    """`retire` drains and stops what was replaced; `clean` removes what a failed attempt left; `forget` also removes
    the retained artefact.
    """

    deployment: int
    operation: str


def kinds(placement: Placement, logs: Logs) -> list[jobs.JobKind]:
    """The kinds of job of this room, for work orders of this instance. Secrets of an order are masked in its logs."""

    def assign(tx: Tx, job: jobs.Job) -> DeploymentOrder:
        made = order(tx, placement, _deployment(tx, job.read(DeploymentPayload).deployment))
        hidden = [variable.value for variable in made.variables if variable.secret]
        if made.source_credential:
            hidden.extend(str(value) for value in msgspec.json.decode(made.source_credential).values())
        for stream in (f"deployment:{made.deployment}", f"runtime:{made.resource}"):
            logs.mask(stream, hidden)
        return made

    def keep(tx: Tx, job: jobs.Job, kind: str, data: Any) -> dict[str, Any]:
        return record(tx, job.read(DeploymentPayload).deployment, kind, data)

    def finish(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
        finished(tx, placement, _deployment(tx, job.read(DeploymentPayload).deployment), outcome)

    def assign_retire(tx: Tx, job: jobs.Job) -> RuntimeOrder:
        payload = job.read(RetirePayload)
        deployment = _deployment(tx, payload.deployment)
        resource, server = _resource(tx, deployment), _server(tx, deployment)
        return RuntimeOrder(
            operation=payload.operation,
            deployment=deployment.ref,
            resource=resource.ref,
            target=placement.target(server),
            runtime={"artifact": deployment.artifact or {}, **(deployment.runtime or {})},
            grace_seconds=placement.grace_seconds,
        )

    def finish_retire(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
        deployment = _deployment(tx, job.read(RetirePayload).deployment)
        if outcome.state == "succeeded" and deployment.retired_at is None:
            deployment.retired_at = tx.now

    return [
        jobs.JobKind(
            name=admission.EXECUTE,
            payload=DeploymentPayload,
            assign=assign,
            record=keep,
            finish=finish,
            lease_seconds=15,
        ),
        jobs.JobKind(
            name=RETIRE,
            payload=RetirePayload,
            assign=assign_retire,
            finish=finish_retire,
            lane="background",
            lease_seconds=15,
        ),
    ]


def _deployment(tx: Tx, row_id: int) -> Deployment:
    found = tx.get(Deployment, row_id)
    assert found is not None  # noqa: S101 - jobs outlive no deployment
    return found


def _resource(tx: Tx, deployment: Deployment) -> Resource:
    found = tx.get(Resource, deployment.resource_id)
    assert found is not None  # noqa: S101 - the foreign key says so
    return found


def _server(tx: Tx, deployment: Deployment) -> Server:
    found = tx.get(Server, deployment.server_id)
    assert found is not None  # noqa: S101 - the foreign key says so
    return found


def order(tx: Tx, placement: Placement, deployment: Deployment) -> DeploymentOrder:
    """Everything that a worker needs for this attempt, with what earlier executions of it have recorded."""
    resource, server = _resource(tx, deployment), _server(tx, deployment)
    serving = tx.get(Deployment, resource.serving_id) if resource.serving_id else None
    candidate = tx.get(Deployment, deployment.candidate_id) if deployment.candidate_id else None
    route = deployment.route
    return DeploymentOrder(
        deployment=deployment.ref,
        number=deployment.number,
        resource=resource.ref,
        resource_slug=resource.slug,
        resource_kind=resource.kind,
        organization=str(deployment.organization_id),
        trigger=deployment.trigger,
        target=placement.target(server),
        source=deployment.snapshot.get("source") or {},
        runtime=deployment.snapshot.get("runtime") or {},
        network=deployment.snapshot.get("network"),
        health=deployment.snapshot.get("health"),
        route=RouteOrder(resource.ref, list(route["hostnames"]), str(route["pathPrefix"])) if route else None,
        variables=[
            VariableValue(value["key"], value["value"], value["exposure"], value["secret"])
            for value in admission.snapshot_variables(tx, deployment)
        ],
        limits=placement.limits,
        retained=(
            Retained(candidate.ref, candidate.artifact or {}, candidate.plan or {}) if candidate is not None else None
        ),
        serving=Serving(serving.ref, serving.runtime or {}) if serving is not None else None,
        done=_done(tx, deployment),
        source_credential=admission.source_credential(tx, resource),
    )


def _done(tx: Tx, deployment: Deployment) -> dict[str, dict[str, object]]:
    columns: dict[str, dict[str, object] | None] = {
        "detect": {"commit": deployment.commit, "message": deployment.commit_message},
        "plan": deployment.plan,
        "package": deployment.artifact,
        "deploy": deployment.runtime,
        "verify": {},
        "cut-over": deployment.runtime,
    }
    rows = tx.scalars(
        select(Phase).where(Phase.deployment_id == deployment.id, Phase.status.in_(("succeeded", "skipped")))
    )
    return {row.phase: columns.get(row.phase) or {} for row in rows}


def finished(tx: Tx, placement: Placement, deployment: Deployment, outcome: jobs.Outcome) -> None:
    """Close the attempt in the transaction that completes its job, and set the follow-up work."""
    resource = _resource(tx, deployment)
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
        _close_phases(tx, deployment)
        if touched and resource.serving_id != deployment.id:
            _follow_up(tx, placement, deployment, "clean")
    audit.record(
        tx,
        admission.DeploymentAction.FINISHED,
        resource_type="deployment",
        resource_id=deployment.ref,
        organization_id=deployment.organization_id,
        aggregate_id=resource.ref,
        outcome="success" if deployment.status == "succeeded" else "failure",
        detail={"status": deployment.status, "errorCode": deployment.error_code},
    )


def _succeeded(tx: Tx, placement: Placement, deployment: Deployment, resource: Resource, outcome: jobs.Outcome) -> None:
    if deployment.status != "running" and deployment.status != "cancel-requested":  # noqa: PLR1714 - two different reasons
        move(tx, deployment, "running")
    result = msgspec.json.decode(outcome.result) if outcome.result else {}
    if isinstance(result, dict) and result.get("runtime"):
        deployment.runtime = {**(deployment.runtime or {}), **result["runtime"]}
    deployment.artifact_retained = deployment.artifact is not None
    move(tx, deployment, "succeeded")
    replaced = tx.get(Deployment, resource.serving_id) if resource.serving_id else None
    resource.serving_id = deployment.id
    tx.flush()
    tx.publish("runtimes")
    if replaced is not None and replaced.id != deployment.id:
        _follow_up(tx, placement, replaced, "retire")
    retained = list(
        tx.scalars(
            select(Deployment)
            .where(Deployment.resource_id == resource.id, Deployment.artifact_retained.is_(True))
            .order_by(Deployment.id.desc())
        )
    )
    shared = {_artifact_key(row) for row in retained[: placement.retained + 1]}
    for row in retained[placement.retained + 1 :]:
        row.artifact_retained = False
        if _artifact_key(row) not in shared:
            _follow_up(tx, placement, row, "forget")


def _artifact_key(deployment: Deployment) -> str:
    artifact = deployment.artifact or {}
    return str(artifact.get("image") or artifact.get("directory") or deployment.ref)


def _failed(tx: Tx, deployment: Deployment, outcome: jobs.Outcome) -> None:
    running = tx.first(
        select(Phase)
        .where(Phase.deployment_id == deployment.id, Phase.status.in_(("running", "failed")))
        .order_by(Phase.id.desc())
    )
    deployment.error_code = outcome.error_code or "deployment_failed"
    message, _, hint = (outcome.error_message or FAILED_MESSAGE).partition("\n")
    deployment.error_message, deployment.error_hint = message, hint or None
    deployment.error_phase = running.phase if running else "detect"
    if running is not None and running.phase == "cut-over":
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


def _close_phases(tx: Tx, deployment: Deployment) -> None:
    for phase in tx.scalars(select(Phase).where(Phase.deployment_id == deployment.id, Phase.status == "running")):
        phase.status, phase.finished_at = "failed", tx.now
    tx.flush()


def _follow_up(tx: Tx, placement: Placement, deployment: Deployment, operation: str) -> None:
    jobs.enqueue(
        tx,
        jobs.Enqueue(
            kind=RETIRE,
            payload=RetirePayload(deployment.id, operation),
            organization_id=deployment.organization_id,
            subject=f"deployment:{deployment.ref}",
            lane="background",
            capabilities=admission.target_capabilities(_server(tx, deployment)),
            max_attempts=5,
        ),
    )
