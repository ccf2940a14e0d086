"""Stopping, starting and restarting what serves. A restart never deploys."""

from __future__ import annotations

import hashlib

import msgspec
from sqlalchemy import select

from quarterdeck.deploy.deployments import about
from quarterdeck.deploy.deployments.admission import target_capabilities
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.ordering import order as deployment_order
from quarterdeck.deploy.deployments.placement import Placement
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.execution.order import Retained, RuntimeOrder
from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.archiving import put_away
from quarterdeck.deploy.resources.model import Resource, RuntimeControl
from quarterdeck.deploy.resources.transitions import TERMINAL, UNDER_WAY, begin, move, want
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound

CONTROL = "runtime.control"


class RuntimeAction(audit.Action):
    STOPPED = "resource.runtime-stop-requested"
    STARTED = "resource.runtime-start-requested"
    RESTARTED = "resource.runtime-restart-requested"


ACTIONS = {"stop": RuntimeAction.STOPPED, "start": RuntimeAction.STARTED, "restart": RuntimeAction.RESTARTED}


class ControlPayload(msgspec.Struct):
    """Row id of the attempt."""

    control: int


def control(
    tx: Tx,
    ref: str,
    operation: str,
    *,
    deployment_ref: str | None = None,
    reason: str | None = None,
    idempotency_key: str | None = None,
) -> RuntimeControl:
    """Ask for `stop`, `start` or `restart`. What cannot be raises the documented refusal with its `blockedReason`."""
    resource = resources.locked(tx, ref)
    if idempotency_key is not None:
        # The column is bounded; a hash of the key serves as well.
        idempotency_key = hashlib.sha256(idempotency_key.encode()).hexdigest()
        before = tx.first(
            select(RuntimeControl).where(
                RuntimeControl.resource_id == resource.id, RuntimeControl.idempotency_key == idempotency_key
            )
        )
        if before is not None:
            if before.operation != operation:
                raise Conflict("This idempotency key was used for another operation.", hint="Use a new key.")
            return before
    _check_archived(resource, operation)
    deployment = _serving(tx, resource, deployment_ref)
    _check(tx, resource, operation)
    attempt = RuntimeControl(
        uid=tx.ids.uid(),
        ref=tx.ids.ref("rtc"),
        resource_id=resource.id,
        deployment_id=deployment.id,
        operation=operation,
        reason=(reason or "")[:280] or None,
        blocked_reason=None,
        error_code=None,
        idempotency_key=idempotency_key,
        job_id=None,
        started_at=tx.now,
        completed_at=None,
    )
    begin(tx, resource, attempt)
    tx.add(attempt)
    server = tx.get(Server, deployment.server_id)
    assert server is not None  # noqa: S101 - the foreign key says so
    job = jobs.enqueue(
        tx,
        jobs.Enqueue(
            kind=CONTROL,
            payload=ControlPayload(attempt.id),
            organization_id=resource.organization_id,
            subject=f"resource:{resource.ref}",
            capabilities=target_capabilities(server),
            concurrency_key=resources.turn_of(resource),
        ),
    )
    attempt.job_id = job.id
    want(resource, "stopped" if operation == "stop" else "running")
    tx.flush()
    audit.record(
        tx,
        ACTIONS[operation],
        resource_type="resource",
        resource_id=resource.ref,
        organization_id=resource.organization_id,
        detail={"runtimeControlAttemptId": attempt.ref, "reason": reason},
    )
    return attempt


def _serving(tx: Tx, resource: Resource, deployment_ref: str | None) -> Deployment:
    deployment = tx.get(Deployment, resource.serving_id) if resource.serving_id else None
    if deployment is None or not deployment.runtime:
        raise Conflict(
            f"{resource.name} has no successful deployment to control.",
            code="resource_runtime_metadata_missing",
            hint="Deploy it first.",
            blockedReason="runtime-not-found",
        )
    if deployment_ref is not None and deployment.ref != deployment_ref:
        raise Conflict(
            f"{deployment_ref[:60]} does not serve {resource.name} any more.",
            code="resource_runtime_control_blocked",
            hint=f"{deployment.ref} serves now.",
            blockedReason="runtime-metadata-stale",
        )
    return deployment


def _check_archived(resource: Resource, operation: str) -> None:
    if resource.lifecycle != "archived":
        return
    if operation != "stop":
        raise Conflict(
            f"{resource.name} is archived and cannot be started again.",
            code="resource_runtime_control_blocked",
            hint="Archiving is final: create another resource.",
            blockedReason="resource-archived",
        )
    if resource.serving_id is None:
        raise Conflict(
            f"{resource.name} is archived and runs nothing.",
            code="resource_runtime_already_in_state",
            hint="Nothing to do.",
            blockedReason="runtime-already-stopped",
        )


