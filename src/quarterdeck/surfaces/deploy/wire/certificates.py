"""Shapes below /api/certificates. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.certification import Certificate
from quarterdeck.surfaces.deploy.wire.scalars import Text


class CertificatesImportBody(Struct, kw_only=True, rename="camel"):
    domain_binding_id: Text
    certificate_chain: Text
    private_key: Text
    passphrase: Text | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET
    causation_id: Text | UnsetType = UNSET


class CertificatesImportResponse(Struct, kw_only=True, rename="camel"):
    certificate_id: str
    attempt_id: str


class CertificatesListQuery(Struct, kw_only=True, rename="camel"):
    domain_binding_id: str | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class CertificatesListResponse(Struct, kw_only=True, rename="camel"):
    items: list[Certificate]


CertificatesShowResponse = Certificate


class CertificatesDeleteBodyConfirmation(Struct, kw_only=True, rename="camel"):
    certificate_id: Text


class CertificatesDeleteBody(Struct, kw_only=True, rename="camel"):
    confirmation: CertificatesDeleteBodyConfirmation
    causation_id: str | UnsetType = UNSET


class CertificatesDeleteResponse(Struct, kw_only=True, rename="camel"):
    certificate_id: str


class CertificatesIssueOrRenewBody(Struct, kw_only=True, rename="camel"):
    domain_binding_id: Text
    certificate_id: Text | UnsetType = UNSET
    reason: Literal["issue", "renew", "replace"] = "issue"
    provider_key: Text | UnsetType = UNSET
    challenge_type: Text | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET
    causation_id: Text | UnsetType = UNSET


class CertificatesIssueOrRenewResponse(Struct, kw_only=True, rename="camel"):
    certificate_id: str
    attempt_id: str


class CertificatesRetryBody(Struct, kw_only=True, rename="camel"):
    idempotency_key: str | UnsetType = UNSET
    causation_id: str | UnsetType = UNSET


class CertificatesRetryResponse(Struct, kw_only=True, rename="camel"):
    certificate_id: str
    attempt_id: str


class CertificatesRevokeBody(Struct, kw_only=True, rename="camel"):
    reason: str | UnsetType = UNSET
    idempotency_key: str | UnsetType = UNSET
    causation_id: str | UnsetType = UNSET


class CertificatesRevokeResponse(Struct, kw_only=True, rename="camel"):
    certificate_id: str
