"""Plans for a source that we build ourselves: a server made of commands, or a directory of static files."""

from __future__ import annotations

from quarterdeck.deploy.detection.values import ApplicationShape, Detection, Found, Issue
from quarterdeck.deploy.planning.container_plans import RUN_STEPS
from quarterdeck.deploy.planning.dockerfile import DOCKERFILE_PATH, Recipe, server_dockerfile, static_dockerfile
from quarterdeck.deploy.planning.drafts import Draft, Where, draft
from quarterdeck.deploy.planning.drafts.values import CONTAINER_ADDRESS, ON_HOST
from quarterdeck.deploy.planning.host import host_plan
from quarterdeck.deploy.planning.ignore import ignored
from quarterdeck.deploy.planning.nginx import CONFIGURATION_PATH, SERVER_IMAGE, server_configuration
from quarterdeck.deploy.planning.profiles import RuntimeProfile
from quarterdeck.deploy.planning.reasons import advice, problem
from quarterdeck.deploy.planning.request import DEFAULT_PORT, STATIC_PORT, Request, finish
from quarterdeck.deploy.planning.values import (
    Advice,
    BuildPlan,
    CommandKind,
    ContextFile,
    HostPlan,
    PlannedCommand,
    StaticSite,
    SupportTier,
)

_PRIMARY = {
    "node": ("package.json", "angular.json"),
    "python": ("pyproject.toml", "requirements.txt"),
    "java": ("pom.xml", "build.gradle", "build.gradle.kts"),
    "ruby": ("Gemfile",),
    "php": ("composer.json",),
    "go": ("go.mod",),
    "rust": ("Cargo.toml",),
    "elixir": ("mix.exs",),
}
_FIELDS = {
    "startCommand": "start_command",
    "buildCommand": "build_command",
    "publishDirectory": "publish_directory",
}


def server_plan(request: Request) -> BuildPlan:
    """Plan a process that listens on PORT: in a generated image, or on the host itself."""
    detection, runtime = request.detection or _NOTHING, request.runtime
    found = detection.application
    port = request.configured_port or (DEFAULT_PORT if request.exposed else None)
    container = Where(str(port or DEFAULT_PORT), CONTAINER_ADDRESS)
    made = draft(found, container, static=False, explicit_start=runtime.start_command)
    issues = _open_issues(detection, runtime, made, static=False)
    # A guess must not be shown as a command when what it would start is not there or not certain.
    guess = not any("startCommand" in issue.overridden_by for issue in issues)
    start = runtime.start_command or (made.start if guess else None)
    if start is None and not issues:
        if found.planner == "custom":
            message = "Nothing in the source says what kind of application it is."
            issues.append(Issue("unsupported-framework", message))
        else:
            issues.append(Issue("missing-start-intent", "Nothing in the source says how the server is started."))
    recipe = Recipe(
        install=runtime.install_command or made.install,
        build=runtime.build_command or made.build,
        package=None if runtime.build_command else made.package,
        start=start,
        explicit=bool(runtime.start_command or runtime.build_command),
        port=port,
        arguments=request.build_arguments,
        secrets=request.build_secrets,
    )
    on_host = request.target == "host-process"
    if on_host:
        made = draft(found, ON_HOST, static=False, explicit_start=runtime.start_command)
        start = runtime.start_command or (made.start if guess else None)
        recipe = recipe._replace(start=start)
    commands = _commands(recipe, runtime, made)
    text = None if on_host or start is None else server_dockerfile(made, recipe)
    staged = text is not None and made.runtime_image is not None and not recipe.explicit
    return finish(
        request,
        issues=tuple(issues),
        notes=_assumed_port(request, port),
        tier=_tier(found, runtime),
        planner_key=found.planner,
        build_strategy="workspace-commands",
        packaging_mode="host-process-runtime" if on_host else "all-in-one-docker",
        execution_kind="host-process" if on_host else "docker-container",
        artifact_kind="custom-command-image" if _own_commands(found, runtime) else "workspace-image",
        artifact_intent="build-image",
        application_shape=_shape(request, found, start),
        base_image=None if on_host else made.base_image,
        runtime_image=made.runtime_image if staged else None,
        image=request.image,
        commands=commands,
        build_arguments=request.build_arguments,
        build_secrets=request.build_secrets,
        internal_port=port,
        environment={"PORT": str(port)} if port and not on_host else {},
        use_init=not on_host,
        dockerfile=text,
        dockerfile_path=DOCKERFILE_PATH if text else None,
        context_files=(ContextFile(DOCKERFILE_PATH, text),) if text else (),
        ignore=ignored(found.family, builds=recipe.build is not None) if text else (),
        host=_on_host(made, recipe, runtime) if on_host else None,
        steps=_steps(commands, on_host=on_host, static=False),
    )


