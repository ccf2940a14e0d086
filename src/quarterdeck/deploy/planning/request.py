"""What every kind of plan starts from, and the parts that all plans share."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from quarterdeck.deploy.detection.values import Detection, Issue
from quarterdeck.deploy.planning.profiles import HealthPolicy, HttpCheck, NetworkProfile, RuntimeProfile, SourceKind
from quarterdeck.deploy.planning.reasons import advice, next_actions, problem, readiness, tier_of
from quarterdeck.deploy.planning.values import Advice, BuildPlan, RuntimeTarget, SupportTier
from quarterdeck.deploy.stacks.reading import Reading

DEFAULT_PORT = 3000
STATIC_PORT = 80


class Request(Struct, frozen=True, kw_only=True):
    detection: Detection | None
    runtime: RuntimeProfile
    network: NetworkProfile | None
    health: HealthPolicy | None
    source_kind: SourceKind
    image: str | None
    target: RuntimeTarget
    build_arguments: tuple[str, ...]
    build_secrets: tuple[str, ...]
    stack: Reading | None = None
    issues: tuple[Issue, ...] = ()

    @property
    def profile(self) -> NetworkProfile:
        return self.network or NetworkProfile()

    @property
    def configured_port(self) -> int | None:
        return self.profile.internal_port

    @property
    def exposed(self) -> bool:
        return self.profile.exposure_mode != "none"


def missing_port(request: Request, port: int | None) -> tuple[Issue, ...]:
    if port is not None or not request.exposed:
        return ()
    message = "The port that the application listens on is not known: the source does not say, and none is set."
    return (problem("internal-port-missing", message),)


def needs_engine(request: Request, what: str, *, hint: str | None = None) -> tuple[Issue, ...]:
    """`hint` where no strategy would do without one."""
    if request.target == "docker-container":
        return ()
    message = f"{what} needs a container engine, which this server has not."
    return (problem("runtime-target-unsupported", message, hint=hint),)


def finish(
    request: Request, *, issues: tuple[Issue, ...], tier: SupportTier, notes: tuple[Advice, ...] = (), **values: Any
) -> BuildPlan:
    """Complete a plan with what all plans say alike: source facts, network, health, readiness and the way out."""
    phase_of = {issue.code: "detect" for issue in request.detection.application.issues} if request.detection else {}
    advices = tuple(
        advice(issue, phase=phase_of.get(issue.code, "plan")) for issue in dict.fromkeys((*request.issues, *issues))
    )
    blocked = advices
    everything = (*advices, *notes)
    port = values.get("internal_port")
    return BuildPlan(
        support_tier=tier_of(blocked, tier),
        readiness=readiness(everything),
        source_kind=request.source_kind,
        upstream_protocol=request.profile.upstream_protocol,
        exposure_mode=request.profile.exposure_mode,
        host_port=request.profile.host_port,
        health=_health(request, port),
        health_configured=request.health is not None or request.runtime.health_check_path is not None,
        warnings=everything,
        unsupported_reasons=tuple(item for item in blocked if item.code.startswith(("unsupported", "runtime-target"))),
        next_actions=next_actions(everything),
        **_facts(request, values),
        **values,
    )


def _facts(request: Request, values: dict[str, Any]) -> dict[str, Any]:
    detection = request.detection
    if detection is None:
        return {}
    found = detection.application
    facts: dict[str, Any] = {
        "runtime_family": None if found.planner == "custom" else found.family,
        "framework": found.framework,
        "package_manager": found.manager,
        "application_shape": found.shape,
        "runtime_version": found.version,
        "project_name": found.project_name,
        "detected_files": detection.detected_files,
        "detected_scripts": found.scripts,
        "reasoning": detection.reasoning,
        "jar_path": found.java.jar if found.java else None,
        "detect_summary": _summary(detection),
    }
    return {name: value for name, value in facts.items() if name not in values}


def _summary(detection: Detection) -> str:
    found = detection.application
    words = [word for word in (found.family, found.framework, found.manager, found.version) if word]
    containers = [
        name for name, facts in (("Dockerfile", detection.dockerfile), ("Compose", detection.compose)) if facts
    ]
    return f"Detected {' · '.join([*words, *containers])}"


def _health(request: Request, port: int | None) -> HealthPolicy | None:
    policy = request.health
    if port is None or request.profile.upstream_protocol == "tcp" or (policy is not None and not policy.enabled):
        return None
    if policy is not None:
        return policy
    found = request.detection.application if request.detection else None
    default = "/actuator/health" if found and found.java and found.java.actuator else "/"
    return HealthPolicy(http=HttpCheck(path=request.runtime.health_check_path or default))
