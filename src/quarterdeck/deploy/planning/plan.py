"""The one door of planning: from what was found and what was asked for to a whole plan."""

from __future__ import annotations

from quarterdeck.deploy.detection.values import Detection
from quarterdeck.deploy.planning.container_plans import compose_plan, dockerfile_plan, image_plan
from quarterdeck.deploy.planning.modes import choose_mode
from quarterdeck.deploy.planning.profiles import HealthPolicy, NetworkProfile, RuntimeProfile, SourceKind
from quarterdeck.deploy.planning.request import Request
from quarterdeck.deploy.planning.values import BuildPlan, RuntimeTarget
from quarterdeck.deploy.planning.workspace_plans import server_plan, static_plan
from quarterdeck.deploy.stacks.reading import Reading


def plan(
    detection: Detection | None,
    *,
    source_kind: SourceKind,
    runtime: RuntimeProfile | None = None,
    network: NetworkProfile | None = None,
    health: HealthPolicy | None = None,
    image: str | None = None,
    target: RuntimeTarget = "docker-container",
    build_arguments: tuple[str, ...] = (),
    build_secrets: tuple[str, ...] = (),
    stack: Reading | None = None,
) -> BuildPlan:
    """Plan one deployment. Pure: the same values give the same plan.

    `image` is the prebuilt reference (docker-image sources) or the name to give to the built image. `build_arguments`
    are names of public build-time variables; names without a public prefix are left out. `build_secrets` are names
    that the build may read as mounted files. `stack` is what the Compose file of the source says. A plan that cannot
    be carried out has `readiness.ready == False` and says why; nothing raises.
    """
    runtime = runtime or RuntimeProfile()
    mode, conflict = choose_mode(detection, runtime, source_kind, target)
    request = Request(
        detection=detection,
        runtime=runtime,
        network=network,
        health=health,
        source_kind=source_kind,
        image=image,
        target=target,
        build_arguments=tuple(name for name in build_arguments if name.startswith(("PUBLIC_", "VITE_"))),
        build_secrets=build_secrets,
        stack=stack,
        issues=(conflict,) if conflict else (),
    )
    plans = {
        "image": image_plan,
        "compose": compose_plan,
        "dockerfile": dockerfile_plan,
        "static": static_plan,
        "server": server_plan,
    }
    return plans[mode](request)
