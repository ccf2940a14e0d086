"""Shapes that several rooms share. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


class LatestAttempt(Struct, kw_only=True, rename="camel"):
    id: str
    status: Literal["requested", "issuing", "issued", "failed", "retry_scheduled"]
    reason: Literal["issue", "renew", "replace"]
    provider_key: str
    challenge_type: str
    requested_at: str
    issued_at: str | UnsetType = UNSET
    expires_at: str | UnsetType = UNSET
    failed_at: str | UnsetType = UNSET
    error_code: str | UnsetType = UNSET
    failure_phase: str | UnsetType = UNSET
    failure_message: str | UnsetType = UNSET
    retriable: bool | UnsetType = UNSET
    retry_after: str | UnsetType = UNSET


class Certificate(Struct, kw_only=True, rename="camel"):
    id: str
    domain_binding_id: str
    domain_name: str
    status: Literal["pending", "issuing", "active", "renewing", "failed", "expired", "disabled", "revoked", "deleted"]
    source: Literal["managed", "imported"]
    provider_key: str
    challenge_type: str
    issued_at: str | UnsetType = UNSET
    expires_at: str | UnsetType = UNSET
    fingerprint: str | UnsetType = UNSET
    not_before: str | UnsetType = UNSET
    issuer: str | UnsetType = UNSET
    key_algorithm: str | UnsetType = UNSET
    subject_alternative_names: list[str] | UnsetType = UNSET
    latest_attempt: LatestAttempt | UnsetType = UNSET
    attempts: list[LatestAttempt] | UnsetType = UNSET
    created_at: str
