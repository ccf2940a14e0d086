"""Deployments: admit, show, list, recover, cancel."""

from __future__ import annotations

from typing import Any

import msgspec

from quarterdeck.deploy.deployments import admission, deployments, readiness
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.readiness import Readiness
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.jobs.service import Jobs
from quarterdeck.kernel.logs import Logs
from quarterdeck.surfaces.deploy import deployment_documents as documents
from quarterdeck.surfaces.deploy.deployment_documents import Names
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import at, limit_of, present
from quarterdeck.surfaces.deploy.wire import deployments as wire
from quarterdeck.surfaces.deploy.wire.deployments_records import DeploymentsListQuery, DeploymentsShowQuery
from quarterdeck.surfaces.deploy.wire.deployments_shapes import DeploymentsCreateBody
from quarterdeck.surfaces.deploy.wire.resources import DeploymentsRedeployBody
from quarterdeck.surfaces.shared.values import given

SYNCHRONOUS_SECONDS = 120.0
CANDIDATES = 20


@operation("deployments.count")
async def count(call: Call, query: wire.DeploymentsCountQuery) -> dict[str, int]:
    found = await call.read(
        deployments.count, project_ref=given(query.project_id), resource_ref=given(query.resource_id)
    )
    return {"count": found}


@operation("deployments.list")
async def newest(call: Call, query: DeploymentsListQuery, logs: Logs) -> dict[str, Any]:
    def verb(tx: Tx) -> list[dict[str, Any]]:
        names = Names(tx)
        rows = deployments.newest(
            tx,
            limit_of(query),
            project_ref=given(query.project_id),
            resource_ref=given(query.resource_id),
            archived=bool(given(query.include_archived)),
        )
        names.learn(rows)
        return [documents.base(names, row) for row in rows]

    items = await call.read(verb)
    counts = await logs.heads([f"deployment:{item['id']}" for item in items])
    return {"items": [{**item, "logs": [], "logCount": counts.get(f"deployment:{item['id']}", 0)} for item in items]}


async def log_count(logs: Logs, ref: str) -> int:
    return (await logs.state(f"deployment:{ref}")).head


@operation("deployments.create")
async def create(call: Call, body: DeploymentsCreateBody, jobs: Jobs) -> dict[str, str]:
    made = await call.write(
        admission.create,
        project_ref=body.project_id,
        environment_ref=body.environment_id,
        resource_ref=body.resource_id,
        server_ref=body.server_id,
        destination_ref=given(body.destination_id),
    )
    # Only an explicit wish waits: the answer otherwise comes as soon as the deployment is admitted.
    asked = msgspec.json.decode(await call.request.body())
    if asked.get("executionMode") == "synchronous" and made.job_id is not None:
        await jobs.wait(made.job_id, SYNCHRONOUS_SECONDS)
    return {"id": made.ref}


@operation("deployments.show")
async def show(call: Call, deployment_id: str, query: DeploymentsShowQuery, logs: Logs) -> dict[str, Any]:
    def verb(tx: Tx) -> dict[str, Any]:
        deployment = deployments.find(tx, deployment_id)
        names = Names(tx)
        base = documents.base(names, deployment)
        body: dict[str, Any] = {
            "schemaVersion": "deployments.show/v1",
            "deployment": base,
            "status": present(
                current=deployment.status,
                createdAt=wire_time(deployment.created_at),
                startedAt=at(deployment.started_at),
                finishedAt=at(deployment.finished_at),
                rollbackOfDeploymentId=base.get("rollbackOfDeploymentId"),
            ),
            "nextActions": documents.next_actions(deployment),
            "sectionErrors": [],
        }
        if given(query.include_related_context) is not False:
            body["relatedContext"] = documents.related(names, deployment)
        if given(query.include_snapshot) is not False:
            body["snapshot"] = {
                "runtimePlan": base["runtimePlan"],
                "environmentSnapshot": base["environmentSnapshot"],
            }
        if given(query.include_timeline) is not False:
            body["timeline"] = present(
                createdAt=wire_time(deployment.created_at),
                startedAt=at(deployment.started_at),
                finishedAt=at(deployment.finished_at),
                logCount=0,
            )
        failure = documents.latest_failure(deployment)
        if failure is not None and given(query.include_latest_failure) is not False:
            body["latestFailure"] = failure
        if given(query.include_recovery_summary) is not False:
            body["recoverySummary"] = summary(readiness.assess(tx, deployment))
        return {**body, "generatedAt": wire_time(tx.now)}

    body = await call.read(verb)
    body["deployment"]["logCount"] = await log_count(logs, deployment_id)
    if "timeline" in body:
        body["timeline"]["logCount"] = body["deployment"]["logCount"]
    return body


def summary(found: Readiness) -> dict[str, Any]:
    codes = sorted({*found.retry, *found.redeploy, *found.rollback})
    return {
        "source": "deployments.recovery-readiness",
        "retryable": not found.retry,
        "redeployable": not found.redeploy,
        "rollbackReady": not found.rollback,
        "rollbackCandidateCount": len(found.candidates),
        "blockedReasonCodes": codes,
    }


