"""Shapes below /api/deployments. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.deployments_shapes import DependencyBindings, ReasonCode, Warning
from quarterdeck.surfaces.deploy.wire.runtime import ResourcesKind
from quarterdeck.surfaces.deploy.wire.scalars import Text


class DeploymentsPlanQuery(Struct, kw_only=True, rename="camel"):
    project_id: Text
    environment_id: Text
    resource_id: Text
    server_id: Text
    destination_id: Text | UnsetType = UNSET
    include_access_plan: bool | UnsetType = UNSET
    include_command_specs: bool | UnsetType = UNSET


class DeploymentsPlanResponseContext(Struct, kw_only=True, rename="camel"):
    project_id: str
    environment_id: str
    resource_id: str
    server_id: str
    destination_id: str
    project_name: str | UnsetType = UNSET
    environment_name: str | UnsetType = UNSET
    resource_name: str | UnsetType = UNSET
    server_name: str | UnsetType = UNSET


class DeploymentsPlanResponseReadiness(Struct, kw_only=True, rename="camel"):
    status: Literal["ready", "blocked", "warning"]
    ready: bool
    reason_codes: list[ReasonCode]


class DeploymentsPlanResponseSource(Struct, kw_only=True, rename="camel"):
    kind: ResourcesKind
    display_name: str
    locator: str
    runtime_family: str | UnsetType = UNSET
    framework: str | UnsetType = UNSET
    package_manager: str | UnsetType = UNSET
    application_shape: str | UnsetType = UNSET
    runtime_version: str | UnsetType = UNSET
    project_name: str | UnsetType = UNSET
    detected_files: list[str]
    detected_scripts: list[str]
    dockerfile_path: str | UnsetType = UNSET
    compose_file_path: str | UnsetType = UNSET
    jar_path: str | UnsetType = UNSET
    reasoning: list[str]


class DeploymentsPlanResponsePlanner(Struct, kw_only=True, rename="camel"):
    planner_key: str
    support_tier: Literal[
        "first-class",
        "generic",
        "custom",
        "explicit-custom",
        "container-native",
        "buildpack-accelerated",
        "unsupported",
        "ambiguous",
        "requires-override",
    ]
    build_strategy: Literal[
        "dockerfile", "compose-deploy", "buildpack", "static-artifact", "prebuilt-image", "workspace-commands"
    ]
    packaging_mode: Literal[
        "split-deploy", "all-in-one-docker", "compose-bundle", "host-process-runtime", "optional-future-binary"
    ]
    target_kind: Literal["single-server", "orchestrator-cluster"]
    target_provider_key: str


class DeploymentsPlanResponseBuildpackEvidenceDetectedBuildpacksItem(Struct, kw_only=True, rename="camel"):
    id: str
    version: str | UnsetType = UNSET


class DeploymentsPlanResponseBuildpackEvidence(Struct, kw_only=True, rename="camel"):
    platform_files: list[str]
    language_families: list[str]
    framework_hints: list[str]
    builder_evidence: list[str]
    detected_buildpacks: list[DeploymentsPlanResponseBuildpackEvidenceDetectedBuildpacksItem]


class DeploymentsPlanResponseBuildpackBuilderPolicy(Struct, kw_only=True, rename="camel"):
    default_builder: str | UnsetType = UNSET
    requested_builder: str | UnsetType = UNSET
    override: Literal["none", "allowed", "blocked"]
    blocked_builders: list[str]


class DeploymentsPlanResponseBuildpackLimitationsItem(Struct, kw_only=True, rename="camel"):
    code: str
    message: str
    fix_path: str | UnsetType = UNSET


class DeploymentsPlanResponseBuildpack(Struct, kw_only=True, rename="camel"):
    status: Literal["selected", "non-winning", "blocked", "disabled", "unavailable"]
    support_tier: Literal["buildpack-accelerated", "unsupported", "ambiguous", "requires-override"]
    evidence: DeploymentsPlanResponseBuildpackEvidence
    builder_policy: DeploymentsPlanResponseBuildpackBuilderPolicy
    artifact_intent: Literal["build-image", "prebuilt-image", "compose-project"] | UnsetType = UNSET
    limitations: list[DeploymentsPlanResponseBuildpackLimitationsItem]


class DeploymentsPlanResponseArtifact(Struct, kw_only=True, rename="camel"):
    kind: Literal[
        "dockerfile-image",
        "static-server-image",
        "compose-project",
        "prebuilt-image",
        "custom-command-image",
        "workspace-image",
    ]
    runtime_artifact_kind: Literal["image", "compose-project"] | UnsetType = UNSET
    runtime_artifact_intent: Literal["build-image", "prebuilt-image", "compose-project"] | UnsetType = UNSET
    image: str | UnsetType = UNSET
    compose_file: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class DeploymentsPlanResponseCommandsItem(Struct, kw_only=True, rename="camel"):
    kind: Literal["install", "build", "package", "start"]
    command: str
    source: Literal["resource-runtime-profile", "planner"]


class DeploymentsPlanResponseNetwork(Struct, kw_only=True, rename="camel"):
    internal_port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    upstream_protocol: Literal["http", "https", "tcp"] | UnsetType = UNSET
    exposure_mode: Literal["none", "direct-port", "reverse-proxy"] | UnsetType = UNSET
    host_port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    target_service_name: str | UnsetType = UNSET


class DeploymentsPlanResponseHealth(Struct, kw_only=True, rename="camel"):
    enabled: bool
    kind: Literal["http", "command", "none"]
    path: str | UnsetType = UNSET
    port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET


class DeploymentsPlanResponseAccess(Struct, kw_only=True, rename="camel"):
    route_source: str | UnsetType = UNSET
    hostname: str | UnsetType = UNSET
    scheme: Literal["http", "https"] | UnsetType = UNSET
    route_count: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    route_group_count: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class DeploymentsPlanResponseNextActionsItem(Struct, kw_only=True, rename="camel"):
    kind: Literal["query", "command", "workflow-action"]
    target_operation: str
    label: str
    safe_by_default: bool
    blocked_reason_code: ReasonCode | UnsetType = UNSET


class DeploymentsPlanResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["deployments.plan/v1"] = "deployments.plan/v1"
    context: DeploymentsPlanResponseContext
    readiness: DeploymentsPlanResponseReadiness
    source: DeploymentsPlanResponseSource
    planner: DeploymentsPlanResponsePlanner
    buildpack: DeploymentsPlanResponseBuildpack | UnsetType = UNSET
    artifact: DeploymentsPlanResponseArtifact
    commands: list[DeploymentsPlanResponseCommandsItem]
    network: DeploymentsPlanResponseNetwork
    health: DeploymentsPlanResponseHealth
    access: DeploymentsPlanResponseAccess | UnsetType = UNSET
    dependency_bindings: DependencyBindings | UnsetType = UNSET
    warnings: list[Warning]
    unsupported_reasons: list[Warning]
    next_actions: list[DeploymentsPlanResponseNextActionsItem]
    generated_at: str
