"""Every setting with its default (contract: tasks §7.6), and the rules that hold between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.pipelines import AGENTS, check, is_agent

DEFAULTS: dict[str, Any] = {
    "heartbeatIntervalSec": 30,
    "heartbeatTimeoutSec": 180,
    "reconnectGraceSec": 600,
    "loadThresholdPercent": 85,
    "diskDrainPercent": 90,
    "degradeAfterFailures": 3,
    "degradeRecoverSec": {"auth_failure": 300, "rate_limit": 60, "unknown": 600},
    "confirmTimeoutSec": 1800,
    "defaultStageTimeoutSec": 1800,
    "accessTokenTtlSec": 900,
    "refreshTokenTtlSec": 604_800,
    "tunnelTtlHours": 4,
    "tunnelStartTimeoutSec": 30,
    "ptyReplayBytes": 262_144,
    "channelTokenTtlSec": 60,
    "logRetentionDays": 90,
    "workspaceRetentionHours": 72,
    "maxTasksPerDeveloper": 0,
    "requireTotp": False,
    "machinesVisibleToDevelopers": True,
    "bootReconcile": "grace",
    "webUrl": None,
    "defaultAgentType": "claude",
    "defaultPipeline": [{"name": "develop", "command": "/develop {description}", "timeout": 3600}],
}
FIXED = ("accessTokenTtlSec", "refreshTokenTtlSec", "requireTotp")
"""Shown because clients read them, and the same for everybody: sign-in is one for all surfaces."""


def require_agent(text: str) -> None:
    """Raises `Invalid` (`setting_invalid`) for the type of no agent that there can be."""
    if not is_agent(text):
        raise Invalid(
            f"defaultAgentType: {AGENTS}.",
            code="setting_invalid",
            hint="Choose one of them.",
            field="defaultAgentType",
        )


def require_sound(values: Mapping[str, Any]) -> None:
    """Raise `Invalid` (`setting_fixed`, `setting_invalid`) for settings that do not go together."""
    for name in FIXED:
        if values[name] != DEFAULTS[name]:
            raise Invalid(
                f"{name} is {DEFAULTS[name]!r} for everybody and cannot be changed here.",
                code="setting_fixed",
                hint="Leave it out.",
                field=name,
            )
    if values["heartbeatTimeoutSec"] <= values["heartbeatIntervalSec"]:
        raise Invalid(
            "heartbeatTimeoutSec has to be longer than heartbeatIntervalSec.",
            code="setting_invalid",
            hint="Give machines time for more than one heartbeat.",
            field="heartbeatTimeoutSec",
        )
    url = values["webUrl"]
    if url is not None and not url.startswith(("http://", "https://")):
        raise Invalid(
            "webUrl is no address of the web.",
            code="setting_invalid",
            hint="Begin it with https://.",
            field="webUrl",
        )
    check(values["defaultPipeline"], "defaultPipeline")
