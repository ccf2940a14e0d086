"""Shapes below /api/default-access-domain-policies. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text


class DefaultAccessDomainPoliciesScope(Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment-target"):
    server_id: Text


class DefaultAccessDomainPoliciesItemScopeSystem(Struct, kw_only=True, rename="camel", tag_field="kind", tag="system"):
    pass


class DefaultAccessDomainPoliciesItem(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["default-access-domain-policies.policy/v1"] = "default-access-domain-policies.policy/v1"
    id: str
    scope: DefaultAccessDomainPoliciesItemScopeSystem | DefaultAccessDomainPoliciesScope
    mode: Literal["disabled", "provider", "custom-template"]
    provider_key: str | UnsetType = UNSET
    template_ref: str | UnsetType = UNSET
    updated_at: str


class DefaultAccessDomainPoliciesListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["default-access-domain-policies.list/v1"] = "default-access-domain-policies.list/v1"
    items: list[DefaultAccessDomainPoliciesItem]


class DefaultAccessDomainPoliciesConfigureBodyScopeSystem(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="system"
):
    pass


class DefaultAccessDomainPoliciesConfigureBody(Struct, kw_only=True, rename="camel"):
    scope: DefaultAccessDomainPoliciesConfigureBodyScopeSystem | DefaultAccessDomainPoliciesScope
    mode: Literal["disabled", "provider", "custom-template"]
    provider_key: Text | UnsetType = UNSET
    template_ref: Text | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


class DefaultAccessDomainPoliciesConfigureResponse(Struct, kw_only=True, rename="camel"):
    id: str


class DefaultAccessDomainPoliciesShowQuery(Struct, kw_only=True, rename="camel"):
    scope_kind: Literal["system", "deployment-target"] = "system"
    server_id: Text | UnsetType = UNSET


class DefaultAccessDomainPoliciesShowResponseScopeSystem(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="system"
):
    pass


class DefaultAccessDomainPoliciesShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["default-access-domain-policies.show/v1"] = "default-access-domain-policies.show/v1"
    scope: DefaultAccessDomainPoliciesShowResponseScopeSystem | DefaultAccessDomainPoliciesScope
    policy: DefaultAccessDomainPoliciesItem | None
