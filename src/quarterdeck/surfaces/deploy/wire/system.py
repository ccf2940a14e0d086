"""Shapes below /api/system. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.extensions import SystemPluginsItem, SystemProvidersItem


class SystemDoctorResponseReadinessChecks(Struct, kw_only=True, rename="camel"):
    database: bool
    migrations: bool


class SystemDoctorResponseReadiness(Struct, kw_only=True, rename="camel"):
    status: Literal["ready", "degraded"]
    checks: SystemDoctorResponseReadinessChecks
    details: dict[str, str] | UnsetType = UNSET


class SystemDoctorResponseMaintenanceWorkersItem(Struct, kw_only=True, rename="camel"):
    key: Literal[
        "certificate-retry-scheduler",
        "preview-expiry-cleanup-scheduler",
        "preview-cleanup-retry-scheduler",
        "scheduled-task-runner",
        "scheduled-runtime-prune-runner",
        "scheduled-history-retention-runner",
        "runtime-monitoring-collector-runner",
    ]
    label: str
    enabled: bool
    activation: Literal["disabled-by-config", "starts-with-backend-service"]
    safety_mode: Literal[
        "certificate-retry",
        "preview-expiry-cleanup",
        "preview-cleanup-retry",
        "runtime-execution",
        "policy-gated-prune",
        "policy-gated-retention",
        "read-only-collection",
    ]
    interval_seconds: Annotated[int, Meta(gt=0)]
    batch_size: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    default_retry_delay_seconds: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    raw_retention_hours: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    configuration_keys: list[str]
    operation_keys: list[str]


class SystemDoctorResponse(Struct, kw_only=True, rename="camel"):
    readiness: SystemDoctorResponseReadiness
    providers: list[SystemProvidersItem]
    plugins: list[SystemPluginsItem]
    maintenance_workers: list[SystemDoctorResponseMaintenanceWorkersItem]