@operation("deployments.recovery-readiness")
async def recovery_readiness(
    call: Call, deployment_id: str, query: wire.DeploymentsRecoveryReadinessQuery
) -> dict[str, Any]:
    limit = given(query.max_candidates)
    most = min(int(limit), CANDIDATES) if str(limit or "").isdigit() and int(limit) > 0 else CANDIDATES

    def verb(tx: Tx) -> dict[str, Any]:
        deployment = deployments.find(tx, deployment_id)
        resource = deployments.check_resource(tx, deployment, given(query.resource_id))
        found = readiness.assess(tx, deployment, most)
        candidates = (
            [candidate(row) for row in found.candidates] if given(query.include_candidates) is not False else []
        )

        def way(codes: list[str], operation_key: str) -> dict[str, Any]:
            return {
                "allowed": not codes,
                "commandActive": True,
                "reasons": documents.reasons(codes),
                "targetOperation": operation_key,
            }

        rollback = present(
            **{key: value for key, value in way(found.rollback, "").items() if key != "targetOperation"},
            candidates=candidates,
            recommendedCandidateId=found.candidates[0].ref if found.candidates else None,
        )
        recoverable = not (found.retry and found.redeploy and found.rollback)
        return {
            "schemaVersion": "deployments.recovery-readiness/v1",
            "deploymentId": deployment.ref,
            "resourceId": resource.ref,
            "generatedAt": wire_time(tx.now),
            "stateVersion": found.version,
            "recoverable": recoverable,
            "retryable": not found.retry,
            "redeployable": not found.redeploy,
            "rollbackReady": not found.rollback,
            "rollbackCandidateCount": len(found.candidates),
            "retry": way(found.retry, "deployments.retry"),
            "redeploy": way(found.redeploy, "deployments.redeploy"),
            "rollback": rollback,
            "recommendedActions": actions(found),
        }

    return await call.read(verb)


def candidate(row: Deployment) -> dict[str, Any]:
    artifact = row.artifact or {}
    return present(
        deploymentId=row.ref,
        finishedAt=wire_time(row.finished_at or row.created_at),
        status="succeeded",
        sourceSummary=" ".join(text for text in ((row.commit or "")[:7], row.commit_message or "") if text) or None,
        artifactSummary=str(artifact.get("reference") or artifact.get("directory") or "") or None,
        environmentSnapshotId=row.snapshot_ref,
        runtimeTargetSummary=(row.runtime or {}).get("kind"),
        rollbackReady=True,
        reasons=[],
    )


def actions(found: Readiness) -> list[dict[str, Any]]:
    ways = (
        ("deployments.retry", "Retry with the same snapshot", found.retry),
        ("deployments.redeploy", "Deploy the present configuration", found.redeploy),
        ("deployments.rollback", "Give back an earlier version", found.rollback),
    )
    listed = [
        present(
            kind="command",
            targetOperation=key,
            label=label,
            safeByDefault=False,
            commandActive=True,
            blockedReasonCode=codes[0] if codes else None,
        )
        for key, label, codes in ways
    ]
    return [
        {"kind": "query", "targetOperation": "deployments.logs", "label": "Read the log", "safeByDefault": True},
        *listed,
    ]


@operation("deployments.retry")
async def retry(call: Call, deployment_id: str, body: wire.DeploymentsRetryBody) -> dict[str, str]:
    made = await call.write(
        deployments.retry,
        deployment_id,
        resource_ref=given(body.resource_id),
        state_version=given(body.readiness_generated_at),
    )
    return {"id": made.ref}


@operation("deployments.redeploy")
async def redeploy(call: Call, resource_id: str, body: DeploymentsRedeployBody) -> dict[str, str]:
    made = await call.write(
        deployments.redeploy,
        resource_id,
        project_ref=given(body.project_id),
        environment_ref=given(body.environment_id),
        server_ref=given(body.server_id),
        destination_ref=given(body.destination_id),
        source_ref=given(body.source_deployment_id),
        state_version=given(body.readiness_generated_at),
    )
    return {"id": made.ref}


@operation("deployments.rollback")
async def rollback(call: Call, deployment_id: str, body: wire.DeploymentsRollbackBody) -> dict[str, str]:
    made = await call.write(
        deployments.rollback,
        deployment_id,
        body.rollback_candidate_deployment_id,
        resource_ref=given(body.resource_id),
        state_version=given(body.readiness_generated_at),
    )
    return {"id": made.ref}


@operation("deployments.cancel")
async def cancel(call: Call, deployment_id: str, body: wire.DeploymentsCancelBody, jobs: Jobs) -> dict[str, str]:
    asked = await call.write(deployments.cancel, deployment_id, body.confirm, resource_ref=given(body.resource_id))
    if asked.job_id is not None:
        await jobs.wait(asked.job_id, 15.0)

    ended = at((await call.read(deployments.find, deployment_id)).finished_at)
    return {"id": deployment_id, "status": "canceled", "canceledAt": ended or call.stamp}
