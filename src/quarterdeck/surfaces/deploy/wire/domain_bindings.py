"""Shapes below /api/domain-bindings. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.certification import Certificate
from quarterdeck.surfaces.deploy.wire.routing import SelectedRoute
from quarterdeck.surfaces.deploy.wire.scalars import Text


class Blocker(Struct, kw_only=True, rename="camel"):
    kind: Literal["active-certificate", "certificate-history"]
    severity: Literal["blocking", "warning"]
    message: str
    related_entity_type: str | UnsetType = UNSET
    related_entity_id: str | UnsetType = UNSET
    count: float | UnsetType = UNSET


class DeleteSafety(Struct, kw_only=True, rename="camel"):
    domain_binding_id: str
    safe_to_delete: bool
    blockers: list[Blocker]
    warnings: list[Blocker]
    preserves_generated_access: bool
    preserves_deployment_snapshots: bool
    preserves_server_applied_route_audit: bool

    def __post_init__(self) -> None:
        if not self.preserves_generated_access:
            message = "preservesGeneratedAccess must be true"
            raise ValueError(message)
        if not self.preserves_deployment_snapshots:
            message = "preservesDeploymentSnapshots must be true"
            raise ValueError(message)
        if not self.preserves_server_applied_route_audit:
            message = "preservesServerAppliedRouteAudit must be true"
            raise ValueError(message)


class DnsObservation(Struct, kw_only=True, rename="camel"):
    status: Literal["pending", "matched", "mismatch", "unresolved", "lookup_failed", "skipped"]
    expected_targets: list[str]
    observed_targets: list[str]
    checked_at: str | UnsetType = UNSET
    message: str | UnsetType = UNSET


class DomainBindingsItem(Struct, kw_only=True, rename="camel"):
    id: str
    project_id: str
    environment_id: str
    resource_id: str
    server_id: str
    destination_id: str
    domain_name: str
    path_prefix: str
    proxy_kind: Literal["none", "traefik", "caddy"]
    tls_mode: Literal["auto", "disabled"]
    redirect_to: str | UnsetType = UNSET
    redirect_status: Literal[301, 302, 307, 308] | UnsetType = UNSET
    certificate_policy: Literal["auto", "manual", "disabled"]
    status: Literal[
        "requested", "pending_verification", "bound", "certificate_pending", "ready", "not_ready", "failed", "deleted"
    ]
    dns_observation: DnsObservation | UnsetType = UNSET
    verification_attempt_count: float
    created_at: str


class DomainBindingsListQuery(Struct, kw_only=True, rename="camel"):
    project_id: str | UnsetType = UNSET
    environment_id: str | UnsetType = UNSET
    resource_id: str | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class DomainBindingsListResponse(Struct, kw_only=True, rename="camel"):
    items: list[DomainBindingsItem]


class DomainBindingsCreateBody(Struct, kw_only=True, rename="camel"):
    project_id: Text
    environment_id: Text
    resource_id: Text
    server_id: Text
    destination_id: Text
    domain_name: Text
    path_prefix: Text = "/"
    proxy_kind: Literal["none", "traefik", "caddy"]
    tls_mode: Literal["auto", "disabled"] = "auto"
    redirect_to: Text | UnsetType = UNSET
    redirect_status: Literal[301, 302, 307, 308] | UnsetType = UNSET
    certificate_policy: Literal["auto", "manual", "disabled"] | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


class DomainBindingsCreateResponse(Struct, kw_only=True, rename="camel"):
    id: str


class DomainBindingsShowResponseRouteReadiness(Struct, kw_only=True, rename="camel"):
    status: Literal["ready", "not-ready", "pending", "failed", "deleted"]
    route_behavior: Literal["serve", "redirect"]
    selected_route: SelectedRoute | UnsetType = UNSET
    context_routes: list[SelectedRoute]


class DomainBindingsShowResponseGeneratedAccessFallback(Struct, kw_only=True, rename="camel"):
    url: str
    hostname: str
    scheme: Literal["http", "https"]
    provider_key: str | UnsetType = UNSET
    path_prefix: str
    proxy_kind: Literal["none", "traefik", "caddy"]
    target_port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET
    deployment_status: (
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
    updated_at: str | UnsetType = UNSET


class DomainBindingsShowResponse(Struct, kw_only=True, rename="camel"):
    binding: DomainBindingsItem
    route_readiness: DomainBindingsShowResponseRouteReadiness
    generated_access_fallback: DomainBindingsShowResponseGeneratedAccessFallback | UnsetType = UNSET
    proxy_readiness: Literal["unknown", "ready", "not-ready", "failed"] | UnsetType = UNSET
    certificates: list[Certificate]
    delete_safety: DeleteSafety


class DomainBindingsDeleteBodyConfirmation(Struct, kw_only=True, rename="camel"):
    domain_binding_id: Text


class DomainBindingsDeleteBody(Struct, kw_only=True, rename="camel"):
    confirmation: DomainBindingsDeleteBodyConfirmation
    idempotency_key: Text | UnsetType = UNSET


class DomainBindingsDeleteResponse(Struct, kw_only=True, rename="camel"):
    id: str


class DomainBindingsConfigureRouteBody(Struct, kw_only=True, rename="camel"):
    redirect_to: Text | UnsetType = UNSET
    redirect_status: Literal[301, 302, 307, 308] | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


class DomainBindingsConfigureRouteResponse(Struct, kw_only=True, rename="camel"):
    id: str


class DomainBindingsConfirmOwnershipBody(Struct, kw_only=True, rename="camel"):
    verification_attempt_id: Text | UnsetType = UNSET
    verification_mode: Literal["dns", "manual"] | UnsetType = UNSET
    confirmed_by: Text | UnsetType = UNSET
    evidence: Text | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


class DomainBindingsConfirmOwnershipResponse(Struct, kw_only=True, rename="camel"):
    id: str
    verification_attempt_id: str


DomainBindingsDeleteCheckResponse = DeleteSafety


class DomainBindingsRetryVerificationBody(Struct, kw_only=True, rename="camel"):
    idempotency_key: Text | UnsetType = UNSET


class DomainBindingsRetryVerificationResponse(Struct, kw_only=True, rename="camel"):
    id: str
    verification_attempt_id: str
