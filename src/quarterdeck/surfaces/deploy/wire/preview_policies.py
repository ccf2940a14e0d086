"""Shapes below /api/preview-policies. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, convert, field

from quarterdeck.surfaces.deploy.wire.scalars import Text
from quarterdeck.surfaces.deploy.wire.usage import RuntimeMonitoringThresholdsScope


class PreviewPoliciesScope(Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"):
    project_id: Text
    resource_id: Text


class PreviewPoliciesConfigureBodyPolicy(Struct, kw_only=True, rename="camel"):
    same_repository_previews: bool | UnsetType = UNSET
    fork_previews: Literal["disabled", "without-secrets", "with-secrets"] | UnsetType = UNSET
    secret_backed_previews: bool | UnsetType = UNSET
    max_active_previews: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    preview_ttl_hours: Annotated[int, Meta(gt=0)] | UnsetType = UNSET


class PreviewPoliciesConfigureBody(Struct, kw_only=True, rename="camel"):
    scope: RuntimeMonitoringThresholdsScope | PreviewPoliciesScope
    policy: PreviewPoliciesConfigureBodyPolicy = field(
        default_factory=lambda: convert(
            {"sameRepositoryPreviews": True, "forkPreviews": "disabled", "secretBackedPreviews": True},
            PreviewPoliciesConfigureBodyPolicy,
        )
    )
    idempotency_key: Text | UnsetType = UNSET


class PreviewPoliciesConfigureResponse(Struct, kw_only=True, rename="camel"):
    id: str


class PreviewPoliciesShowBody(Struct, kw_only=True, rename="camel"):
    scope: RuntimeMonitoringThresholdsScope | PreviewPoliciesScope


class PreviewPoliciesShowResponsePolicySettings(Struct, kw_only=True, rename="camel"):
    same_repository_previews: bool
    fork_previews: Literal["disabled", "without-secrets", "with-secrets"]
    secret_backed_previews: bool
    max_active_previews: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    preview_ttl_hours: Annotated[int, Meta(gt=0)] | UnsetType = UNSET


class PreviewPoliciesShowResponsePolicy(Struct, kw_only=True, rename="camel"):
    id: str | UnsetType = UNSET
    scope: RuntimeMonitoringThresholdsScope | PreviewPoliciesScope
    settings: PreviewPoliciesShowResponsePolicySettings
    source: Literal["default", "configured"]
    updated_at: str | UnsetType = UNSET


class PreviewPoliciesShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["preview-policies.show/v1"] = "preview-policies.show/v1"
    policy: PreviewPoliciesShowResponsePolicy
    generated_at: str
