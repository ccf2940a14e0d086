"""Shapes below /api/servers. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text
from quarterdeck.surfaces.deploy.wire.servers_shapes import (
    Credential2,
    Credential3,
    ServersItem,
    ServersTestConnectivityResponse,
)


class ServersCountResponse(Struct, kw_only=True, rename="camel"):
    count: Annotated[int, Meta(ge=0)]


class ServersListQuery(Struct, kw_only=True, rename="camel"):
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class ServersListResponse(Struct, kw_only=True, rename="camel"):
    items: list[ServersItem]


class ServersRegisterBody(Struct, kw_only=True, rename="camel"):
    name: Text
    host: Text
    provider_key: Text
    target_kind: Literal["single-server", "orchestrator-cluster"] = "single-server"
    port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    proxy_kind: Literal["none", "traefik", "caddy"] = "traefik"


class ServersRegisterResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ServersShowQuery(Struct, kw_only=True, rename="camel"):
    include_rollups: bool | UnsetType = UNSET


class ServersShowResponseRollupsResources(Struct, kw_only=True, rename="camel"):
    total: float
    deployed_resource_ids: list[str]


class ServersShowResponseRollupsDeploymentsStatusCountsItem(Struct, kw_only=True, rename="camel"):
    status: Literal[
        "created",
        "planning",
        "planned",
        "running",
        "cancel-requested",
        "succeeded",
        "failed",
        "canceled",
        "rolled-back",
    ]
    count: float


class ServersShowResponseRollupsDeployments(Struct, kw_only=True, rename="camel"):
    total: float
    status_counts: list[ServersShowResponseRollupsDeploymentsStatusCountsItem]
    latest_deployment_id: str | UnsetType = UNSET
    latest_deployment_status: (
        Literal[
            "created",
            "planning",
            "planned",
            "running",
            "cancel-requested",
            "succeeded",
            "failed",
            "canceled",
            "rolled-back",
        ]
        | UnsetType
    ) = UNSET


class ServersShowResponseRollupsDomainsStatusCountsItem(Struct, kw_only=True, rename="camel"):
    status: Literal[
        "requested", "pending_verification", "bound", "certificate_pending", "ready", "not_ready", "failed", "deleted"
    ]
    count: float


class ServersShowResponseRollupsDomains(Struct, kw_only=True, rename="camel"):
    total: float
    status_counts: list[ServersShowResponseRollupsDomainsStatusCountsItem]
    latest_domain_binding_id: str | UnsetType = UNSET
    latest_domain_binding_status: (
        Literal[
            "requested",
            "pending_verification",
            "bound",
            "certificate_pending",
            "ready",
            "not_ready",
            "failed",
            "deleted",
        ]
        | UnsetType
    ) = UNSET


class ServersShowResponseRollups(Struct, kw_only=True, rename="camel"):
    resources: ServersShowResponseRollupsResources
    deployments: ServersShowResponseRollupsDeployments
    domains: ServersShowResponseRollupsDomains


class ServersShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["servers.show/v1"] = "servers.show/v1"
    server: ServersItem
    rollups: ServersShowResponseRollups | UnsetType = UNSET
    generated_at: str


class ServersDeleteBodyConfirmation(Struct, kw_only=True, rename="camel"):
    server_id: Text


class ServersDeleteBody(Struct, kw_only=True, rename="camel"):
    confirmation: ServersDeleteBodyConfirmation
    idempotency_key: Text | UnsetType = UNSET


class ServersDeleteResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ServersRenameBody(Struct, kw_only=True, rename="camel"):
    name: Text
    idempotency_key: Text | UnsetType = UNSET


class ServersRenameResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ServersConfigureEdgeProxyBody(Struct, kw_only=True, rename="camel"):
    proxy_kind: Literal["none", "traefik", "caddy"]
    idempotency_key: Text | UnsetType = UNSET


class ServersConfigureEdgeProxyResponseEdgeProxy(Struct, kw_only=True, rename="camel"):
    kind: Literal["none", "traefik", "caddy"]
    status: Literal["pending", "starting", "ready", "failed", "disabled"]


class ServersConfigureEdgeProxyResponse(Struct, kw_only=True, rename="camel"):
    id: str
    edge_proxy: ServersConfigureEdgeProxyResponseEdgeProxy


class ServersDeactivateBody(Struct, kw_only=True, rename="camel"):
    reason: Text | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


class ServersDeactivateResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ServersDeleteCheckResponseBlockersItem(Struct, kw_only=True, rename="camel"):
    kind: Literal[
        "active-server",
        "deployment-history",
        "active-deployment",
        "resource-placement",
        "domain-binding",
        "certificate",
        "credential",
        "source-link",
        "server-applied-route",
        "default-access-policy",
        "terminal-session",
        "runtime-task",
        "runtime-log-retention",
        "audit-retention",
    ]
    related_entity_id: str | UnsetType = UNSET
    related_entity_type: str | UnsetType = UNSET
    count: float | UnsetType = UNSET


class ServersDeleteCheckResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["servers.delete-check/v1"] = "servers.delete-check/v1"
    server_id: str
    lifecycle_status: Literal["active", "inactive"]
    eligible: bool
    blockers: list[ServersDeleteCheckResponseBlockersItem]
    checked_at: str


class ServersConfigureCredentialBodyCredentialLocalSshAgent(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="local-ssh-agent"
):
    username: Text | UnsetType = UNSET


class ServersConfigureCredentialBody(Struct, kw_only=True, rename="camel"):
    credential: ServersConfigureCredentialBodyCredentialLocalSshAgent | Credential2 | Credential3


class ServersTestDraftConnectivityBodyServerCredentialLocalSshAgent(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="local-ssh-agent"
):
    username: Text | UnsetType = UNSET


class ServersTestDraftConnectivityBodyServer(Struct, kw_only=True, rename="camel"):
    name: Text | UnsetType = UNSET
    host: Text
    provider_key: Text
    port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    credential: (
        ServersTestDraftConnectivityBodyServerCredentialLocalSshAgent | Credential2 | Credential3 | UnsetType
    ) = UNSET


class ServersTestDraftConnectivityBody(Struct, kw_only=True, rename="camel"):
    server: ServersTestDraftConnectivityBodyServer


ServersTestDraftConnectivityResponse = ServersTestConnectivityResponse


class ServersBootstrapProxyBody(Struct, kw_only=True, rename="camel"):
    edge_proxy_provider_key: Text | UnsetType = UNSET
    attempt_id: Text | UnsetType = UNSET
    reason: Literal["repair", "retry", "post-connect", "doctor-follow-up"] = "repair"


class ServersBootstrapProxyResponse(Struct, kw_only=True, rename="camel"):
    server_id: Text
    attempt_id: Text
