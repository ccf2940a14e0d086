"""Shapes below /api/provider-job-logs. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text


class ProviderJobLogsPruneBody(Struct, kw_only=True, rename="camel"):
    before: DateTime
    deployment_id: Text | UnsetType = UNSET
    provider_key: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    server_id: Text | UnsetType = UNSET
    dry_run: bool = True


class ProviderJobLogsPruneResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["provider-job-logs.prune/v1"] = "provider-job-logs.prune/v1"
    before: str
    deployment_id: str | UnsetType = UNSET
    provider_key: str | UnsetType = UNSET
    resource_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    dry_run: bool
    matched_count: float
    pruned_count: float
    counts_by_provider_key: dict[str, float]
    pruned_at: str
