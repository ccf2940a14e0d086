"""A build-and-run plan: every value that building, running, checking and routing one application needs."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from quarterdeck.deploy.detection.values import ApplicationShape, Evidence, PackageManager, ReasonCode, RuntimeFamily
from quarterdeck.deploy.planning.profiles import ExposureMode, HealthPolicy, SourceKind

RuntimeTarget = Literal["docker-container", "host-process"]
SupportTier = Literal[
    "first-class", "generic", "custom", "explicit-custom", "container-native", "buildpack-accelerated", "unsupported",
    "ambiguous", "requires-override",
]  # fmt: skip
BuildStrategy = Literal[
    "dockerfile", "compose-deploy", "buildpack", "static-artifact", "prebuilt-image", "workspace-commands"
]
PackagingMode = Literal[
    "split-deploy", "all-in-one-docker", "compose-bundle", "host-process-runtime", "optional-future-binary"
]
ExecutionKind = Literal["docker-container", "docker-compose-stack", "host-process"]
ArtifactKind = Literal[
    "dockerfile-image", "static-server-image", "compose-project", "prebuilt-image", "custom-command-image",
    "workspace-image",
]  # fmt: skip
ArtifactIntent = Literal["build-image", "prebuilt-image", "compose-project"]
CommandKind = Literal["install", "build", "package", "start"]


class PlannedCommand(Struct, frozen=True):
    kind: CommandKind
    command: str
    source: Literal["resource-runtime-profile", "planner"]


class FixPath(Struct, frozen=True, omit_defaults=True):
    kind: Literal["query", "command", "workflow-action", "docs"]
    label: str
    target_operation: str | None = None
    profile_field: str | None = None
    safe_by_default: bool | None = None


class Advice(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A warning or an obstacle, with the way out."""

    code: ReasonCode
    category: Literal["blocked", "warning", "info"]
    phase: str
    message: str
    recommendation: str
    evidence: tuple[Evidence, ...] = ()
    fix_path: tuple[FixPath, ...] = ()
    affected_profile_field: str | None = None


class NextAction(Struct, frozen=True, omit_defaults=True, kw_only=True):
    kind: Literal["query", "command", "workflow-action"]
    target_operation: str
    label: str
    safe_by_default: bool
    blocked_reason_code: ReasonCode | None = None


class Readiness(Struct, frozen=True):
    status: Literal["ready", "blocked", "warning"]
    ready: bool
    reason_codes: tuple[ReasonCode, ...] = ()


class ContextFile(Struct, frozen=True):
    """A file that we add to the build context; `path` is relative to the source root."""

    path: str
    text: str


class StaticSite(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How a finished directory is served: by the edge from files, or by the generated server image.

    A path without an extension that names no file answers `fallback`; a missing asset is 404.
    """

    directory: str
    index: str = "index.html"
    fallback: str = "index.html"
    excluded: tuple[str, ...] = ()


class ToolRequirement(Struct, frozen=True, omit_defaults=True):
    """A program that a host must offer, and what to do where it does not."""

    program: str
    instruction: str
    version: str | None = None


class HostStep(Struct, frozen=True):
    kind: CommandKind
    label: str
    argv: tuple[str, ...]


class HostPlan(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The same application as a process of the host. Steps run in order in the work directory before the start."""

    steps: tuple[HostStep, ...] = ()
    start: tuple[str, ...] = ()
    """Reads its port from PORT, which the runtime assigns. Empty for a static site."""
    start_directory: str = "."
    environment: dict[str, str] = {}
    """For the started process; PORT comes from the runtime."""
    build_environment: dict[str, str] = {}
    """For the steps."""
    path_prefix: tuple[str, ...] = ()
    """Directories of the work directory that go before PATH."""
    tools: tuple[ToolRequirement, ...] = ()


class BuildPlan(Struct, frozen=True, omit_defaults=True, kw_only=True):
    planner_key: str
    support_tier: SupportTier
    build_strategy: BuildStrategy
    packaging_mode: PackagingMode
    execution_kind: ExecutionKind
    artifact_kind: ArtifactKind
    artifact_intent: ArtifactIntent
    readiness: Readiness
    source_kind: SourceKind
    runtime_family: RuntimeFamily | None = None
    framework: str | None = None
    package_manager: PackageManager | None = None
    application_shape: ApplicationShape | None = None
    runtime_version: str | None = None
    project_name: str | None = None
    detected_files: tuple[str, ...] = ()
    detected_scripts: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    jar_path: str | None = None
    base_image: str | None = None
    """The image that building starts from."""
    runtime_image: str | None = None
    """The image that the result runs on, where it is another one."""
    image: str | None = None
    """Prebuilt image reference, or the name to give to the built one."""
    dockerfile_path: str | None = None
    build_target: str | None = None
    compose_file: str | None = None
    target_service: str | None = None
    commands: tuple[PlannedCommand, ...] = ()
    build_arguments: tuple[str, ...] = ()
    build_secrets: tuple[str, ...] = ()
    internal_port: int | None = None
    upstream_protocol: Literal["http", "tcp"] = "http"
    exposure_mode: ExposureMode = "reverse-proxy"
    host_port: int | None = None
    environment: dict[str, str] = {}
    use_init: bool = False
    """Run under the engine's init: a program of a generated image rarely handles stop signals as process 1."""
    health: HealthPolicy | None = None
    health_configured: bool = False
    """Whether someone chose the policy; a mere default should not fail an application that answers otherwise."""
    publish_directory: str | None = None
    static_site: StaticSite | None = None
    dockerfile: str | None = None
    """Text of the generated Dockerfile; it stands in `context_files` under `dockerfile_path` too."""
    context_files: tuple[ContextFile, ...] = ()
    ignore: tuple[str, ...] = ()
    """Patterns added to the project's own .dockerignore."""
    host: HostPlan | None = None
    warnings: tuple[Advice, ...] = ()
    unsupported_reasons: tuple[Advice, ...] = ()
    next_actions: tuple[NextAction, ...] = ()
    steps: tuple[str, ...] = ()
    detect_summary: str = ""
