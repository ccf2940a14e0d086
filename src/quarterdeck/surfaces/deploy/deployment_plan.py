"""The plan of a deployment that is not made."""

from __future__ import annotations

from typing import Any

import msgspec

from quarterdeck.deploy.deployments.preview import Preview, preview
from quarterdeck.deploy.planning.values import Advice, BuildPlan
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.limits import Rate
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import present
from quarterdeck.surfaces.deploy.wire import deployments as wire
from quarterdeck.surfaces.shared.values import given

SOURCE_MISSING = "resource-source-missing"
OFTEN = Rate(60, 60)
"""Plans that one address may ask for: each fetches a source."""


@operation("deployments.plan", further=((404, "not_found"), (503, "disk_low")), rate=OFTEN)
async def plan(query: wire.DeploymentsPlanQuery, db: Database, instance: Any) -> dict[str, Any]:
    found = await preview(
        db,
        instance.glances,
        project_ref=query.project_id,
        environment_ref=query.environment_id,
        resource_ref=query.resource_id,
        server_ref=query.server_id,
        destination_ref=given(query.destination_id),
    )
    made = found.plan
    source = found.subject.resource.source or {}
    return present(
        schemaVersion="deployments.plan/v1",
        context=_context(found),
        readiness=_readiness(made),
        source=_source(source, made),
        planner={
            "plannerKey": made.planner_key if made else "none",
            "supportTier": made.support_tier if made else "requires-override",
            "buildStrategy": made.build_strategy if made else "dockerfile",
            "packagingMode": made.packaging_mode if made else "all-in-one-docker",
            "targetKind": found.subject.server.target_kind,
            "targetProviderKey": found.subject.server.provider,
        },
        artifact=present(
            kind=made.artifact_kind if made else "dockerfile-image",
            runtimeArtifactKind="compose-project" if made and made.artifact_kind == "compose-project" else "image",
            runtimeArtifactIntent=made.artifact_intent if made else "build-image",
            image=made.image if made else None,
            composeFile=made.compose_file if made else None,
        ),
        commands=_commands(made) if given(query.include_command_specs) is not False else [],
        network=present(
            internalPort=made.internal_port if made else (found.subject.resource.network or {}).get("internalPort"),
            upstreamProtocol=made.upstream_protocol if made else None,
            exposureMode=made.exposure_mode if made else None,
            hostPort=made.host_port if made else None,
            targetServiceName=made.target_service if made else None,
        ),
        health=_health(made),
        access=_access(found) if given(query.include_access_plan) is not False else None,
        dependencyBindings={
            "status": "not-applicable",
            "references": [],
            "runtimeInjection": {"status": "not-applicable"},
        },
        warnings=[_advice(advice) for advice in made.warnings] if made else [_no_source()],
        unsupportedReasons=[_advice(advice) for advice in made.unsupported_reasons] if made else [],
        nextActions=_next_actions(made),
        generatedAt=wire_time(found.subject.at),
    )


def _context(found: Preview) -> dict[str, Any]:
    subject = found.subject
    return {
        "projectId": subject.project.ref,
        "environmentId": subject.environment.ref,
        "resourceId": subject.resource.ref,
        "serverId": subject.server.ref,
        "destinationId": subject.destination.ref if subject.destination else "default",
        "projectName": subject.project.name,
        "environmentName": subject.environment.name,
        "resourceName": subject.resource.name,
        "serverName": subject.server.name,
    }


def _readiness(made: BuildPlan | None) -> dict[str, Any]:
    if made is None:
        return {"status": "blocked", "ready": False, "reasonCodes": [SOURCE_MISSING]}
    return {
        "status": made.readiness.status,
        "ready": made.readiness.ready,
        "reasonCodes": list(made.readiness.reason_codes),
    }


def _source(source: dict[str, Any], made: BuildPlan | None) -> dict[str, Any]:
    return present(
        kind=source.get("kind", "local-folder"),
        displayName=source.get("displayName") or source.get("locator") or "none",
        locator=source.get("locator") or "none",
        runtimeFamily=made.runtime_family if made else None,
        framework=made.framework if made else None,
        packageManager=made.package_manager if made else None,
        applicationShape=made.application_shape if made else None,
        runtimeVersion=made.runtime_version if made else None,
        projectName=made.project_name if made else None,
        detectedFiles=list(made.detected_files) if made else [],
        detectedScripts=list(made.detected_scripts) if made else [],
        dockerfilePath=made.dockerfile_path if made else None,
        composeFilePath=made.compose_file if made else None,
        jarPath=made.jar_path if made else None,
        reasoning=list(made.reasoning) if made else [],
    )


def _commands(made: BuildPlan | None) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(command) for command in made.commands] if made else []


def _health(made: BuildPlan | None) -> dict[str, Any]:
    policy = made.health if made else None
    if policy is None:
        return {"enabled": False, "kind": "none"}
    return present(
        enabled=True, kind=policy.type, path=policy.http.path, port=policy.http.port or (made and made.internal_port)
    )


def _access(found: Preview) -> dict[str, Any]:
    route = found.subject.route
    if route is None:
        return {"routeCount": 0, "routeGroupCount": 0}
    hostnames = route["hostnames"]
    assert isinstance(hostnames, list)  # noqa: S101 - made by `routes.planned`
    return {
        "routeSource": str(route["source"]),
        "hostname": hostnames[0],
        "scheme": "http",
        "routeCount": len(hostnames),
        "routeGroupCount": 1,
    }


def _advice(advice: Advice) -> dict[str, Any]:
    return present(
        code=advice.code,
        reasonCode=advice.code,
        category=advice.category,
        phase=advice.phase,
        message=advice.message,
        recommendation=advice.recommendation,
        evidence=[present(kind=e.kind, label=e.label, source=e.source) for e in advice.evidence] or None,
        fixPath=[
            present(
                kind=path.kind,
                targetOperation=path.target_operation,
                label=path.label,
                profileField=path.profile_field,
                safeByDefault=path.safe_by_default,
            )
            for path in advice.fix_path
        ]
        or None,
        affectedProfileField=advice.affected_profile_field,
    )


def _no_source() -> dict[str, Any]:
    return {
        "code": SOURCE_MISSING,
        "reasonCode": SOURCE_MISSING,
        "category": "blocked",
        "phase": "source-resolution",
        "message": "The resource has no source yet.",
        "recommendation": "Configure its source: a repository, a folder or an image.",
        "fixPath": [
            {
                "kind": "command",
                "targetOperation": "resources.configure-source",
                "label": "Configure the source",
                "safeByDefault": False,
            }
        ],
    }


def _next_actions(made: BuildPlan | None) -> list[dict[str, Any]]:
    if made is None:
        return [
            {
                "kind": "command",
                "targetOperation": "resources.configure-source",
                "label": "Configure the source",
                "safeByDefault": False,
                "blockedReasonCode": SOURCE_MISSING,
            }
        ]
    return [
        present(
            kind=action.kind,
            targetOperation=action.target_operation,
            label=action.label,
            safeByDefault=action.safe_by_default,
            blockedReasonCode=action.blocked_reason_code,
        )
        for action in made.next_actions
    ]