def static_plan(request: Request) -> BuildPlan:
    """Plan a directory of files: built first where the project builds, then served."""
    detection, runtime = request.detection or _NOTHING, request.runtime
    found = detection.application
    port = request.configured_port or STATIC_PORT
    made = draft(found, Where(str(port), CONTAINER_ADDRESS), static=True, explicit_start=None)
    # Only a Node project is built by convention; other languages make pages only when a command says so.
    build = runtime.build_command or (made.build if found.family == "node" else None)
    recipe = Recipe(
        install=runtime.install_command or (made.install if build else None),
        build=build,
        package=None,
        start=None,
        explicit=False,
        port=port,
        arguments=request.build_arguments,
        secrets=request.build_secrets,
    )
    directory, issues = _publish_directory(detection, runtime, made, builds=bool(build or recipe.install))
    commands = _commands(recipe, runtime, made)
    site = StaticSite(directory=directory or ".", excluded=() if build else ignored())
    on_host = request.target == "host-process"
    text = None if on_host or directory is None else static_dockerfile(made, recipe, directory)
    configuration = ContextFile(CONFIGURATION_PATH, server_configuration(port))
    return finish(
        request,
        issues=(*_open_issues(detection, runtime, made, static=True), *issues),
        tier="first-class",
        planner_key=(found.node.static_planner if found.node and found.node.static_planner else "static"),
        build_strategy="static-artifact",
        packaging_mode="host-process-runtime" if on_host else "all-in-one-docker",
        execution_kind="host-process" if on_host else "docker-container",
        artifact_kind="static-server-image",
        artifact_intent="build-image",
        runtime_family=found.family if found.planner != "custom" else "static",
        application_shape="static",
        base_image=None if on_host else made.base_image if commands else SERVER_IMAGE,
        runtime_image=None if on_host or not commands else SERVER_IMAGE,
        image=request.image,
        commands=commands,
        build_arguments=request.build_arguments,
        build_secrets=request.build_secrets,
        internal_port=port,
        publish_directory=directory,
        static_site=site,
        dockerfile=text,
        dockerfile_path=DOCKERFILE_PATH if text else None,
        context_files=(ContextFile(DOCKERFILE_PATH, text), configuration) if text else (),
        ignore=ignored(found.family, builds=build is not None) if text else (),
        host=_on_host(made, recipe, runtime) if on_host else None,
        steps=_steps(commands, on_host=on_host, static=True),
    )


_NOTHING = Detection(
    application=Found(planner="custom", family="custom"),
    issues=(problem("missing-source-root", "There is no source to look at."),),
)


def _open_issues(detection: Detection, runtime: RuntimeProfile, made: Draft, *, static: bool) -> list[Issue]:
    """Keep the issues that the profile does not settle and that matter for this way of deploying."""
    found = detection.application
    primary = _PRIMARY.get(found.family, ())
    tree = [
        issue
        for issue in detection.issues
        if issue.code == "missing-source-root" or any(item.source in primary for item in issue.evidence)
    ]
    if tree:
        # What else seems to be missing follows from the manifest that could not be read.
        return [issue for issue in tree if not _settled(issue, runtime)]
    own = [issue for issue in found.issues if not static or "publishDirectory" in issue.overridden_by]
    return [issue for issue in (*own, *made.issues) if not _settled(issue, runtime)]


