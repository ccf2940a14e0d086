"""Removing what is old and unwanted on a server. Nothing goes unless that was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from quarterdeck.deploy.deployments.tidying_servers import counted, judge, sized
from quarterdeck.fleet.capacity.pruning import Candidate, Known
from quarterdeck.fleet.capacity.values import Warned
from quarterdeck.fleet.servers import pruning
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.errors import Invalid, Problem, ProviderFailure
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.server_capacity import server_shape, warning
from quarterdeck.surfaces.deploy.shapes import at, present
from quarterdeck.surfaces.deploy.wire import servers_capacity as wire

MOST = 200
log = structlog.get_logger("quarterdeck.servers")


@operation("servers.capacity.prune")
async def prune(call: Call, server_id: str, body: wire.ServersCapacityPruneBody) -> dict[str, Any]:
    before, categories = moment(body.before), list(dict.fromkeys(body.categories))

    async def known(refs: Collection[str]) -> Mapping[str, Known]:
        return await judge(call.service("db"), refs)

    unwritten: list[Problem] = []

    async def begin(matched: Sequence[Candidate]) -> None:
        try:
            await call.write(pruning.begin, server_id, counts=counted(matched), size=sized(matched))
        except Problem as problem:
            unwritten.append(problem)
            raise

    machines = call.service("instance").taking_away
    try:
        server, found = await machines.prune(server_id, categories, before, known, begin, dry_run=body.dry_run)
    except Problem as problem:
        if problem.kind == "not-found" or problem in unwritten:
            raise
        raise ProviderFailure(problem.message, code="runtime_target_unsupported", hint=problem.hint) from problem
    warnings = [*found.warnings, *await noted(call, server_id, found.candidates)]
    return {
        "schemaVersion": "servers.capacity.prune/v1",
        "server": server_shape(server),
        "before": wire_time(before),
        "categories": categories,
        "dryRun": body.dry_run,
        "prunedAt": call.stamp,
        "summary": summary(found.candidates),
        "candidates": [shape(one) for one in found.candidates[:MOST]],
        "warnings": [warning(one) for one in warnings],
    }


def moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text[:40]!r} is not a time.", hint="Such as 2026-01-31T00:00:00Z.", field="before") from None


async def noted(call: Call, server_id: str, candidates: list[Candidate]) -> list[Warned]:
    """Write down what went. That it could not be written is a warning: it is gone all the same, and that it was about
    to go stands in the trail.
    """
    gone = [one for one in candidates if one.action == "pruned"]
    if not gone:
        return []
    try:
        await call.write(pruning.note, server_id, counts=counted(gone), reclaimed=sized(gone))
    except Exception:
        log.exception("prune_not_audited", server=server_id)
        return [Warned("audit-record-failed", "The audit trail has what was to be removed, and not what was.")]
    return []


def summary(candidates: list[Candidate]) -> dict[str, int]:
    """Counts of all, also of those that the answer has no room for."""
    actions = Counter(one.action for one in candidates)
    counted = {
        "inspectedCount": len(candidates),
        "matchedCount": actions["matched"] + actions["pruned"],
        "prunedCount": actions["pruned"],
        "skippedCount": actions["skipped"],
        "excludedCount": actions["excluded"],
        "reclaimedBytes": sum(one.size or 0 for one in candidates if one.action == "pruned"),
    }
    if len(candidates) > MOST:
        counted |= {
            "reportedCandidateCount": MOST,
            "omittedCandidateCount": len(candidates) - MOST,
            "outputLimit": MOST,
        }
    return counted


def shape(one: Candidate) -> dict[str, Any]:
    return {
        **present(id=one.id, category=one.category, target=one.target, action=one.action, skippedReason=one.reason),
        "updatedAt": at(one.updated),
        "size": one.size,
    }
