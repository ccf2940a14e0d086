"""A plan in the documented words of `deployments.plan`, and as part of an attempt's stored runtime plan."""

from __future__ import annotations

from typing import Any

import msgspec

from quarterdeck.deploy.planning.profiles import HealthPolicy
from quarterdeck.deploy.planning.values import Advice, BuildPlan, CommandKind


def answer_sections(
    plan: BuildPlan, *, locator: str, display_name: str, target_kind: str, provider_key: str
) -> dict[str, Any]:
    """Return the sections of the plan answer that planning knows; context, access and times are the caller's."""
    source = {
        "kind": plan.source_kind,
        "displayName": display_name,
        "locator": locator,
        **_given(_inspection(plan)),
        "detectedFiles": list(plan.detected_files),
        "detectedScripts": list(plan.detected_scripts),
        "reasoning": list(plan.reasoning),
    }
    return {
        "readiness": {
            "status": plan.readiness.status,
            "ready": plan.readiness.ready,
            "reasonCodes": list(plan.readiness.reason_codes),
        },
        "source": source,
        "planner": {
            "plannerKey": plan.planner_key,
            "supportTier": plan.support_tier,
            "buildStrategy": plan.build_strategy,
            "packagingMode": plan.packaging_mode,
            "targetKind": target_kind,
            "targetProviderKey": provider_key,
        },
        "artifact": {"kind": plan.artifact_kind, **_artifact(plan, "runtimeArtifactKind", "runtimeArtifactIntent")},
        "commands": [msgspec.to_builtins(command) for command in plan.commands],
        "network": _given(
            {
                "internalPort": plan.internal_port,
                "upstreamProtocol": plan.upstream_protocol,
                "exposureMode": plan.exposure_mode,
                "hostPort": plan.host_port,
                "targetServiceName": plan.target_service,
            }
        ),
        "health": _health_summary(plan),
        "warnings": [_advice(item) for item in plan.warnings],
        "unsupportedReasons": [_advice(item) for item in plan.unsupported_reasons],
        "nextActions": [
            _given(
                {
                    "kind": action.kind,
                    "targetOperation": action.target_operation,
                    "label": action.label,
                    "safeByDefault": action.safe_by_default,
                    "blockedReasonCode": action.blocked_reason_code,
                }
            )
            for action in plan.next_actions
        ],
    }


def runtime_plan_sections(plan: BuildPlan) -> dict[str, Any]:
    """Return the part of a deployment's `runtimePlan` that planning knows, `source.inspection` as `inspection`."""
    checked = plan.health is not None
    execution = {
        "kind": plan.execution_kind,
        "installCommand": _joined(plan, "install"),
        "buildCommand": _joined(plan, "build"),
        "startCommand": _joined(plan, "start"),
        "healthCheckPath": plan.health.http.path if plan.health else None,
        "healthCheck": health_check(plan.health) if plan.health else None,
        "port": plan.internal_port,
        "image": plan.image,
        "dockerfilePath": plan.dockerfile_path,
        "composeFile": plan.compose_file,
        "verificationSteps": [
            *([{"kind": "internal-http", "label": "Verify internal container health"}] if checked else []),
            *([{"kind": "public-http", "label": "Verify public access route"}] if checked else []),
        ],
    }
    return {
        "buildStrategy": plan.build_strategy,
        "packagingMode": plan.packaging_mode,
        "runtimeArtifact": _artifact(plan, "kind", "intent"),
        "execution": _given(execution),
        "detectSummary": plan.detect_summary,
        "steps": list(plan.steps),
        "inspection": _given(
            {
                **_inspection(plan),
                "detectedFiles": list(plan.detected_files),
                "detectedScripts": list(plan.detected_scripts),
            }
        ),
    }


def health_check(policy: HealthPolicy) -> dict[str, Any]:
    """Spell a policy as the contract does."""
    http = policy.http
    return {
        "enabled": policy.enabled,
        "type": policy.type,
        "intervalSeconds": policy.interval_seconds,
        "timeoutSeconds": policy.timeout_seconds,
        "retries": policy.retries,
        "startPeriodSeconds": policy.start_period_seconds,
        "http": _given(
            {
                "method": http.method,
                "scheme": http.scheme,
                "host": http.host,
                "port": http.port,
                "path": http.path,
                "expectedStatusCode": http.expected_status_code,
                "expectedResponseText": http.expected_response_text,
            }
        ),
    }


def _inspection(plan: BuildPlan) -> dict[str, Any]:
    return {
        "runtimeFamily": plan.runtime_family,
        "framework": plan.framework,
        "packageManager": plan.package_manager,
        "applicationShape": plan.application_shape,
        "runtimeVersion": plan.runtime_version,
        "projectName": plan.project_name,
        "dockerfilePath": plan.dockerfile_path,
        "composeFilePath": plan.compose_file,
        "jarPath": plan.jar_path,
    }


def _artifact(plan: BuildPlan, kind: str, intent: str) -> dict[str, Any]:
    compose = plan.artifact_intent == "compose-project"
    metadata = _given({"baseImage": plan.base_image, "publishDirectory": plan.publish_directory})
    return _given(
        {
            kind: "compose-project" if compose else "image",
            intent: plan.artifact_intent,
            "image": plan.image,
            "composeFile": plan.compose_file,
            "metadata": metadata or None,
        }
    )


def _health_summary(plan: BuildPlan) -> dict[str, Any]:
    if plan.health is None:
        return {"enabled": False, "kind": "none"}
    port = plan.health.http.port or plan.internal_port
    return _given({"enabled": True, "kind": plan.health.type, "path": plan.health.http.path, "port": port})


def _advice(item: Advice) -> dict[str, Any]:
    return _given(
        {
            "code": item.code,
            "reasonCode": item.code,
            "category": item.category,
            "phase": item.phase,
            "message": item.message,
            "recommendation": item.recommendation,
            "evidence": [msgspec.to_builtins(entry) for entry in item.evidence] or None,
            "fixPath": [
                _given(
                    {
                        "kind": path.kind,
                        "targetOperation": path.target_operation,
                        "label": path.label,
                        "profileField": path.profile_field,
                        "safeByDefault": path.safe_by_default,
                    }
                )
                for path in item.fix_path
            ]
            or None,
            "affectedProfileField": item.affected_profile_field,
        }
    )


def _joined(plan: BuildPlan, kind: CommandKind) -> str | None:
    return " && ".join(command.command for command in plan.commands if command.kind == kind) or None


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what has no value: the contract omits, it does not send null."""
    return {name: value for name, value in values.items() if value is not None}
