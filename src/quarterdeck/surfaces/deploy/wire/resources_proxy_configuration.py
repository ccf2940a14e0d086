"""Shapes below /api/resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.resources_shapes import AppliedRouteContext, Warning5
from quarterdeck.surfaces.deploy.wire.scalars import Text


class ResourcesProxyConfigurationPreviewQuery(Struct, kw_only=True, rename="camel"):
    deployment_id: Text | UnsetType = UNSET
    route_scope: Literal["planned", "latest", "deployment-snapshot"] = "latest"
    include_diagnostics: bool = False


class ResourcesProxyConfigurationPreviewResponseRoutesItem(Struct, kw_only=True, rename="camel"):
    hostname: str
    scheme: Literal["http", "https"]
    url: str
    path_prefix: str
    tls_mode: Literal["auto", "disabled"]
    target_port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    source: Literal["generated-default", "domain-binding", "deployment-snapshot", "server-applied"]
    route_behavior: Literal["serve", "redirect"] | UnsetType = UNSET
    redirect_to: str | UnsetType = UNSET
    redirect_status: Literal[301, 302, 307, 308] | UnsetType = UNSET
    applied_route_context: AppliedRouteContext | UnsetType = UNSET


class ResourcesProxyConfigurationPreviewResponseSectionsItem(Struct, kw_only=True, rename="camel"):
    id: str
    title: str
    format: Literal["docker-labels", "file", "command", "yaml", "json", "text"]
    language: str | UnsetType = UNSET
    readonly: bool
    redacted: bool
    content: str
    source: Literal["provider-rendered", "snapshot", "diagnostic"]

    def __post_init__(self) -> None:
        if not self.readonly:
            message = "readonly must be true"
            raise ValueError(message)


class ResourcesProxyConfigurationPreviewResponseDiagnosticsTlsRoutesItem(Struct, kw_only=True, rename="camel"):
    hostname: str
    path_prefix: str
    tls_mode: Literal["auto", "disabled"]
    scheme: Literal["http", "https"]
    automation: Literal["disabled", "provider-local"]
    certificate_source: Literal["none", "provider-local"]
    appaloft_certificate_managed: bool
    message: str
    details: dict[str, str] | UnsetType = UNSET


class ResourcesProxyConfigurationPreviewResponseDiagnostics(Struct, kw_only=True, rename="camel"):
    provider_key: str
    route_count: float
    network_name: str | UnsetType = UNSET
    tls_routes: list[ResourcesProxyConfigurationPreviewResponseDiagnosticsTlsRoutesItem] | UnsetType = UNSET
    applied_route_contexts: list[AppliedRouteContext] | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class ResourcesProxyConfigurationPreviewResponse(Struct, kw_only=True, rename="camel"):
    resource_id: str
    deployment_id: str | UnsetType = UNSET
    provider_key: str
    route_scope: Literal["planned", "latest", "deployment-snapshot"]
    status: Literal["not-configured", "planned", "applied", "stale", "failed"]
    generated_at: str
    last_applied_deployment_id: str | UnsetType = UNSET
    stale: bool
    routes: list[ResourcesProxyConfigurationPreviewResponseRoutesItem]
    sections: list[ResourcesProxyConfigurationPreviewResponseSectionsItem]
    warnings: list[Warning5]
    diagnostics: ResourcesProxyConfigurationPreviewResponseDiagnostics | UnsetType = UNSET
