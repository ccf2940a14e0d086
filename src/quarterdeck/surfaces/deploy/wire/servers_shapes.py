"""Shapes below /api/servers. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text


class Check2(Struct, kw_only=True, rename="camel"):
    name: str
    status: Literal["passed", "failed", "skipped"]
    message: str
    duration_ms: float
    metadata: dict[str, str] | UnsetType = UNSET


class Credential(Struct, kw_only=True, rename="camel"):
    kind: Literal["local-ssh-agent", "ssh-private-key"]
    credential_id: str | UnsetType = UNSET
    credential_name: str | UnsetType = UNSET
    username: str | UnsetType = UNSET
    public_key_configured: bool
    private_key_configured: bool


class Credential2(Struct, kw_only=True, rename="camel", tag_field="kind", tag="ssh-private-key"):
    username: Text | UnsetType = UNSET
    public_key: Text | UnsetType = UNSET
    private_key: Text


class Credential3(Struct, kw_only=True, rename="camel", tag_field="kind", tag="stored-ssh-private-key"):
    credential_id: Text
    username: Text | UnsetType = UNSET


class EdgeProxy(Struct, kw_only=True, rename="camel"):
    kind: Literal["none", "traefik", "caddy"]
    status: Literal["pending", "starting", "ready", "failed", "disabled"]
    last_attempt_at: str | UnsetType = UNSET
    last_succeeded_at: str | UnsetType = UNSET
    last_error_code: str | UnsetType = UNSET
    last_error_message: str | UnsetType = UNSET


class RuntimeRoot(Struct, kw_only=True, rename="camel"):
    path: str
    size: float | None
    detectable: bool


class ScheduledRuntimePrunePoliciesItem(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["scheduled-runtime-prune-policies.policy/v1"] = "scheduled-runtime-prune-policies.policy/v1"
    id: str
    version: str
    scope: Literal["defaults", "system", "organization", "project", "environment", "deployment-snapshot"]
    server_id: str
    retention_days: float
    destructive: bool
    categories: list[
        Literal[
            "stopped-containers",
            "preview-workspaces",
            "source-workspaces",
            "docker-build-cache",
            "unused-images",
            "remote-state-markers",
        ]
    ]
    category_count: float
    retry_on_failure: bool
    enabled: bool
    updated_at: str


ServersCapacityCode = Literal[
    "full-disk",
    "high-disk-usage",
    "high-inode-usage",
    "docker-unavailable",
    "timeout",
    "partial-diagnostic",
    "unsupported-provider",
    "audit-record-failed",
]


class ServersItem(Struct, kw_only=True, rename="camel"):
    id: str
    name: str
    host: str
    port: float
    provider_key: str
    target_kind: Literal["single-server", "orchestrator-cluster"]
    lifecycle_status: Literal["active", "inactive"]
    deactivated_at: str | UnsetType = UNSET
    deactivation_reason: str | UnsetType = UNSET
    edge_proxy: EdgeProxy | UnsetType = UNSET
    credential: Credential | UnsetType = UNSET
    created_at: str


class ServersTestConnectivityResponse(Struct, kw_only=True, rename="camel"):
    server_id: str
    name: str
    host: str
    port: float
    provider_key: str
    checked_at: str
    status: Literal["healthy", "degraded", "unreachable"]
    checks: list[Check2]


class Warning4(Struct, kw_only=True, rename="camel"):
    code: ServersCapacityCode
    message: str
    path: str | UnsetType = UNSET
    mount: str | UnsetType = UNSET
    resource: Literal["disk", "inode", "docker", "memory", "cpu", "appaloft-runtime"] | UnsetType = UNSET