def _check(tx: Tx, resource: Resource, operation: str) -> None:
    blocked = None
    if tx.first(
        select(RuntimeControl).where(RuntimeControl.resource_id == resource.id, RuntimeControl.status.in_(UNDER_WAY))
    ):
        blocked = "runtime-control-in-progress"
    elif tx.first(select(Deployment).where(Deployment.resource_id == resource.id, Deployment.status.in_(ACTIVE))):
        blocked = "deployment-in-progress"
    if blocked is not None:
        raise Conflict(
            f"The runtime of {resource.name} cannot be controlled now: {blocked.replace('-', ' ')}.",
            code="resource_runtime_control_blocked",
            hint="Wait until what runs has ended, then try again.",
            blockedReason=blocked,
        )
    already = {"stop": "stopped", "start": "running"}.get(operation)
    last = latest(tx, resource)
    # What an attempt that failed has left of the runtime that still serves is not known: it may be down or up.
    unknown = last is not None and last.runtime_state == "unknown" and last.deployment_id == resource.serving_id
    if already == resource.wanted and not unknown:
        raise Conflict(
            f"{resource.name} is {already} already.",
            code="resource_runtime_already_in_state",
            hint="Nothing to do.",
            blockedReason=f"runtime-already-{already}",
        )


def latest(tx: Tx, resource: Resource) -> RuntimeControl | None:
    return tx.first(
        select(RuntimeControl)
        .where(RuntimeControl.resource_id == resource.id)
        .order_by(RuntimeControl.id.desc())
        .limit(1)
    )


def kind(placement: Placement) -> jobs.JobKind:
    """Runtime control as a job, for work orders of this instance."""

    def assign(tx: Tx, job: jobs.Job) -> RuntimeOrder:
        attempt, resource, deployment = _rows(tx, job)
        move(tx, resource, attempt, "running")
        made = deployment_order(tx, placement, deployment)
        again = msgspec.structs.replace(
            made, retained=Retained(deployment.ref, deployment.artifact or {}, deployment.plan or {})
        )
        return RuntimeOrder(
            operation=attempt.operation,
            deployment=deployment.ref,
            resource=resource.ref,
            target=made.target,
            runtime=deployment.runtime or {},
            grace_seconds=10.0,
            route=made.route,
            again=again,
        )

    def finish(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
        attempt, resource, deployment = _rows(tx, job)
        if attempt.status in TERMINAL:
            return  # a job that is retried after its attempt has ended says nothing new
        good = outcome.state == "succeeded"
        if good:
            started_again(deployment, outcome)
            if attempt.operation == "stop" and resource.lifecycle == "archived":
                put_away(tx, resource)
        elif latest(tx, resource) is attempt:
            # It is as it was before, as far as can be known: so it can be asked for once more.
            want(resource, "stopped" if attempt.operation == "start" else "running")
        code = None if good else outcome.error_code or "runtime_control_failed"
        move(tx, resource, attempt, "succeeded" if good else "failed", error_code=code)
        tx.publish("runtimes")

    return jobs.JobKind(
        name=CONTROL,
        payload=ControlPayload,
        assign=assign,
        finish=finish,
        unsettled=_unsettled,
        lease_seconds=15,
        work=jobs.Work("runtime-maintenance", "Control a runtime", about.controls, again),
    )


def _unsettled(tx: Tx) -> list[int]:
    mine = RuntimeControl.status.in_(UNDER_WAY) & RuntimeControl.job_id.is_not(None)
    return [row[0] for row in tx.execute(select(RuntimeControl.job_id).where(mine))]


def again(tx: Tx, job: jobs.Job) -> jobs.Job:
    """An attempt that has ended stays as it is: a retry is a new one of the same operation."""
    attempt, resource, _ = _rows(tx, job)
    made = control(tx, resource.ref, attempt.operation, reason=attempt.reason)
    if made.job_id is None:
        raise NotFound(f"The attempt {made.ref} has no job.")
    return jobs.get(tx, made.job_id)


def started_again(deployment: Deployment, outcome: jobs.Outcome) -> None:
    """Keep where a runtime answers that was started again: a port that a stranger took meanwhile is another one now."""
    result = msgspec.json.decode(outcome.result) if outcome.result else {}
    if isinstance(result, dict) and result.get("runtime"):
        deployment.runtime = {**(deployment.runtime or {}), **result["runtime"]}


def _rows(tx: Tx, job: jobs.Job) -> tuple[RuntimeControl, Resource, Deployment]:
    attempt = tx.get(RuntimeControl, job.read(ControlPayload).control)
    resource = tx.get(Resource, attempt.resource_id) if attempt is not None else None
    deployment = tx.get(Deployment, attempt.deployment_id) if attempt is not None and attempt.deployment_id else None
    if attempt is None or resource is None or deployment is None:
        raise NotFound(
            "What this work was to stop or start is gone.",
            hint="Its resource was deleted, or its deployment pruned. qd ls shows what there is.",
        )
    return attempt, resource, deployment
