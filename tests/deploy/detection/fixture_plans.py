"""Reads a fixture and plans it: as a container, and as a process of the host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from quarterdeck.deploy.detection import DirectoryTree, detect
from quarterdeck.deploy.planning import BuildPlan, NetworkProfile, RuntimeProfile, plan
from quarterdeck.deploy.stacks.reading import Variables, look

FIXTURES = Path(__file__).parent / "fixtures"


def planned(name: str, target: str) -> BuildPlan:
    path = FIXTURES / name / "request.json"
    request: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    runtime = msgspec.convert(request.get("runtime", {}), RuntimeProfile)
    network = msgspec.convert(request["network"], NetworkProfile) if "network" in request else None
    source_kind = request.get("source_kind", "local-folder")
    detection = stack = None
    if source_kind != "docker-image":
        tree = DirectoryTree(FIXTURES / name / "source")
        detection = detect(
            tree,
            dockerfile_path=runtime.dockerfile_path,
            compose_file_path=runtime.docker_compose_file_path,
            publish_directory=runtime.publish_directory,
        )
        if detection.compose is not None:
            stack = look(tree, detection.compose.path, Variables())
    return plan(
        detection,
        source_kind=source_kind,
        runtime=runtime,
        network=network,
        image=request.get("image"),
        target=target,  # type: ignore[arg-type]
        build_arguments=tuple(request.get("build_arguments", ())),
        build_secrets=tuple(request.get("build_secrets", ())),
        stack=stack,
    )


def as_expected(name: str) -> dict[str, Any]:
    """Return the fixture's plan as plain JSON; texts become lists of lines, so that a reviewer can read them."""
    container = msgspec.to_builtins(planned(name, "docker-container"))
    container.pop("ignore", None)
    if "static_site" in container:
        container["static_site"].pop("excluded", None)
    if container.get("dockerfile"):
        container["dockerfile"] = container["dockerfile"].splitlines()
    for file in container.get("context_files", []):
        file.pop("text")
    on_host = planned(name, "host-process")
    host = {
        "readiness": on_host.readiness,
        "planner_key": on_host.planner_key,
        "build_strategy": on_host.build_strategy,
        "execution_kind": on_host.execution_kind,
        "commands": [command.command for command in on_host.commands],
        "host": on_host.host,
        "steps": on_host.steps,
    }
    whole: dict[str, Any] = json.loads(msgspec.json.encode({"container": container, "host": host}))
    return whole
