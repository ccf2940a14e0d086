"""Tearing a preview down by the fingerprint of its source."""

from __future__ import annotations

from typing import Any

from quarterdeck.deploy.deployments import previews
from quarterdeck.identity import deploy_tokens
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import ProviderFailure, Timeout
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.jobs.service import Jobs
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.wire import deployments as wire
from quarterdeck.surfaces.shared.values import given

PATIENCE = 60.0
"""Seconds that a request waits for the end of the cleaning, which goes on by itself."""


def context_of(body: wire.DeploymentsCleanupPreviewBody) -> previews.Context:
    named = given(body.trusted_context)
    if named is None:
        return previews.Context()
    return previews.Context(
        project=given(named.project_id),
        environment=given(named.environment_id),
        resource=given(named.resource_id),
        server=given(named.server_id),
        destination=given(named.destination_id),
        repository=given(named.repository_full_name),
        repository_id=given(named.repository_id),
        ref=given(named.ref),
        revision=given(named.revision),
    )


def ask(tx: Tx, fingerprint: str, context: previews.Context) -> previews.Cleanup:
    """A deploy token whose scope is narrowed has to name what it means, and to be right about it."""
    deploy_tokens.require_reach(
        tx,
        projectIds=context.project,
        environmentIds=context.environment,
        resourceIds=context.resource,
        deploymentTargetIds=context.server,
        repositoryFullNames=context.repository,
    )
    asked = previews.request(tx, fingerprint, context)
    if asked.ids:
        deploy_tokens.require_reach(
            tx,
            projectIds=asked.ids.get("projectId"),
            environmentIds=asked.ids.get("environmentId"),
            resourceIds=asked.ids.get("resourceId"),
            deploymentTargetIds=asked.ids.get("serverId"),
            repositoryFullNames=asked.repository,
        )
    return asked


@operation(
    "deployments.cleanup-preview",
    deploy_tokens=True,
    further=((401, "action_auth_invalid"), (403, "action_auth_forbidden")),
)
async def cleanup_preview(call: Call, body: wire.DeploymentsCleanupPreviewBody, jobs: Jobs) -> dict[str, Any]:
    asked = await call.write(ask, body.source_fingerprint, context_of(body))
    if asked.job is not None:
        done = await jobs.wait(asked.job.id, PATIENCE)
        if not done.ended:
            raise Timeout(
                "The preview is not cleaned up yet: other work on it, or its worker, takes its time.",
                hint=f"It goes on by itself. Send the request again, or look: qd work show {done.work_ref}",
                workId=done.work_ref,
            )
        if done.state != "succeeded":
            message, _, hint = (done.error_message or "The preview could not be cleaned up.").partition("\n")
            raise ProviderFailure(message, hint=hint or f"qd work show {done.work_ref}", workId=done.work_ref)
    return {
        "sourceFingerprint": body.source_fingerprint,
        "status": "already-clean" if asked.job is None else "cleaned",
        "cleanedRuntime": asked.runs,
        "cleanedArtifacts": asked.artifacts,
        "removedServerAppliedRoute": False,
        "removedSourceLink": False,
        "removedDependencyBindings": 0,
        "deletedDependencyResources": 0,
        **asked.ids,
    }
