"""Shapes below /api/entitlements. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.actors import Actor, ResourceRefs2
from quarterdeck.surfaces.deploy.wire.scalars import Text


class EntitlementsQueryBodyQueriesItem(Struct, kw_only=True, rename="camel"):
    capability_key: Text
    actor: Actor | UnsetType = UNSET
    tenant_id: Text | UnsetType = UNSET
    account_id: Text | UnsetType = UNSET
    organization_id: Text | UnsetType = UNSET
    resource_refs: ResourceRefs2 | UnsetType = UNSET
    attributes: dict[str, Any] | UnsetType = UNSET


class EntitlementsQueryBody(Struct, kw_only=True, rename="camel"):
    queries: Annotated[list[EntitlementsQueryBodyQueriesItem], Meta(min_length=1, max_length=100)]


class EntitlementsQueryResponseEntitlementsItem(Struct, kw_only=True, rename="camel"):
    capability_key: str
    entitled: bool
    status: Literal["entitled", "not_entitled", "unknown"]
    mode: Literal["restricted", "unrestricted", "unknown"]
    hint: str
    reason: str
    source: str
    details: dict[str, Any] | UnsetType = UNSET


class EntitlementsQueryResponse(Struct, kw_only=True, rename="camel"):
    entitlements: list[EntitlementsQueryResponseEntitlementsItem]
