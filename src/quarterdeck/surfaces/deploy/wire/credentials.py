"""Shapes below /api/credentials. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text


class CredentialsItem(Struct, kw_only=True, rename="camel"):
    id: str
    name: str
    kind: Literal["ssh-private-key"] = "ssh-private-key"
    username: str | UnsetType = UNSET
    public_key_configured: bool
    private_key_configured: bool
    created_at: str
    rotated_at: str | UnsetType = UNSET


class Server(Struct, kw_only=True, rename="camel"):
    server_id: str
    server_name: str
    lifecycle_status: Literal["active", "inactive"]
    provider_key: str
    host: str
    username: str | UnsetType = UNSET


class Usage(Struct, kw_only=True, rename="camel"):
    total_servers: float
    active_servers: float
    inactive_servers: float
    servers: list[Server]


class CredentialsListSshQuery(Struct, kw_only=True, rename="camel"):
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class CredentialsListSshResponse(Struct, kw_only=True, rename="camel"):
    items: list[CredentialsItem]


class CredentialsCreateSshBody(Struct, kw_only=True, rename="camel"):
    name: Text
    kind: Literal["ssh-private-key"] = "ssh-private-key"
    username: Text | UnsetType = UNSET
    public_key: Text | UnsetType = UNSET
    private_key: Text


class CredentialsCreateSshResponse(Struct, kw_only=True, rename="camel"):
    id: str


class CredentialsShowQuery(Struct, kw_only=True, rename="camel"):
    include_usage: bool | UnsetType = UNSET


class CredentialsShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["credentials.show/v1"] = "credentials.show/v1"
    credential: CredentialsItem
    usage: Usage | UnsetType = UNSET
    generated_at: str


class CredentialsDeleteSshBodyConfirmation(Struct, kw_only=True, rename="camel"):
    credential_id: Text


class CredentialsDeleteSshBody(Struct, kw_only=True, rename="camel"):
    confirmation: CredentialsDeleteSshBodyConfirmation
    idempotency_key: Text | UnsetType = UNSET


class CredentialsDeleteSshResponse(Struct, kw_only=True, rename="camel"):
    id: str


class CredentialsRotateSshBodyConfirmation(Struct, kw_only=True, rename="camel"):
    credential_id: Text
    acknowledge_server_usage: bool | UnsetType = UNSET


class CredentialsRotateSshBody(Struct, kw_only=True, rename="camel"):
    private_key: Text
    public_key: Text | UnsetType | None = UNSET
    username: Text | UnsetType | None = UNSET
    confirmation: CredentialsRotateSshBodyConfirmation
    idempotency_key: Text | UnsetType = UNSET


class CredentialsRotateSshResponseCredential(Struct, kw_only=True, rename="camel"):
    id: str
    kind: Literal["ssh-private-key"] = "ssh-private-key"
    username_configured: bool
    public_key_configured: bool
    private_key_configured: bool
    rotated_at: str


class CredentialsRotateSshResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["credentials.rotate-ssh/v1"] = "credentials.rotate-ssh/v1"
    credential: CredentialsRotateSshResponseCredential
    affected_usage: Usage
