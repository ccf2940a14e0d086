"""Cloud identities and the tokens that clouds trust (contract: infra §1.5)."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

Uid = Annotated[str, Meta(max_length=64)]
IdentityName = Annotated[str, Meta(max_length=200)]
IdentityPageSize = Annotated[int, Meta(ge=1, le=200)]


class IdentitiesQuery(Struct, kw_only=True):
    """`all` shows identities that are not verified as well; `before` is the id of the last one of the page before."""

    all: bool = False
    limit: IdentityPageSize = 200
    before: Uid | UnsetType = UNSET


class CloudIdentity(Struct, kw_only=True):
    """`label` says which cloud and whose account of it; `cached_at` when a runner last listed what is there."""

    id: str
    provider: str
    name: str
    label: str
    verified: bool
    verified_at: str | None
    cached_at: str | None
    created_at: str


class CloudIdentities(Struct, kw_only=True):
    """`next` is what to ask for as `before`; null on the last page."""

    cloud_identities: list[CloudIdentity]
    next: str | None


class WholeCloudIdentity(CloudIdentity, kw_only=True):
    """`cached_resources` is what a runner found: regions, networks with their subnets, DNS zones, users."""

    cached_resources: dict[str, Any]


class OneCloudIdentity(Struct, kw_only=True):
    cloud_identity: WholeCloudIdentity


class Bind(Struct, kw_only=True):
    zone_ids: Annotated[list[Uid], Meta(max_length=200)]


class Bound(Struct, kw_only=True):
    """`bound`: it may be used in these zones alone; else everywhere."""

    zone_ids: list[str]
    bound: bool


class ProviderInit(Struct, kw_only=True):
    name: IdentityName | UnsetType | None = UNSET


class ProviderBegun(Struct, kw_only=True):
    """`external_id` is for the trust policy of a role of AWS. Google Cloud and Azure are told to trust `subject` as
    `issuer` names it; tokens for Azure are for `audience`.
    """

    identity_id: str
    external_id: str | None
    issuer: str | None
    subject: str | None
    audience: str | None


class ProviderConnect(Struct, kw_only=True):
    """`credentials`: `{role_arn}` of AWS; `{wif_config, project_id?}` of Google Cloud, the first a credential
    configuration file as an object or a text; `{tenant_id, client_id, subscription_id}` of Azure.
    """

    identity_id: Uid = ""
    credentials: dict[str, Any] = {}


class ProviderQueued(Struct, kw_only=True):
    job_id: str
    identity_id: str


class ProviderVerify(Struct, kw_only=True):
    identity_id: Uid = ""
    job_id: Uid = ""


class ProviderVerified(Struct, kw_only=True):
    success: bool
    verified: bool
    identity_id: str
    label: str


class ProviderDisconnect(Struct, kw_only=True):
    identity_id: Uid = ""


class ProviderStatus(Struct, kw_only=True, rename="camel"):
    """`externalId` is told to those who may connect identities."""

    connected: bool
    identity_id: str | None = None
    account_id: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    project_id: str | None = None
    service_account_email: str | None = None
    tenant_id: str | None = None
    client_id: str | None = None
    subscription_id: str | None = None


class IssuerConfiguration(Struct, kw_only=True):
    issuer: str
    jwks_uri: str
    response_types_supported: list[str]
    subject_types_supported: list[str]
    id_token_signing_alg_values_supported: list[str]
    claims_supported: list[str]


class IssuerKeys(Struct, kw_only=True):
    keys: list[dict[str, Any]]
