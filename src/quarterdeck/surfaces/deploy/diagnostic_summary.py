"""Everything about a resource that somebody who helps needs to see, without its secrets: for copying."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from quarterdeck.deploy.deployments import deployments
from quarterdeck.deploy.deployments.admission import reaching_variables, snapshot_variables
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.observation.facts import Facts, facts
from quarterdeck.deploy.resources import proxy_configuration
from quarterdeck.deploy.resources.proxy_configuration import Rendered
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.logs import Line, Logs
from quarterdeck.kernel.vault import MASK
from quarterdeck.surfaces.deploy import deployment_documents as documents
from quarterdeck.surfaces.deploy import proxy_configuration as proxy_shapes
from quarterdeck.surfaces.deploy import resource_shapes
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import at, present
from quarterdeck.surfaces.deploy.wire import resources_diagnostic_summary as wire
from quarterdeck.surfaces.shared.values import given
from quarterdeck.workspace import variables

SHORTEST_SECRET = 4
LOCALE = "en-US"


@dataclass(frozen=True, slots=True)
class Known:
    """What one look into the database gives."""

    facts: Facts
    focus: Deployment | None
    names: dict[str, Any]
    proxy: Rendered | None
    proxy_problem: Problem | None
    secrets: set[str]


@operation("resources.diagnostic-summary")
async def diagnostic_summary(
    call: Call, logs: Logs, resource_id: str, query: wire.ResourcesDiagnosticSummaryQuery
) -> dict[str, Any]:
    """Parts that cannot be had are told in `sourceErrors`; they never refuse the rest."""
    window = observation_window(given(query.observation_from), given(query.observation_to))
    requested = given(query.deployment_id)
    known = await call.read(look, resource_id, requested)
    errors: list[dict[str, Any]] = []
    focus = known.focus
    body: dict[str, Any] = {
        "schemaVersion": "resources.diagnostic-summary/v1",
        "generatedAt": call.stamp,
        "focus": present(
            resourceId=resource_id, requestedDeploymentId=requested, deploymentId=focus.ref if focus else None
        ),
        "context": context(known, window),
        "access": access(known.facts),
        "proxy": proxy(known, errors, wanted=given(query.include_proxy_configuration) is not False),
        "deploymentLogs": await tail(
            logs, f"deployment:{focus.ref}" if focus else None, query.tail_lines, window, errors,
            source="deployment-logs", wanted=given(query.include_deployment_log_tail) is not False,
        ),
        "runtimeLogs": await tail(
            logs, f"runtime:{resource_id}" if known.facts.view.serving else None, query.tail_lines, window, errors,
            source="runtime-logs", wanted=given(query.include_runtime_log_tail) is not False,
        ),
        "system": {
            "entrypoint": "http",
            "requestId": call.request_id,
            "locale": given(query.locale) or LOCALE,
            "readinessStatus": "ready",
            "databaseDriver": call.service("db").dialect,
        },
        "sourceErrors": errors,
    }  # fmt: skip
    if focus is not None:
        body["deployment"] = deployment(known, (await logs.state(f"deployment:{focus.ref}")).head)
    body, masked = without(body, known.secrets)
    body["redaction"] = {
        "policy": "deployment-environment-secrets",
        "masked": masked > 0,
        "maskedValueCount": masked,
    }
    text = msgspec.json.format(msgspec.json.encode(body), indent=2).decode()
    body["copy"] = {"json": text, "markdown": f"```json\n{text}\n```\n"}
    return body


def observation_window(since: str | None, until: str | None) -> tuple[datetime, datetime] | None:
    """Both ends, or none."""
    if since is None and until is None:
        return None
    try:
        first, last = (datetime.fromisoformat(text or "") for text in (since, until))
        first, last = (one.replace(tzinfo=UTC) if one.tzinfo is None else one.astimezone(UTC) for one in (first, last))
    except (ValueError, OverflowError):
        raise Invalid(
            "A window has two ends, and both are times.",
            hint="Send observationFrom and observationTo as ISO 8601.",
            field="observationFrom",
        ) from None
    if last < first:
        raise Invalid("The window ends before it begins.", hint="Exchange its ends.", field="observationTo")
    return first, last


def look(tx: Tx, ref: str, requested: str | None) -> Known:
    known = facts(tx, ref)
    resource = known.view.resource
    focus = known.view.latest
    if requested is not None:
        focus = deployments.find(tx, requested)
        if focus.resource_id != resource.id:
            raise Invalid(
                f"{focus.ref} is a deployment of another resource.",
                code="resource_diagnostic_context_mismatch",
                hint=f"Name a deployment of {resource.ref}, or none.",
            )
    rendered, problem = None, None
    try:
        rendered = proxy_configuration.render(tx, ref, "latest")
    except Problem as error:
        problem = error
    secrets = {variables.reveal(tx, row).reveal() for row in reaching_variables(tx, resource) if row.is_secret}
    names: dict[str, Any] = {}
    if focus is not None:
        secrets |= {value["value"] for value in snapshot_variables(tx, focus) if value["secret"]}
        found = documents.Names(tx)
        names = {"plan": documents.runtime_plan(found, focus), "related": documents.related(found, focus)}
    return Known(known, focus, names, rendered, problem, secrets)


def context(known: Known, window: tuple[datetime, datetime] | None) -> dict[str, Any]:
    view, plan = known.facts.view, known.names.get("plan", {})
    related, row = known.names.get("related", {}), known.facts.view.resource
    planned = known.focus is not None and known.focus.plan is not None
    server = view.server
    return present(
        projectId=view.project,
        environmentId=view.environment,
        resourceName=row.name,
        resourceSlug=row.slug,
        resourceKind=row.kind,
        destinationId=(related.get("destination") or {}).get("id") or view.destination,
        serverId=(related.get("server") or {}).get("id") or (server.ref if server else None),
        runtimeStrategy=plan["execution"]["kind"] if planned else None,
        buildStrategy=plan["buildStrategy"] if planned else None,
        packagingMode=plan["packagingMode"] if planned else None,
        targetKind=server.target_kind if server else None,
        targetProviderKey=server.provider if server else None,
        services=row.services,
        networkProfile=row.network,
        observationWindow={"from": wire_time(window[0]), "to": wire_time(window[1])} if window else None,
    )


def deployment(known: Known, log_count: int) -> dict[str, Any]:
    row, plan, related = known.focus, known.names["plan"], known.names["related"]
    assert row is not None  # noqa: S101 - asked only where there is one
    failure = documents.latest_failure(row)
    return present(
        id=row.ref,
        status=row.status,
        lifecyclePhase=row.status,
        runtimePlanId=row.plan_ref,
        sourceKind=plan["source"].get("kind"),
        sourceDisplayName=str(plan["source"].get("displayName") or ""),
        serverId=related["server"]["id"],
        destinationId=related["destination"]["id"],
        createdAt=wire_time(row.created_at),
        startedAt=at(row.started_at),
        finishedAt=at(row.finished_at),
        logCount=log_count,
        lastError={name: failure[name] for name in ("timestamp", "phase", "message")} if failure else None,
    )


def access(found: Facts) -> dict[str, Any]:
    view = found.view
    summary = resource_shapes.access(view) or {}
    return present(
        status="available" if view.realized else "empty" if view.planned else "not-configured",
        generatedUrl=view.realized.url if view.realized else None,
        plannedUrl=view.planned.url if view.planned else None,
        proxyRouteStatus=summary.get("proxyRouteStatus"),
        lastRouteRealizationDeploymentId=summary.get("lastRouteRealizationDeploymentId"),
    )


def proxy(known: Known, errors: list[dict[str, Any]], *, wanted: bool) -> dict[str, Any]:
    view, found = known.facts.view, known.proxy
    if known.proxy_problem is not None:
        errors.append(source_error("proxy", known.proxy_problem, "proxy-render", view.resource.ref))
        return {"status": "failed", "configurationIncluded": False, "reasonCode": known.proxy_problem.code}
    if found is None or found.status == "not-configured":
        return present(
            status="not-configured", providerKey=found.provider if found else None, configurationIncluded=False
        )
    body = present(
        status="available" if wanted else "not-requested",
        providerKey=found.provider,
        proxyRouteStatus=view.proxy_status,
        configurationIncluded=wanted,
        configurationStatus=found.status,
        routeCount=len(found.hostnames),
        warnings=found.warnings,
    )
    if wanted:
        kept = ("id", "title", "format", "redacted", "source")
        sections = [{name: one[name] for name in kept} for one in proxy_shapes.sections(found)]
        body |= {"sections": sections, "sectionCount": len(sections)}
        body["tlsRoutes"] = proxy_shapes.diagnostics(found)["tlsRoutes"]
    return body


async def tail(
    logs: Logs,
    stream: str | None,
    limit: int,
    window: tuple[datetime, datetime] | None,
    errors: list[dict[str, Any]],
    *,
    source: str,
    wanted: bool,
) -> dict[str, Any]:
    empty = {"tailLimit": limit, "lineCount": 0, "lines": []}
    if not wanted or limit == 0:
        return {"status": "not-requested", **empty}
    if stream is None:
        return {"status": "empty", **empty}
    try:
        lines = await logs.read(stream, tail=limit, since=window[0] if window else None)
    except Problem as problem:
        errors.append(source_error(source, problem, "log-tail", stream.partition(":")[2]))
        return {"status": "unavailable", "reasonCode": problem.code, **empty}
    shown = [line(one) for one in lines if window is None or one.time <= window[1]]
    return {
        "status": "available" if shown else "empty",
        "tailLimit": limit,
        "lineCount": len(shown),
        "lines": shown,
    }


def line(one: Line) -> dict[str, Any]:
    return present(
        timestamp=wire_time(one.time),
        source="appaloft" if one.source == "quarterdeck" else "application",
        phase=documents.phase_word(one.phase) if one.phase else None,
        level=one.level if one.level in {"debug", "info", "warn", "error"} else "info",
        stream=one.stream if one.stream in {"stdout", "stderr"} else "unknown",
        message=one.message,
        masked=MASK in one.message,
    )


def source_error(source: str, problem: Problem, phase: str, ref: str) -> dict[str, Any]:
    return {
        "source": source,
        "code": problem.code,
        "category": problem.category,
        "phase": phase,
        "retryable": problem.category == "retryable",
        "relatedEntityId": ref,
        "message": problem.message,
    }


def without(body: Any, secrets: Iterable[str]) -> tuple[Any, int]:
    """The body with every secret value masked wherever it stands in a text, and how often that was."""
    hidden = sorted((one for one in secrets if len(one) >= SHORTEST_SECRET), key=len, reverse=True)
    count = 0

    def clean(value: Any) -> Any:
        nonlocal count
        if isinstance(value, str):
            for secret in hidden:
                count += value.count(secret)
                value = value.replace(secret, MASK)
            return value
        if isinstance(value, dict):
            return {name: clean(item) for name, item in value.items()}
        return [clean(item) for item in value] if isinstance(value, list) else value

    return clean(body), count
