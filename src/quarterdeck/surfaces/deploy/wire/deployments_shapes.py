"""Shapes below /api/deployments. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.runtime import Error, HealthCheck2, ResourcesKind
from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text
from quarterdeck.surfaces.deploy.wire.variables import MaskedVariable


class AccessRoute(Struct, kw_only=True, rename="camel"):
    proxy_kind: Literal["none", "traefik", "caddy"]
    domains: list[str]
    path_prefix: str
    tls_mode: Literal["auto", "disabled"]
    target_port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET


class DependencyBindingReferenceSnapshotReadiness(Struct, kw_only=True, rename="camel"):
    status: Literal["ready", "blocked"]
    reason: str | UnsetType = UNSET


class DependencyBindingReference(Struct, kw_only=True, rename="camel"):
    binding_id: str
    dependency_resource_id: str
    kind: Literal["postgres", "redis", "mysql", "clickhouse", "object-storage", "opensearch"]
    target_name: str
    scope: Literal["environment", "release", "build-only", "runtime-only"]
    injection_mode: Literal["env", "file", "reference"]
    snapshot_readiness: DependencyBindingReferenceSnapshotReadiness


class RuntimeInjection(Struct, kw_only=True, rename="camel"):
    status: Literal["ready", "blocked", "not-applicable"]
    reason: str | UnsetType = UNSET


class DependencyBindings(Struct, kw_only=True, rename="camel"):
    status: Literal["ready", "blocked", "not-applicable"]
    references: list[DependencyBindingReference]
    runtime_injection: RuntimeInjection


DeploymentsCode = Literal[
    "attempt-not-terminal",
    "attempt-status-not-recoverable",
    "snapshot-missing",
    "environment-snapshot-missing",
    "runtime-target-missing",
    "runtime-artifact-missing",
    "rollback-candidate-not-successful",
    "rollback-candidate-expired",
    "rollback-candidate-target-mismatch",
    "resource-profile-invalid",
    "resource-runtime-busy",
    "stateful-data-rollback-unsupported",
    "recovery-command-not-active",
]


class DeploymentsCreateBody(Struct, kw_only=True, rename="camel"):
    project_id: Text
    server_id: Text
    destination_id: Text | UnsetType = UNSET
    environment_id: Text
    resource_id: Text
    execution_mode: Literal["synchronous", "detached"] = "synchronous"


class DeploymentsPruneBody(Struct, kw_only=True, rename="camel"):
    before: DateTime
    deployment_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    server_id: Text | UnsetType = UNSET
    dry_run: bool = True


DetectedFile = Literal[
    "angular-json",
    "astro-config",
    "bun-lock",
    "cargo-toml",
    "composer-json",
    "compose-manifest",
    "csproj",
    "django-manage",
    "dockerfile",
    "git-directory",
    "go-mod",
    "gradle-build",
    "gradle-kotlin-build",
    "gradle-wrapper",
    "jvm-runnable-jar",
    "mix-exs",
    "maven-wrapper",
    "next-app-router",
    "next-config",
    "next-pages-router",
    "next-standalone-output",
    "next-static-output",
    "nuxt-config",
    "package-lock",
    "package-json",
    "pnpm-lock",
    "poetry-lock",
    "pom-xml",
    "pyproject-toml",
    "requirements-txt",
    "remix-config",
    "svelte-config",
    "spring-boot-actuator",
    "uv-lock",
    "vite-config",
    "yarn-lock",
]


Framework = Literal[
    "actix-web",
    "angular",
    "astro",
    "aspnet-core",
    "axum",
    "chi",
    "django",
    "echo",
    "express",
    "fastapi",
    "fastify",
    "fiber",
    "flask",
    "gin",
    "hono",
    "koa",
    "laravel",
    "micronaut",
    "nestjs",
    "nextjs",
    "nuxt",
    "phoenix",
    "quarkus",
    "rails",
    "react",
    "remix",
    "rocket",
    "sinatra",
    "spring-boot",
    "solid",
    "svelte",
    "sveltekit",
    "symfony",
    "vite",
    "vue",
]


class Inspection(Struct, kw_only=True, rename="camel"):
    runtime_family: (
        Literal["custom", "dotnet", "elixir", "go", "java", "node", "php", "python", "ruby", "rust", "static"]
        | UnsetType
    ) = UNSET
    framework: Framework | UnsetType = UNSET
    package_manager: (
        Literal[
            "bun",
            "cargo",
            "composer",
            "dotnet",
            "go",
            "gradle",
            "maven",
            "mix",
            "npm",
            "pip",
            "pnpm",
            "poetry",
            "uv",
            "yarn",
        ]
        | UnsetType
    ) = UNSET
    application_shape: (
        Literal["static", "serverful-http", "ssr", "hybrid-static-server", "worker", "container-native"] | UnsetType
    ) = UNSET
    runtime_version: str | UnsetType = UNSET
    project_name: str | UnsetType = UNSET
    detected_files: list[DetectedFile] | UnsetType = UNSET
    detected_scripts: (
        list[Literal["build", "dev", "export", "generate", "preview", "serve", "start", "start-built"]] | UnsetType
    ) = UNSET
    dockerfile_path: str | UnsetType = UNSET
    compose_file_path: str | UnsetType = UNSET
    jar_path: str | UnsetType = UNSET


class DeploymentsSource(Struct, kw_only=True, rename="camel"):
    kind: ResourcesKind
    locator: str
    display_name: str
    integration_key: str | UnsetType = UNSET
    inspection: Inspection | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class DeploymentsTarget(Struct, kw_only=True, rename="camel"):
    kind: Literal["single-server", "orchestrator-cluster"]
    provider_key: str
    server_ids: list[str]
    metadata: dict[str, str] | UnsetType = UNSET


class Envelope(Struct, kw_only=True, rename="camel", tag_field="kind", tag="error"):
    schema_version: Literal["deployments.stream-events/v1"] = "deployments.stream-events/v1"
    error: Error


class Envelope2(Struct, kw_only=True, rename="camel", tag_field="kind", tag="closed"):
    schema_version: Literal["deployments.stream-events/v1"] = "deployments.stream-events/v1"
    reason: Literal["completed", "cancelled", "source-ended", "idle-timeout"]
    cursor: str | UnsetType = UNSET


class Envelope3(Struct, kw_only=True, rename="camel", tag_field="kind", tag="heartbeat"):
    schema_version: Literal["deployments.stream-events/v1"] = "deployments.stream-events/v1"
    at: str
    cursor: str | UnsetType = UNSET


class EnvironmentSnapshot(Struct, kw_only=True, rename="camel"):
    id: str
    environment_id: str
    created_at: str
    precedence: list[str]
    variables: list[MaskedVariable]


EventType = Literal[
    "deployment-requested",
    "build-requested",
    "deployment-started",
    "deployment-succeeded",
    "deployment-failed",
    "deployment-progress",
]


class EvidenceItem(Struct, kw_only=True, rename="camel"):
    kind: str
    label: str
    value: str | UnsetType = UNSET
    source: str | UnsetType = UNSET


class VerificationStep(Struct, kw_only=True, rename="camel"):
    kind: Literal["internal-http", "public-http"]
    label: str


class Execution(Struct, kw_only=True, rename="camel"):
    kind: Literal["docker-container", "docker-compose-stack", "host-process"]
    working_directory: str | UnsetType = UNSET
    install_command: str | UnsetType = UNSET
    build_command: str | UnsetType = UNSET
    start_command: str | UnsetType = UNSET
    health_check_path: str | UnsetType = UNSET
    health_check: HealthCheck2 | UnsetType = UNSET
    port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    image: str | UnsetType = UNSET
    dockerfile_path: str | UnsetType = UNSET
    compose_file: str | UnsetType = UNSET
    access_routes: list[AccessRoute] | UnsetType = UNSET
    verification_steps: list[VerificationStep] | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class FixPathItem(Struct, kw_only=True, rename="camel"):
    kind: Literal["query", "command", "workflow-action", "docs"]
    target_operation: str | UnsetType = UNSET
    label: str
    profile_field: str | UnsetType = UNSET
    docs_anchor: str | UnsetType = UNSET
    safe_by_default: bool | UnsetType = UNSET


class Log2(Struct, kw_only=True, rename="camel"):
    timestamp: str
    source: Literal["appaloft", "application"]
    phase: Literal["detect", "plan", "package", "deploy", "verify", "rollback"]
    level: Literal["debug", "info", "warn", "error"]
    message: str
    masked: bool | UnsetType = UNSET


class Reason(Struct, kw_only=True, rename="camel"):
    code: DeploymentsCode
    category: Literal["allowed", "blocked", "warning", "info"]
    phase: str
    related_deployment_id: str | UnsetType = UNSET
    related_entity_id: str | UnsetType = UNSET
    related_entity_type: str | UnsetType = UNSET
    retriable: bool
    recommendation: str | UnsetType = UNSET


ReasonCode = Literal[
    "resource-source-missing",
    "resource-source-unnormalized",
    "runtime-profile-missing",
    "network-profile-missing",
    "internal-port-missing",
    "missing-internal-port",
    "static-publish-directory-missing",
    "compose-target-service-missing",
    "unsupported-framework",
    "unsupported-runtime-family",
    "ambiguous-framework",
    "ambiguous-framework-evidence",
    "ambiguous-build-tool",
    "ambiguous-jvm-build-tool",
    "ambiguous-python-app-target",
    "missing-asgi-app",
    "missing-build-tool",
    "missing-jvm-build-tool",
    "missing-runnable-jar",
    "missing-wsgi-app",
    "missing-python-app-target",
    "missing-start-intent",
    "missing-build-intent",
    "missing-production-start-command",
    "missing-static-output",
    "missing-source-root",
    "missing-artifact-output",
    "incompatible-source-strategy",
    "runtime-target-unsupported",
    "unsupported-runtime-target",
    "unsupported-container-native-profile",
    "access-plan-unavailable",
    "buildpack-disabled",
    "buildpack-target-unavailable",
    "unsupported-buildpack-builder",
    "unsupported-buildpack-lifecycle-feature",
    "ambiguous-buildpack-evidence",
    "missing-buildpack-evidence",
    "buildpack-start-intent-missing",
    "buildpack-preview-limited",
]


class Retry(Struct, kw_only=True, rename="camel"):
    allowed: bool
    command_active: bool
    reasons: list[Reason]
    target_operation: Literal["deployments.retry", "deployments.redeploy", "deployments.rollback"]


class RuntimeArtifact(Struct, kw_only=True, rename="camel"):
    kind: Literal["image", "compose-project"]
    intent: Literal["build-image", "prebuilt-image", "compose-project"]
    image: str | UnsetType = UNSET
    compose_file: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class RuntimePlan(Struct, kw_only=True, rename="camel"):
    id: str
    source: DeploymentsSource
    build_strategy: Literal[
        "dockerfile", "compose-deploy", "buildpack", "static-artifact", "prebuilt-image", "workspace-commands"
    ]
    packaging_mode: Literal[
        "split-deploy", "all-in-one-docker", "compose-bundle", "host-process-runtime", "optional-future-binary"
    ]
    runtime_artifact: RuntimeArtifact | UnsetType = UNSET
    execution: Execution
    target: DeploymentsTarget
    detect_summary: str
    steps: list[str]
    generated_at: str


class WarningRecord(Struct, kw_only=True, rename="camel"):
    code: ReasonCode
    reason_code: ReasonCode | UnsetType = UNSET
    category: Literal["blocked", "warning", "info"]
    phase: str
    message: str
    recommendation: str | UnsetType = UNSET
    evidence: list[EvidenceItem] | UnsetType = UNSET
    fix_path: list[FixPathItem] | UnsetType = UNSET
    override_path: list[FixPathItem] | UnsetType = UNSET
    affected_profile_field: str | UnsetType = UNSET
    related_entity_id: str | UnsetType = UNSET
    related_entity_type: str | UnsetType = UNSET
