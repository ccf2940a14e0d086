"""ArgoCD: its servers, which application uses what, and what was seen after a change (contract: broker §1.11, §4.5)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Line = Annotated[str, Meta(max_length=1000)]
Pem = Annotated[str, Meta(max_length=100_000)]
Token = Annotated[str, Meta(max_length=24_000)]


class NewArgocdEndpoint(Struct, kw_only=True):
    """`token_b64` is the base64 of the token, which is never told again."""

    name: Line | UnsetType = UNSET
    environment_id: Line | UnsetType | None = UNSET
    base_url: Line | UnsetType = UNSET
    token_b64: Token | UnsetType = UNSET
    tls_ca_pem: Pem | UnsetType | None = UNSET
    tls_server_name: Line | UnsetType | None = UNSET


class EndpointSwitch(Struct, kw_only=True):
    enabled: bool


class ArgocdEndpoint(Struct, kw_only=True):
    id: str
    name: str
    base_url: str
    enabled: bool
    kms_key_id: str
    environment_id: str | UnsetType = UNSET
    tls_server_name: str | UnsetType = UNSET
    last_health_at: str | UnsetType = UNSET
    health_error: str | UnsetType = UNSET


class DiscoveredAppsQuery(Struct, kw_only=True):
    project: Line | UnsetType = UNSET


class DiscoveredApp(Struct, kw_only=True):
    name: str
    namespace: str | UnsetType = UNSET
    project: str | UnsetType = UNSET
    destination_server: str | UnsetType = UNSET
    destination_cluster: str | UnsetType = UNSET
    destination_namespace: str | UnsetType = UNSET
    health_status: str | UnsetType = UNSET
    sync_status: str | UnsetType = UNSET


class NewAppMapping(Struct, kw_only=True):
    """Exactly one of `secret_mapping_id` (a discovered secret) and `provider_connection_id`."""

    argocd_endpoint_id: Line | UnsetType = UNSET
    application_name: Line | UnsetType = UNSET
    secret_mapping_id: Line | UnsetType | None = UNSET
    provider_connection_id: Line | UnsetType | None = UNSET
    application_namespace: Line | UnsetType | None = UNSET
    project_name: Line | UnsetType | None = UNSET
    cluster_name: Line | UnsetType | None = UNSET


class AppMapping(Struct, kw_only=True):
    id: str
    argocd_endpoint_id: str
    application_name: str
    enabled: bool
    secret_mapping_id: str | UnsetType = UNSET
    provider_connection_id: str | UnsetType = UNSET
    application_namespace: str | UnsetType = UNSET
    project_name: str | UnsetType = UNSET
    cluster_name: str | UnsetType = UNSET


class GitopsQuery(Struct, kw_only=True):
    """`user_id` can only be the caller."""

    user_id: Line | UnsetType = UNSET


class Observation(Struct, kw_only=True):
    """`polling_state` and `status` say the same."""

    id: str
    request_id: str
    application_name: str
    polling_state: Literal["queued", "active", "applied", "failed", "applied_unverified"]
    status: Literal["queued", "active", "applied", "failed", "applied_unverified"]
    observed_state: dict[str, Any]
    polls_count: int
    created_at: str
    updated_at: str
    application_namespace: str | UnsetType = UNSET
    project_name: str | UnsetType = UNSET
    cluster_name: str | UnsetType = UNSET
    last_polled_at: str | UnsetType = UNSET
    last_error: str | UnsetType = UNSET
    timeout_at: str | UnsetType = UNSET
    terminal_at: str | UnsetType = UNSET