def _settled(issue: Issue, runtime: RuntimeProfile) -> bool:
    return any(getattr(runtime, _FIELDS[field], None) for field in issue.overridden_by if field in _FIELDS)


def _publish_directory(
    detection: Detection, runtime: RuntimeProfile, made: Draft, *, builds: bool
) -> tuple[str | None, tuple[Issue, ...]]:
    wanted = runtime.publish_directory or made.publish_directory
    if wanted is None:
        message = "The directory that holds the finished files is not set."
        return None, (problem("static-publish-directory-missing", message),)
    parts = [part for part in wanted.strip().split("/") if part not in {"", "."}]
    if ".." in parts or not all(part.isprintable() for part in parts):
        message = "The publish directory must lie inside the source."
        return None, (problem("static-publish-directory-missing", message),)
    directory = "/".join(parts) or "."
    if not builds and detection.has_publish_directory is False:
        message = f"There is no directory {directory} in the source, and nothing builds it."
        return directory, (problem("missing-static-output", message),)
    return directory, ()


def _commands(recipe: Recipe, runtime: RuntimeProfile, made: Draft) -> tuple[PlannedCommand, ...]:
    rows: tuple[tuple[CommandKind, str | None, str | None], ...] = (
        ("install", recipe.install, runtime.install_command),
        ("install", made.extra_install, None),
        ("build", recipe.build, runtime.build_command),
        ("package", recipe.package, None),
        ("start", recipe.start, runtime.start_command),
    )
    return tuple(
        PlannedCommand(kind, command, "resource-runtime-profile" if explicit else "planner")
        for kind, command, explicit in rows
        if command
    )


def _on_host(made: Draft, recipe: Recipe, runtime: RuntimeProfile) -> HostPlan:
    return host_plan(
        made,
        install=recipe.install,
        build=recipe.build,
        package=recipe.package,
        start=recipe.start,
        explicit_start=bool(runtime.start_command),
        explicit_install=bool(runtime.install_command),
    )


def _shape(request: Request, found: Found, start: str | None) -> ApplicationShape | None:
    if not request.exposed:
        return "worker"
    if found.shape in {None, "static"}:
        return "serverful-http" if start else None
    return found.shape


def _own_commands(found: Found, runtime: RuntimeProfile) -> bool:
    return bool(runtime.start_command) and (found.planner == "custom" or runtime.strategy == "workspace-commands")


def _tier(found: Found, runtime: RuntimeProfile) -> SupportTier:
    if _own_commands(found, runtime):
        return "explicit-custom" if runtime.strategy == "workspace-commands" else "custom"
    return "first-class" if found.framework else "generic"


def _assumed_port(request: Request, port: int | None) -> tuple[Advice, ...]:
    if port is None or request.configured_port is not None or request.target == "host-process":
        return ()
    message = f"No internal port is set; {port} is used and passed to the application as PORT."
    return (advice(problem("network-profile-missing", message), phase="plan", category="info"),)


def _steps(commands: tuple[PlannedCommand, ...], *, on_host: bool, static: bool) -> tuple[str, ...]:
    kinds = {command.kind for command in commands}
    if on_host:
        labels = (
            ("install", "Install dependencies"),
            ("build", "Build application"),
            ("package", "Package application"),
        )
        prepared = tuple(label for kind, label in labels if kind in kinds)
        middle = ("Publish static files",) if static else ("Start process", "Verify internal process health")
        return ("Check host tools", *prepared, *middle, "Configure edge proxy", "Verify public access route")
    return ("Generate Dockerfile", "Build static server image" if static else "Build image", *RUN_STEPS)
