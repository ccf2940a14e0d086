"""Pruning of what happened: domain events, and lines of jobs that worked for a provider."""

from __future__ import annotations

from typing import Any

from quarterdeck.fleet.servers import provider_lines
from quarterdeck.fleet.servers.provider_lines import Chosen
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.events import Old
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.logs import Logs
from quarterdeck.kernel.retention.history import prune_events
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import instant_of, present
from quarterdeck.surfaces.deploy.wire import domain_events, provider_job_logs
from quarterdeck.surfaces.shared.auditing import organization_of
from quarterdeck.surfaces.shared.values import given

BAD = ((400, "validation_error"),)


def meant(call: Call, body: domain_events.DomainEventsPruneBody) -> Old:
    kind, subject = given(body.aggregate_type), given(body.aggregate_id)
    deployment = given(body.deployment_id)
    if deployment is not None:
        if kind not in {None, "deployment"} or subject not in {None, deployment}:
            raise Invalid(
                "deploymentId names another thing than the aggregate.", hint="Leave one out.", field="deploymentId"
            )
        kind, subject = "deployment", deployment
    return Old(
        before=instant_of(body.before),
        organization_id=organization_of(call.principal),
        kind=kind,
        subject=subject,
        type=given(body.event_type),
    )


@operation("domain-events.prune", further=BAD)
async def prune_domain_events(call: Call, db: Database, body: domain_events.DomainEventsPruneBody) -> dict[str, Any]:
    wanted = meant(call, body)
    found = await prune_events(db, wanted, given(body.limit), dry_run=body.dry_run)
    behind = found.matched - found.pruned - found.guarded
    reasons = {"cursor-guarded": found.guarded, "behind-kept-event": max(behind, 0)}
    skipped = {reason: count for reason, count in reasons.items() if count}
    return present(
        schemaVersion="domain-events.prune/v1",
        before=wire_time(wanted.before),
        eventType=given(body.event_type),
        aggregateId=given(body.aggregate_id),
        aggregateType=given(body.aggregate_type),
        deploymentId=given(body.deployment_id),
        limit=given(body.limit),
        dryRun=body.dry_run,
        inspectedCount=found.matched,
        candidateCount=found.pruned,
        prunedCount=0 if body.dry_run else found.pruned,
        skippedCount=sum(skipped.values()),
        countsByEventType=found.by_type,
        skippedCountsByReason=skipped,
        prunedAt=call.stamp,
    )


@operation("provider-job-logs.prune")
async def prune_provider_job_logs(
    call: Call, db: Database, logs: Logs, body: provider_job_logs.ProviderJobLogsPruneBody
) -> dict[str, Any]:
    """Lines that a provider's jobs wrote for a server itself; none of them belongs to a deployment or a resource."""
    before = instant_of(body.before)
    chosen = Chosen(given(body.server_id), given(body.provider_key))
    elsewhere = given(body.deployment_id) is not None or given(body.resource_id) is not None
    matched, gone = (
        (provider_lines.Found(), provider_lines.Found())
        if elsewhere
        else await provider_lines.prune(db, logs, before, chosen, dry_run=body.dry_run)
    )
    return present(
        schemaVersion="provider-job-logs.prune/v1",
        before=wire_time(before),
        deploymentId=given(body.deployment_id),
        providerKey=given(body.provider_key),
        resourceId=given(body.resource_id),
        serverId=given(body.server_id),
        dryRun=body.dry_run,
        matchedCount=matched.total,
        prunedCount=gone.total,
        countsByProviderKey=matched.lines if body.dry_run else gone.lines,
        prunedAt=call.stamp,
    )
