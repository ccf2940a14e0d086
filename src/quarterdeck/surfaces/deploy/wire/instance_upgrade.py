"""Shapes below /api/instance-upgrade. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


class SystemInstanceUpgradeCheckQuery(Struct, kw_only=True, rename="camel"):
    version: str | UnsetType = UNSET


class SystemInstanceUpgradeCheckResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["system.instance-upgrade.check/v1"] = "system.instance-upgrade.check/v1"
    current_version: str
    current_commit_sha: str | UnsetType = UNSET
    target_version: str
    latest_version: str | None
    update_available: bool
    checked_at: str
    check_status: Literal["available", "current", "unknown"]
    release_notes_url: str | UnsetType = UNSET
    upgrade_command: str
    apply_supported: bool
    apply_unsupported_reason: str | UnsetType = UNSET


class SystemInstanceUpgradeApplyBody(Struct, kw_only=True, rename="camel"):
    target_version: str | UnsetType = UNSET
    confirm: bool

    def __post_init__(self) -> None:
        if not self.confirm:
            message = "confirm must be true"
            raise ValueError(message)


class SystemInstanceUpgradeApplyResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["system.instance-upgrade.apply/v1"] = "system.instance-upgrade.apply/v1"
    target_version: str
    started_at: str
    completed_at: str
    exit_code: float
    command: list[str]
    stdout_tail: str
    stderr_tail: str
