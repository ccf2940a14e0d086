"""The same plan for a machine without a container engine: steps in a work directory, and a process of the host."""

from __future__ import annotations

from collections.abc import Collection

from quarterdeck.deploy.planning.drafts.values import Draft
from quarterdeck.deploy.planning.shell import command_argv
from quarterdeck.deploy.planning.values import CommandKind, HostPlan, HostStep
from quarterdeck.kernel.errors import Invalid

_LABELS: dict[CommandKind, str] = {
    "install": "Install dependencies",
    "build": "Build",
    "package": "Package",
    "start": "Start",
}


def host_plan(
    draft: Draft,
    *,
    install: str | None,
    build: str | None,
    package: str | None,
    start: str | None,
    explicit_start: bool,
    explicit_install: bool,
) -> HostPlan:
    """Make the host's plan of the commands that won. A static site has no start command and no process."""
    steps: list[HostStep] = []
    needed = bool(install or build or package or start)
    if draft.host_prepare and needed:
        steps.append(HostStep("install", "Create a private environment", command_argv(draft.host_prepare)))
    own_install = install if explicit_install else (draft.host_install or install) if install else None
    listed: list[tuple[CommandKind, str | None]] = [
        ("install", own_install),
        ("install", draft.extra_install),
        ("build", build),
        ("package", package),
    ]
    steps += [HostStep(kind, _LABELS[kind], command_argv(command)) for kind, command in listed if command]
    return HostPlan(
        steps=tuple(steps),
        start=command_argv(start) if start else (),
        start_directory="." if explicit_start else draft.start_directory,
        environment={**draft.environment, **draft.host_environment} if start else {},
        build_environment=draft.host_environment if steps else {},
        path_prefix=draft.host_path if needed else (),
        tools=draft.tools if needed else (),
    )


def require_tools(plan: HostPlan, available: Collection[str]) -> None:
    """Refuse before anything is built when the host lacks a program. Raises `Invalid` naming each and its remedy."""
    missing = [tool for tool in plan.tools if tool.program not in available]
    if missing:
        names = ", ".join(tool.program for tool in missing)
        raise Invalid(
            f"The server lacks what this application needs to run as a process: {names}.",
            code="missing_runtime_tool",
            hint=" ".join(tool.instruction for tool in missing),
            phase="plan",
            missingTools=[tool.program for tool in missing],
        )
