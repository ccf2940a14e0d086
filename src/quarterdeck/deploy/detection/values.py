"""What detection found out about a source tree: facts and evidence, no decisions about how to build it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

RuntimeFamily = Literal["custom", "dotnet", "elixir", "go", "java", "node", "php", "python", "ruby", "rust", "static"]
PackageManager = Literal[
    "bun", "cargo", "composer", "dotnet", "go", "gradle", "maven", "mix", "npm", "pip", "pnpm", "poetry", "uv", "yarn"
]
ApplicationShape = Literal["static", "serverful-http", "ssr", "hybrid-static-server", "worker", "container-native"]
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


class Evidence(Struct, frozen=True, omit_defaults=True):
    """One observation: what kind, in words, the value seen and the file it was seen in."""

    kind: str
    label: str
    value: str | None = None
    source: str | None = None


class Issue(Struct, frozen=True, omit_defaults=True):
    """Something detection could not settle alone. `overridden_by` names the profile fields whose value settles it;
    `hint` says what to do where that follows from no field.
    """

    code: ReasonCode
    message: str
    evidence: tuple[Evidence, ...] = ()
    overridden_by: tuple[str, ...] = ("startCommand",)
    hint: str | None = None


class NodeFacts(Struct, frozen=True, omit_defaults=True, kw_only=True):
    manager: Literal["bun", "npm", "pnpm", "yarn"]
    manager_version: str | None = None
    lockfile: str | None = None
    manifests: tuple[str, ...] = ()
    """Files that the install step reads; whole directories end with a slash."""
    scripts: tuple[str, ...] = ()
    static_planner: str | None = None
    static_script: str | None = None
    static_directory: str | None = None
    """Where a static build of this framework ends up, relative to the source root."""
    static_by_default: bool = False
    standalone: bool = False
    hybrid: bool = False


class PythonFacts(Struct, frozen=True, omit_defaults=True, kw_only=True):
    installs_from: Literal["uv.lock", "poetry.lock", "pyproject.toml", "requirements.txt"] | None = None
    packages: tuple[str, ...] = ()
    """Names of declared packages, normalised."""
    asgi_targets: tuple[str, ...] = ()
    wsgi_targets: tuple[str, ...] = ()
    manage_path: str | None = None
    python_path: str | None = None
    """A directory that must be on PYTHONPATH (`src`)."""
    manifests: tuple[str, ...] = ()


class JavaFacts(Struct, frozen=True, omit_defaults=True, kw_only=True):
    tool: Literal["maven", "gradle"] | None = None
    wrapper: bool = False
    jar: str | None = None
    """Path of the runnable jar after the build (or committed), relative; may hold `*`."""
    manifests: tuple[str, ...] = ()
    actuator: bool = False
    prebuilt: bool = False


class ProgramFacts(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Ruby, PHP, Go, .NET, Rust and Elixir need only these few facts each."""

    name: str | None = None
    """Binary, assembly or release name."""
    entry: str | None = None
    """Package directory (Go), project file (.NET), rack file or script (Ruby), document root (PHP)."""
    manifests: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


class StaticFacts(Struct, frozen=True, omit_defaults=True, kw_only=True):
    directory: str = "."


class DockerfileFacts(Struct, frozen=True, omit_defaults=True, kw_only=True):
    path: str
    exposed_ports: tuple[int, ...] = ()
    stages: tuple[str, ...] = ()


class ComposeFacts(Struct, frozen=True, kw_only=True):
    path: str


class Found(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one language's detector says. The strongest of these becomes the detection."""

    planner: str
    family: RuntimeFamily
    framework: str | None = None
    manager: PackageManager | None = None
    shape: ApplicationShape | None = None
    version: str | None = None
    project_name: str | None = None
    scripts: tuple[str, ...] = ()
    server: bool = False
    """A web framework that answers requests itself was recognised."""
    evidence: tuple[Evidence, ...] = ()
    issues: tuple[Issue, ...] = ()
    node: NodeFacts | None = None
    python: PythonFacts | None = None
    java: JavaFacts | None = None
    program: ProgramFacts | None = None
    static: StaticFacts | None = None


class Detection(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The whole finding. `application` is the strongest language finding, containers stand beside it."""

    application: Found
    candidates: tuple[str, ...] = ()
    """Planner keys with evidence, strongest first; the first is `application.planner`."""
    detected_files: tuple[str, ...] = ()
    dockerfile: DockerfileFacts | None = None
    compose: ComposeFacts | None = None
    has_publish_directory: bool | None = None
    """Whether the asked-for publish directory is already in the tree (None: nothing was asked)."""
    reasoning: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()
    """Issues of the tree as a whole (no files, unreadable root); those of a language stand in `application`."""
    truncated: bool = False
