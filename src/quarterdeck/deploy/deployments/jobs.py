"""Deployments as jobs: the work order at the claim, and what its end means for the resource."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import or_, select

from quarterdeck.deploy.deployments import about, admission, routes
from quarterdeck.deploy.deployments.model import Deployment, Phase
from quarterdeck.deploy.deployments.placement import Placement
from quarterdeck.deploy.deployments.records import record
from quarterdeck.deploy.deployments.transitions import ACTIVE, TERMINAL, move
from quarterdeck.deploy.execution.order import (
    DeploymentOrder,
    Retained,
    RouteOrder,
    RuntimeOrder,
    Serving,
    VariableValue,
)
from quarterdeck.deploy.resources import build_places, resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.resources.transitions import serve, want
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Unavailable
from quarterdeck.kernel.logs import Logs

RETIRE = "deployment.retire"
CHANGED = "runtimes"
"""The bus topic that says: another runtime serves, or one was stopped or started."""
SERVER_LEFT = "The server was uninstalled: nothing is left there to be cleared away."
"""Why clearing may end without having been done."""
FOLLOW_UP_ATTEMPTS = 40
"""Tries, at last ten minutes apart: an engine may be away for an hour or two."""
FAILED_MESSAGE = "The deployment failed."


class DeploymentPayload(msgspec.Struct):
    """Row id of the deployment that a job is about."""

    deployment: int


class RetirePayload(msgspec.Struct):
    """`retire` drains and stops what was replaced; `clean` removes what a failed attempt left; `forget` removes an
    artefact that is not kept any longer.
    """

    deployment: int
    operation: str


def kinds(placement: Placement, logs: Logs) -> list[jobs.JobKind]:
    """The kinds of job of this room, for work orders of this instance. Secrets of an order are masked in its logs."""

    def assign(tx: Tx, job: jobs.Job) -> DeploymentOrder:
        made = order(tx, placement, _deployment(tx, job.read(DeploymentPayload).deployment))
        mask(logs, made.deployment, made.resource, made.variables, made.source_credential)
        return made

    def keep(tx: Tx, job: jobs.Job, kind: str, data: Any) -> dict[str, Any]:
        return record(tx, job.read(DeploymentPayload).deployment, kind, data)

    def finish(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
        deployment = _deployment(tx, job.read(DeploymentPayload).deployment)
        finished(tx, placement, deployment, outcome)
        tx.after_commit(partial(_close, logs, f"deployment:{deployment.ref}"))

    def assign_retire(tx: Tx, job: jobs.Job) -> RuntimeOrder:
        payload = job.read(RetirePayload)
        deployment = _deployment(tx, payload.deployment)
        _require_staying(tx, deployment)
        return follow_up_order(tx, placement, deployment, payload.operation)

    def finish_retire(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
        deployment = _deployment(tx, job.read(RetirePayload).deployment)
        if outcome.state == "canceled" and outcome.error_message != SERVER_LEFT:
            _insist(tx, job, deployment)
        retired = job.read(RetirePayload).operation in {"retire", "clean"}
        if outcome.state == "succeeded" and retired and deployment.retired_at is None:
            deployment.retired_at = tx.now

    return [
        jobs.JobKind(
            name=admission.EXECUTE,
            payload=DeploymentPayload,
            assign=assign,
            record=keep,
            finish=finish,
            unsettled=_unsettled,
            lease_seconds=15,
            work=jobs.Work("deployment", "Deploy", about.attempts, about.again),
        ),
        jobs.JobKind(
            name=RETIRE,
            payload=RetirePayload,
            assign=assign_retire,
            finish=finish_retire,
            lane="background",
            lease_seconds=15,
            work=jobs.Work("runtime-maintenance", "Clear away after a deployment", about.followers, about.follow_again),
            keeps_turn=False,
        ),
    ]


def _unsettled(tx: Tx) -> list[int]:
    query = select(Deployment.job_id).where(Deployment.status.in_(ACTIVE), Deployment.job_id.is_not(None))
    return [row[0] for row in tx.execute(query)]


def _insist(tx: Tx, job: jobs.Job, deployment: Deployment) -> None:
    """What is left would stay for ever: nobody may cancel its clearing away, and one that was stopped begins anew."""
    if job.closed_by is not None:
        raise Conflict(
            f"What {deployment.ref} left has to be cleared away; this cannot be canceled.",
            code="operator_work_cancel_not_allowed",
            hint="Let it run. If it cannot succeed, the daily housekeeping takes over what remains.",
        )
    follow_up(tx, deployment, job.read(RetirePayload).operation)


def _require_staying(tx: Tx, deployment: Deployment) -> None:
    """Raise `Unavailable` (`server_inactive`) while the server is being uninstalled: what would be cleared away there
    goes with it, and where it does not, this comes back for it.
    """
    server = _server(tx, deployment)
    if server.uninstalling_at is not None:
        raise Unavailable(
            f"The server {server.name} is being uninstalled, and what {deployment.ref} left there goes with it.",
            code="server_inactive",
            hint="This is tried again by itself when that has ended.",
        )


def _close(logs: Logs, stream: str) -> None:
    logs.close_later(stream)


def mask(
    logs: Logs, deployment: str, resource: str, variables: Sequence[VariableValue], credential: str | None
) -> None:
    """Hide the secrets of an attempt in both streams that its lines go to."""
    hidden = [variable.value for variable in variables if variable.secret]
    if credential:
        values = msgspec.json.decode(credential)
        hidden.extend(str(values[name]) for name in ("token", "key") if name in values)
    for stream in (f"deployment:{deployment}", f"runtime:{resource}"):
        logs.mask(stream, hidden)


def mask_active(tx: Tx, logs: Logs) -> int:
    """Hide the secrets of every attempt under way: after a restart, a worker that dials in goes on with its lines
    without being given its order again.
    """
    active = list(tx.scalars(select(Deployment).where(Deployment.status.in_(ACTIVE))))
    for deployment in active:
        resource = _resource(tx, deployment)
        credential = admission.source_credential(tx, resource, deployment.snapshot.get("source") or {})
        mask(logs, deployment.ref, resource.ref, _variables(tx, deployment), credential)
    return len(active)


def _variables(tx: Tx, deployment: Deployment) -> list[VariableValue]:
    return [
        VariableValue(value["key"], value["value"], value["exposure"], value["secret"])
        for value in admission.snapshot_variables(tx, deployment)
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
    phases = list(tx.scalars(select(Phase).where(Phase.deployment_id == deployment.id).order_by(Phase.started_at)))
    source = deployment.snapshot.get("source") or {}
    builder = None if candidate else build_places.of(tx, source, deployment.organization_id, server)
    return DeploymentOrder(
        deployment=deployment.ref,
        number=deployment.number,
        resource=resource.ref,
        resource_slug=resource.slug,
        resource_kind=resource.kind,
        organization=str(deployment.organization_id),
        trigger=deployment.trigger,
        target=placement.target(tx, server),
        source=source,
        runtime=deployment.snapshot.get("runtime") or {},
        network=deployment.snapshot.get("network"),
        health=deployment.snapshot.get("health"),
        route=_route(tx, resource, deployment),
        variables=_variables(tx, deployment),
        limits=placement.limits,
        retained=(
            Retained(candidate.ref, candidate.artifact or {}, candidate.plan or {}) if candidate is not None else None
        ),
        serving=_serving(tx, resource, serving, server),
        done=_done(deployment, phases),
        resumed=phases[-1].phase if phases else None,
        source_credential=admission.source_credential(tx, resource, deployment.snapshot.get("source") or {}),
        commit=deployment.commit,
        source_within=deployment.snapshot.get("sourceWithin") or [],
        build=placement.target(tx, builder) if builder else None,
        build_name=builder.name if builder else None,
        awaited=deployment.next_try_at is not None,
    )


def _serving(tx: Tx, resource: Resource, deployment: Deployment | None, server: Server) -> Serving | None:
    """What serves on this server: of another one neither addresses nor containers mean anything here."""
    if deployment is None or deployment.server_id != server.id:
        return None
    stopped = resource.wanted == "stopped"
    return Serving(deployment.ref, deployment.runtime or {}, _route(tx, resource, deployment), stopped)


def _route(tx: Tx, resource: Resource, deployment: Deployment) -> RouteOrder | None:
    route = deployment.route
    if not route:
        return None
    return RouteOrder(resource.ref, routes.owner(tx, resource), list(route["hostnames"]), str(route["pathPrefix"]))


def follow_up_order(tx: Tx, placement: Placement, deployment: Deployment, operation: str) -> RuntimeOrder:
    """What is to be cleared away after a deployment, decided when it is: what somebody else needs by then stays."""
    resource, server = _resource(tx, deployment), _server(tx, deployment)
    serving = tx.get(Deployment, resource.serving_id) if resource.serving_id else None
    runtime, artifact = deployment.runtime or {}, deployment.artifact or {}
    return RuntimeOrder(
        operation=operation,
        deployment=deployment.ref,
        resource=resource.ref,
        target=placement.target(tx, server),
        runtime=runtime,
        grace_seconds=placement.grace_seconds,
        route=_route(tx, resource, deployment),
        artifact={} if needed(tx, deployment) else artifact,
        serving=_serving(tx, resource, serving, server),
        in_containers=in_containers(deployment),
    )


def in_containers(deployment: Deployment) -> bool:
    """Whether what an attempt left, if it did, is in an engine."""
    planned = (deployment.plan or {}).get("execution_kind") in {"docker-container", "docker-compose-stack"}
    runtime, artifact = deployment.runtime or {}, deployment.artifact or {}
    return planned or artifact.get("kind") in {"image", "stack"} or runtime.get("kind") == "container"


def _done(deployment: Deployment, phases: Sequence[Phase]) -> dict[str, dict[str, object]]:
    columns: dict[str, dict[str, object] | None] = {
        "detect": {"commit": deployment.commit, "message": deployment.commit_message},
        "plan": deployment.plan,
        "package": deployment.artifact,
        "deploy": deployment.runtime,
        "verify": {},
        "cut-over": deployment.runtime,
    }
    return {row.phase: columns.get(row.phase) or {} for row in phases if row.status in {"succeeded", "skipped"}}


def finished(tx: Tx, placement: Placement, deployment: Deployment, outcome: jobs.Outcome) -> None:
    """Close the attempt in the transaction that completes its job, and set the follow-up work."""
    resource = _resource(tx, deployment)
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


def needed(tx: Tx, deployment: Deployment) -> bool:
    """Whether the artefact of a deployment is what another one runs, keeps, or is about to start again."""
    key = _artifact_key(deployment)
    rows = tx.scalars(
        select(Deployment).where(
            Deployment.resource_id == deployment.resource_id,
            or_(Deployment.artifact_retained.is_(True), Deployment.status.in_(ACTIVE)),
        )
    )
    for row in rows:
        candidate = tx.get(Deployment, row.candidate_id) if row.candidate_id and row.status in ACTIVE else None
        kept = row.id == deployment.id and row.artifact_retained
        if kept or (row.id != deployment.id and key in {_artifact_key(row), candidate and _artifact_key(candidate)}):
            return True
    return False


def _artifact_key(deployment: Deployment) -> str:
    artifact = deployment.artifact or {}
    return str(artifact.get("reference") or artifact.get("directory") or deployment.ref)


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


def follow_up(tx: Tx, deployment: Deployment, operation: str) -> None:
    """Ask for what is to be done about a deployment that has ended, in words of `RetirePayload`."""
    # Only cleaning changes the way to the resource: it takes its turn among whatever else does, and is not kept
    # waiting by versions that drain, since the next attempt may stand behind it.
    turn = operation == "clean"
    jobs.enqueue(
        tx,
        jobs.Enqueue(
            kind=RETIRE,
            payload=RetirePayload(deployment.id, operation),
            organization_id=deployment.organization_id,
            subject=f"deployment:{deployment.ref}",
            lane="normal" if turn else "background",
            capabilities=admission.target_capabilities(_server(tx, deployment)),
            concurrency_key=resources.turn_of(_resource(tx, deployment)) if turn else None,
            max_attempts=FOLLOW_UP_ATTEMPTS,
        ),
    )
