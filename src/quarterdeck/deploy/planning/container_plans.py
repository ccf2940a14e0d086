"""Plans for what already is a container: images, Compose projects and own Dockerfiles."""

from __future__ import annotations

from quarterdeck.deploy.detection.values import Evidence, Issue
from quarterdeck.deploy.planning.reasons import advice, problem
from quarterdeck.deploy.planning.request import Request, finish, missing_port, needs_engine
from quarterdeck.deploy.planning.values import Advice, BuildPlan, PlannedCommand
from quarterdeck.deploy.stacks.ordering import refused_as_target, shared_volumes
from quarterdeck.deploy.stacks.refusals import Refusal
from quarterdeck.deploy.stacks.values import Stack

ENGINE = "Choose a server with a container engine, or install one: qd server engine. Nothing else runs this."
RUN_STEPS = (
    "Prepare runtime config",
    "Run docker container",
    "Configure edge proxy",
    "Verify internal container health",
    "Verify public access route",
)


def image_plan(request: Request) -> BuildPlan:
    port = request.configured_port
    issues = needs_engine(request, "A prebuilt image", hint=ENGINE)
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
    file = facts.path if facts else request.runtime.docker_compose_file_path or "compose.yml"
    read = request.stack if facts is not None else None
    issues = needs_engine(request, "A Compose project", hint=ENGINE)
    service, port = None, request.configured_port
    notes: tuple[Advice, ...] = ()
    if read is None:
        message = f"There is no Compose file at {file}."
        issues = (problem("unsupported-container-native-profile", message), *issues)
    elif read.stack is None:
        issues = (*issues, *_refused(read.refusals, file))
    else:
        service, unclear = _target_service(request, read.stack)
        ports = read.stack.service(service).ports if service else ()
        port = port or (ports[0] if ports else None)
        refused = () if unclear else _refused(refused_as_target(read.stack, service), file)
        issues = (*issues, *unclear, *refused, *(missing_port(request, port) if service else ()))
        notes = _shared(read.stack, service)
    return finish(
        request,
        issues=issues,
        notes=notes,
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


def _refused(refusals: tuple[Refusal, ...], file: str) -> tuple[Issue, ...]:
    """Each thing that stands in the way, with what to do about it."""
    where = Evidence("file", "Compose file", file, file)
    return tuple(problem("unsupported-container-native-profile", one.message, where, hint=one.hint) for one in refusals)


def _shared(stack: Stack, service: str | None) -> tuple[Advice, ...]:
    shared = ", ".join(shared_volumes(stack, service))
    if not shared:
        return ()
    message = f"Two versions of {service} write to {shared} while one takes over from the other."
    hint = f"Let another service write to {shared} if its files cannot be shared."
    issue = problem("unsupported-container-native-profile", message, hint=hint)
    return (advice(issue, phase="plan", category="info"),)


def _target_service(request: Request, stack: Stack) -> tuple[str | None, tuple[Issue, ...]]:
    """The service that receives the requests: the one that is named, that publishes a port, or that is alone."""
    names = [service.name for service in stack.services]
    wanted = request.profile.target_service_name
    if wanted in names:
        return wanted, ()
    if wanted is None:
        for choice in (
            [service.name for service in stack.services if service.published],
            [service.name for service in stack.services if service.ports],
            names,
        ):
            if len(choice) == 1:
                return choice[0], ()
    if not request.exposed:
        return None, ()
    evidence = tuple(Evidence("service", "Compose service", name, stack.file) for name in names)
    message = (
        f"{stack.file} has no service named {wanted}." if wanted else "Several services could receive the requests."
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
