"""The ways out of each obstacle: which profile field settles it, by which operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from quarterdeck.deploy.detection.values import Evidence, Issue, ReasonCode
from quarterdeck.deploy.planning.values import Advice, FixPath, NextAction, Readiness, SupportTier


class _Way(NamedTuple):
    recommendation: str
    field: str
    operation: str
    label: str


_RUNTIME = "resources.configure-runtime"
_NETWORK = "resources.configure-network"
_SOURCE = "resources.configure-source"
_START = _Way("Set a start command.", "runtimeProfile.startCommand", _RUNTIME, "Set the start command")
_BUILD = _Way("Set a build command.", "runtimeProfile.buildCommand", _RUNTIME, "Set the build command")
_STRATEGY = _Way("Choose a strategy that fits the source.", "runtimeProfile.strategy", _RUNTIME, "Choose the strategy")
_PORT = _Way(
    "Set the port that the application listens on.", "networkProfile.internalPort", _NETWORK, "Set the internal port"
)
_PUBLISH = _Way(
    "Name the directory that holds the finished files.",
    "runtimeProfile.publishDirectory",
    _RUNTIME,
    "Set the publish directory",
)
_TREE = _Way("Check repository, branch and base directory.", "source.baseDirectory", _SOURCE, "Check the source")

_WAYS: dict[ReasonCode, _Way] = {
    "resource-source-missing": _Way("Bind a source first.", "source.locator", _SOURCE, "Bind a source"),
    "missing-source-root": _TREE,
    "network-profile-missing": _PORT,
    "internal-port-missing": _PORT,
    "missing-internal-port": _PORT,
    "static-publish-directory-missing": _PUBLISH,
    "missing-static-output": _PUBLISH,
    "compose-target-service-missing": _Way(
        "Name the service that receives requests.",
        "networkProfile.targetServiceName",
        _NETWORK,
        "Name the target service",
    ),
    "ambiguous-jvm-build-tool": _BUILD,
    "missing-jvm-build-tool": _BUILD,
    "missing-build-tool": _BUILD,
    "missing-build-intent": _BUILD,
    "incompatible-source-strategy": _STRATEGY,
    "unsupported-container-native-profile": _STRATEGY,
    "runtime-target-unsupported": _Way(
        "Choose a server with a container engine, or let the planner run it as a process.",
        "runtimeProfile.strategy",
        _RUNTIME,
        "Choose the strategy",
    ),
}
# What settles an issue when its own list of fields says so.
_BY_FIELD = {"publishDirectory": _PUBLISH, "buildCommand": _BUILD, "startCommand": _START, "strategy": _STRATEGY}


def advice(issue: Issue, *, phase: str, category: str = "blocked") -> Advice:
    """Turn an issue into advice with its fix paths, the preferred one first."""
    ways = [_BY_FIELD[field] for field in issue.overridden_by if field in _BY_FIELD]
    preferred = _WAYS.get(issue.code)
    if preferred is not None:
        ways = [preferred, *(way for way in ways if way.field != preferred.field and issue.code not in _WAYS)]
    ways = ways or [_START]
    return Advice(
        code=issue.code,
        category="blocked" if category == "blocked" else "warning" if category == "warning" else "info",
        phase=phase,
        message=issue.message,
        recommendation=issue.hint or " Or: ".join(way.recommendation for way in ways),
        evidence=issue.evidence,
        fix_path=tuple(FixPath("command", way.label, way.operation, way.field, safe_by_default=False) for way in ways),
        affected_profile_field=ways[0].field,
    )


def problem(code: ReasonCode, message: str, *evidence: Evidence, hint: str | None = None) -> Issue:
    return Issue(code, message, evidence, (), hint)


def readiness(advices: Sequence[Advice]) -> Readiness:
    counted = [item for item in advices if item.category != "info"]
    codes = tuple(dict.fromkeys(item.code for item in counted))
    if any(item.category == "blocked" for item in counted):
        return Readiness("blocked", ready=False, reason_codes=codes)
    return Readiness("warning" if counted else "ready", ready=True, reason_codes=codes)


def next_actions(advices: Sequence[Advice]) -> tuple[NextAction, ...]:
    """Deploy when nothing stands in the way, else the first fix of each obstacle."""
    blocked = [item for item in advices if item.category == "blocked"]
    if not blocked:
        return (
            NextAction(
                kind="command", target_operation="deployments.create", label="Deploy this plan", safe_by_default=False
            ),
        )
    actions: dict[tuple[str, str], NextAction] = {}
    for item in blocked:
        for path in item.fix_path[:1]:
            key = (path.target_operation or "", path.label)
            actions.setdefault(
                key,
                NextAction(
                    kind="command",
                    target_operation=path.target_operation or _RUNTIME,
                    label=path.label,
                    safe_by_default=False,
                    blocked_reason_code=item.code,
                ),
            )
    return tuple(actions.values())


def tier_of(advices: Sequence[Advice], otherwise: SupportTier) -> SupportTier:
    """A plan that is held up is ambiguous, unsupported or waiting for an override, whatever it would be else."""
    codes = [item.code for item in advices if item.category == "blocked"]
    if not codes:
        return otherwise
    if any(code.startswith("ambiguous") for code in codes):
        return "ambiguous"
    if any(code.startswith(("unsupported", "incompatible", "runtime-target")) for code in codes):
        return "unsupported"
    return "requires-override"
