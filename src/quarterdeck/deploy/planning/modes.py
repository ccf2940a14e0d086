"""Which of the five ways of deploying applies: image, Compose, own Dockerfile, static files, or a server of ours."""

from __future__ import annotations

from typing import Literal

from quarterdeck.deploy.detection.values import Detection, Issue
from quarterdeck.deploy.planning.profiles import RuntimeProfile, SourceKind
from quarterdeck.deploy.planning.reasons import problem
from quarterdeck.deploy.planning.values import RuntimeTarget

Mode = Literal["image", "compose", "dockerfile", "static", "server"]
_KIND_MODES: dict[str, Mode] = {
    "docker-image": "image",
    "dockerfile-inline": "dockerfile",
    "docker-compose-inline": "compose",
    "compose": "compose",
}
_STRATEGY_MODES: dict[str, Mode] = {
    "dockerfile": "dockerfile",
    "docker-compose": "compose",
    "prebuilt-image": "image",
    "workspace-commands": "server",
    "static": "static",
}


def choose_mode(
    detection: Detection | None, runtime: RuntimeProfile, source_kind: SourceKind, target: RuntimeTarget
) -> tuple[Mode, Issue | None]:
    """Return the mode and, where source and strategy contradict each other, what is wrong."""
    by_kind = _KIND_MODES.get(source_kind)
    by_strategy = _STRATEGY_MODES.get(runtime.strategy)
    if by_kind is not None or by_strategy == "image":
        mode = by_kind or "image"
        if by_strategy not in {None, mode} or by_kind is None:
            message = f"A source of kind {source_kind} cannot be deployed by the strategy {runtime.strategy}."
            return mode, problem("incompatible-source-strategy", message)
        return mode, None
    if by_strategy is not None:
        return by_strategy, None
    return (_automatic(detection, runtime, target) if detection else "server"), None


def _automatic(detection: Detection, runtime: RuntimeProfile, target: RuntimeTarget) -> Mode:
    found = detection.application
    explicit = runtime.start_command or runtime.build_command or runtime.install_command
    known = found.planner != "custom"
    # Explicit commands say how to run a workspace that we know, so a Dockerfile beside it is not what is meant.
    if detection.dockerfile and (not known or (not explicit and target == "docker-container")):
        return "dockerfile"
    if detection.compose and not known and not explicit:
        return "compose"
    if runtime.start_command:
        return "server"
    if found.shape == "static" or (runtime.publish_directory and not found.server):
        return "static"
    return "server"
