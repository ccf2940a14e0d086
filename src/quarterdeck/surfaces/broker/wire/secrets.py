"""Discovered secrets (contract: broker §8): names and labels, never values."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Ref = Annotated[str, Meta(max_length=1000)]
Tag = Annotated[str, Meta(max_length=200)]
Moment = Annotated[str, Meta(max_length=40)]


class Bulk(Struct, kw_only=True):
    """At most a thousand items, which are kept all or not at all. An item: `secret_ref`, `labels`, `version`,
    `checksum`, `created_at_source`, `updated_at_source`. One with a field for a value is refused.
    """

    cluster_name: Tag | UnsetType = UNSET
    provider_type: Tag | UnsetType = UNSET
    provider_config: dict[str, Any] | UnsetType | None = UNSET
    items: list[dict[str, Any]] | UnsetType | None = UNSET


class Item(Struct, kw_only=True):
    secret_ref: Ref = ""
    labels: dict[str, str] | UnsetType | None = UNSET
    version: Tag | UnsetType | None = UNSET
    checksum: Tag | UnsetType | None = UNSET
    created_at_source: Moment | UnsetType | None = UNSET
    updated_at_source: Moment | UnsetType | None = UNSET


class Upserted(Struct, kw_only=True):
    upserted_ids: list[str]
    count: int


class SecretsQuery(Struct, kw_only=True):
    """`label` is `key:value` and may be given several times: all have to fit."""

    cluster_name: Tag | UnsetType = UNSET
    provider: Tag | UnsetType = UNSET
    ref_prefix: Ref | UnsetType = UNSET
    status: Literal["present", "missing"] | UnsetType = UNSET
    label: list[str] | UnsetType = UNSET
    limit: int = 100
    offset: int = 0


class Secret(Struct, kw_only=True):
    id: str
    cluster_name: str
    provider_type: str
    secret_ref: str
    labels: dict[str, str]
    status: Literal["present", "missing"]
    first_seen_at: str
    last_seen_at: str
    provider_config: dict[str, Any] | UnsetType = UNSET
    version: str | UnsetType = UNSET
    checksum: str | UnsetType = UNSET
    created_at_source: str | UnsetType = UNSET
    updated_at_source: str | UnsetType = UNSET


class SecretPage(Struct, kw_only=True):
    items: list[Secret]
    total: int
