"""Plans for what already is a container: images, Compose projects and own Dockerfiles."""

from __future__ import annotations

from quarterdeck.deploy.detection.values import ComposeFacts, Evidence, Issue
from quarterdeck.deploy.planning.reasons import advice, problem
from quarterdeck.deploy.planning.request import Request, finish, missing_port, needs_engine
from quarterdeck.deploy.planning.values import Advice, BuildPlan, PlannedCommand

RUN_STEPS = (
    "Prepare runtime config",
    "Run docker container",
    "Configure edge proxy",
    "Verify internal container health",
    "Verify public access route",
)


def image_plan(request: Request) -> BuildPlan:
    port = request.configured_port
    issues = needs_engine(request, "A prebuilt image")
    if not request.image:
        issues = (problem("resource-source-missing", "The source names no image."), *issues)
    return finish(
        request,
        issues=issues,
        notes=_port_of_the_image(request, port),
        tier="container-native",
        planner_key="prebuilt-image",
        build_strategy="prebuilt-image",
        packaging_mode="all-in-one-docker",
        execution_kind="docker-container",
        artifact_kind="prebuilt-image",
        artifact_intent="prebuilt-image",
        application_shape="container-native",
        image=request.image,
        commands=_own_start(request),
        internal_port=port,
        environment=_port_environment(port),
        steps=("Resolve image reference", *RUN_STEPS),
    )


def dockerfile_plan(request: Request) -> BuildPlan:
    facts = request.detection.dockerfile if request.detection else None
    port = request.configured_port or (facts.exposed_ports[0] if facts and facts.exposed_ports else None)
    issues = needs_engine(request, "A Dockerfile")
    target = request.runtime.build_target
    if facts is None:
        wanted = request.runtime.dockerfile_path or "Dockerfile"
        message = f"There is no usable Dockerfile at {wanted}."
        issues = (problem("unsupported-container-native-profile", message), *issues)
    elif target and target not in facts.stages and not target.isdigit():
        evidence = tuple(Evidence("stage", "Build stage", stage, facts.path) for stage in facts.stages)
        message = f"{facts.path} has no stage named {target}."
        issues = (*issues, problem("unsupported-container-native-profile", message, *evidence))
    return finish(
        request,
        issues=issues,
        notes=_port_of_the_image(request, port) if facts else (),
        tier="container-native",
        planner_key="dockerfile",
        build_strategy="dockerfile",
        packaging_mode="all-in-one-docker",
        execution_kind="docker-container",
        artifact_kind="dockerfile-image",
        artifact_intent="build-image",
        application_shape="container-native",
        image=request.image,
        dockerfile_path=facts.path if facts else request.runtime.dockerfile_path,
        commands=_own_start(request),
        build_target=target,
        build_arguments=request.build_arguments,
        build_secrets=request.build_secrets,
        internal_port=port,
        environment=_port_environment(port),
        steps=("Build image from Dockerfile", *RUN_STEPS),
    )


def compose_plan(request: Request) -> BuildPlan:
    facts = request.detection.compose if request.detection else None
    issues = needs_engine(request, "A Compose project")
    service, port = None, request.configured_port
    if facts is None:
        wanted = request.runtime.docker_compose_file_path or "compose.yml"
        message = f"There is no usable Compose file at {wanted}."
        issues = (problem("unsupported-container-native-profile", message), *issues)
    else:
        service, unclear = _target_service(request, facts)
        ports = next((entry.ports for entry in facts.services if entry.name == service), ())
        port = port or (ports[0] if ports else None)
        issues = (*issues, *unclear, *(missing_port(request, port) if service else ()))
    return finish(
        request,
        issues=issues,
        tier="container-native",
        planner_key="docker-compose",
        build_strategy="compose-deploy",
        packaging_mode="compose-bundle",
        execution_kind="docker-compose-stack",
        artifact_kind="compose-project",
        artifact_intent="compose-project",
        application_shape="container-native",
        compose_file=facts.path if facts else request.runtime.docker_compose_file_path,
        target_service=service,
        internal_port=port,
        steps=("Prepare Compose project", "Start Compose project", *RUN_STEPS[2:]),
    )


def _target_service(request: Request, facts: ComposeFacts) -> tuple[str | None, tuple[Issue, ...]]:
    names = [service.name for service in facts.services]
    wanted = request.profile.target_service_name
    if wanted in names:
        return wanted, ()
    published = [service.name for service in facts.services if service.ports]
    if wanted is None and (len(names) == 1 or len(published) == 1):
        return (published or names)[0], ()
    if not request.exposed:
        return None, ()
    evidence = tuple(Evidence("service", "Compose service", name, facts.path) for name in names)
    message = (
        f"{facts.path} has no service named {wanted}." if wanted else "Several services could receive the requests."
    )
    return None, (problem("compose-target-service-missing", message, *evidence),)


def _port_of_the_image(request: Request, port: int | None) -> tuple[Advice, ...]:
    """A port that only the finished image can name is a warning: its start fails if the image names none either."""
    if port is not None or not request.exposed:
        return ()
    message = "No internal port is set; the one that the image declares is used, if it declares exactly one."
    return (advice(problem("internal-port-missing", message), phase="plan", category="warning"),)


def _own_start(request: Request) -> tuple[PlannedCommand, ...]:
    """A start command of the profile replaces the image's own."""
    command = request.runtime.start_command
    return (PlannedCommand("start", command, "resource-runtime-profile"),) if command else ()


def _port_environment(port: int | None) -> dict[str, str]:
    return {} if port is None else {"PORT": str(port)}
