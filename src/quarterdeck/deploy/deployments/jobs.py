"""Deployments as jobs: the work order at the claim, and what its end means for the resource."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from sqlalchemy import select

from quarterdeck.deploy.deployments import about, admission
from quarterdeck.deploy.deployments.ending import finished
from quarterdeck.deploy.deployments.following import RETIRE, SERVER_LEFT, RetirePayload, follow_up
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.ordering import (
    deployment_of,
    follow_up_order,
    mask,
    order,
    server_of,
)
from quarterdeck.deploy.deployments.placement import Placement
from quarterdeck.deploy.deployments.records import record
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.execution.order import DeploymentOrder, RuntimeOrder
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Unavailable
from quarterdeck.kernel.logs import Logs


class DeploymentPayload(msgspec.Struct):
    """Row id of the deployment that a job is about."""

    deployment: int


def kinds(placement: Placement, logs: Logs) -> list[jobs.JobKind]:
    """The kinds of job of this room, for work orders of this instance. Secrets of an order are masked in its logs."""

    def assign(tx: Tx, job: jobs.Job) -> DeploymentOrder:
        made = order(tx, placement, deployment_of(tx, job.read(DeploymentPayload).deployment))
        mask(logs, made.deployment, made.resource, made.variables, made.source_credential)
        return made

    def keep(tx: Tx, job: jobs.Job, kind: str, data: Any) -> dict[str, Any]:
        return record(tx, job.read(DeploymentPayload).deployment, kind, data)

    def finish(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
        deployment = deployment_of(tx, job.read(DeploymentPayload).deployment)
        finished(tx, placement, deployment, outcome)
        tx.after_commit(partial(_close, logs, f"deployment:{deployment.ref}"))

    def assign_retire(tx: Tx, job: jobs.Job) -> RuntimeOrder:
        payload = job.read(RetirePayload)
        deployment = deployment_of(tx, payload.deployment)
        _require_staying(tx, deployment)
        return follow_up_order(tx, placement, deployment, payload.operation)

    def finish_retire(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
        deployment = deployment_of(tx, job.read(RetirePayload).deployment)
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
    server = server_of(tx, deployment)
    if server.uninstalling_at is not None:
        raise Unavailable(
            f"The server {server.name} is being uninstalled, and what {deployment.ref} left there goes with it.",
            code="server_inactive",
            hint="This is tried again by itself when that has ended.",
        )


def _close(logs: Logs, stream: str) -> None:
    logs.close_later(stream)
