"""Health as the deploy surface answers with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from quarterdeck.deploy.observation.facts import Facts
from quarterdeck.deploy.observation.health import Check, Health, Part
from quarterdeck.deploy.observation.runtime_logs import runtime_kind
from quarterdeck.kernel.clock import wire_time
from quarterdeck.surfaces.deploy import resource_shapes
from quarterdeck.surfaces.deploy.shapes import at, present

PHASES = {"cut-over": "verify"}


def health(facts: Facts, found: Health, now: datetime, *, checks: bool) -> dict[str, Any]:
    view, runtime = facts.view, found.runtime
    serving = view.serving
    return present(
        schemaVersion="resources.health/v1",
        resourceId=view.resource.ref,
        generatedAt=wire_time(now),
        observedAt=at(runtime.observed_at),
        overall=found.overall,
        latestDeployment=latest(facts),
        runtime=present(
            lifecycle=runtime.lifecycle,
            health=runtime.health,
            observedAt=at(runtime.observed_at),
            runtimeKind=runtime_kind(serving.runtime or {}) if serving else None,
            reasonCode=runtime.reason,
            message=runtime.message,
        ),
        latestRuntimeControl=resource_shapes.control(view.control) if view.control else None,
        healthPolicy=policy(found.policy),
        publicAccess=part(found.public),
        proxy=present(
            status=found.proxy.status,
            providerKey=view.server.proxy_kind if view.server else None,
            lastRouteRealizationDeploymentId=serving.ref if serving and view.realized else None,
            reasonCode=found.proxy.reason,
        ),
        checks=[check(one) for one in found.checks] if checks else [],
        sourceErrors=found.errors,
    )


def latest(facts: Facts) -> dict[str, Any] | None:
    row = facts.view.latest
    if row is None:
        return None
    body = resource_shapes.deployment(row, facts.latest_server, facts.latest_destination)
    if row.error_message:
        phase = row.error_phase or "deploy"
        body["lastError"] = {
            "timestamp": wire_time(row.finished_at or row.created_at),
            "phase": PHASES.get(phase, phase),
            "message": row.error_message,
        }
    return body


def policy(given: dict[str, Any] | None) -> dict[str, Any]:
    if given is None:
        return {"status": "not-configured", "enabled": False, "reasonCode": "health_policy_not_configured"}
    http = given.get("http") or {}
    return present(
        status="configured",
        enabled=True,
        type=given["type"],
        path=http.get("path"),
        port=http.get("port"),
        expectedStatusCode=http.get("expectedStatusCode"),
        intervalSeconds=given["intervalSeconds"],
        timeoutSeconds=given["timeoutSeconds"],
        retries=given["retries"],
        startPeriodSeconds=given["startPeriodSeconds"],
    )


def part(given: Part) -> dict[str, Any]:
    return present(status=given.status, url=given.url, kind=given.kind, reasonCode=given.reason, phase=given.phase)


def check(given: Check) -> dict[str, Any]:
    return present(
        name=given.name,
        target=given.target,
        status=given.status,
        observedAt=wire_time(given.observed_at),
        durationMs=given.duration,
        statusCode=given.status_code,
        message=given.message,
        reasonCode=given.reason,
        retriable=given.status in {"failed", "unknown"} or None,
    )
