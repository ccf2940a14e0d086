"""Shapes below /api/resource-access-failures. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.routing import LatestAccessFailureDiagnostic, NextAction
from quarterdeck.surfaces.deploy.wire.scalars import Text


class ResourcesAccessFailureEvidenceLookupQuery(Struct, kw_only=True, rename="camel"):
    resource_id: Text | UnsetType = UNSET
    hostname: Text | UnsetType = UNSET
    path: Text | UnsetType = UNSET


class ResourcesAccessFailureEvidenceLookupResponseFoundFilters(Struct, kw_only=True, rename="camel"):
    resource_id: str | UnsetType = UNSET
    hostname: str | UnsetType = UNSET
    path: str | UnsetType = UNSET


class ResourcesAccessFailureEvidenceLookupResponseFoundRelatedIds(Struct, kw_only=True, rename="camel"):
    resource_id: str | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET
    domain_binding_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    destination_id: str | UnsetType = UNSET
    route_id: str | UnsetType = UNSET


class ResourcesAccessFailureEvidenceLookupResponseFound(
    Struct, kw_only=True, rename="camel", tag_field="status", tag="found"
):
    schema_version: Literal["resources.access-failure-evidence.lookup/v1"] = (
        "resources.access-failure-evidence.lookup/v1"
    )
    request_id: str
    generated_at: str
    filters: ResourcesAccessFailureEvidenceLookupResponseFoundFilters | UnsetType = UNSET
    matched_source: Literal["short-retention-evidence-read-model"] = "short-retention-evidence-read-model"
    evidence: LatestAccessFailureDiagnostic
    related_ids: ResourcesAccessFailureEvidenceLookupResponseFoundRelatedIds | UnsetType = UNSET
    next_action: NextAction
    captured_at: str
    expires_at: str


class ResourcesAccessFailureEvidenceLookupResponseNotFoundFilters(Struct, kw_only=True, rename="camel"):
    resource_id: str | UnsetType = UNSET
    hostname: str | UnsetType = UNSET
    path: str | UnsetType = UNSET


class ResourcesAccessFailureEvidenceLookupResponseNotFoundNotFound(Struct, kw_only=True, rename="camel"):
    code: Literal["resource_access_failure_evidence_not_found"] = "resource_access_failure_evidence_not_found"
    phase: Literal["evidence-lookup"] = "evidence-lookup"
    message: str


class ResourcesAccessFailureEvidenceLookupResponseNotFound(
    Struct, kw_only=True, rename="camel", tag_field="status", tag="not-found"
):
    schema_version: Literal["resources.access-failure-evidence.lookup/v1"] = (
        "resources.access-failure-evidence.lookup/v1"
    )
    request_id: str
    generated_at: str
    filters: ResourcesAccessFailureEvidenceLookupResponseNotFoundFilters | UnsetType = UNSET
    next_action: Literal["diagnostic-summary"] = "diagnostic-summary"
    not_found: ResourcesAccessFailureEvidenceLookupResponseNotFoundNotFound


ResourcesAccessFailureEvidenceLookupResponse = (
    ResourcesAccessFailureEvidenceLookupResponseFound | ResourcesAccessFailureEvidenceLookupResponseNotFound
)
